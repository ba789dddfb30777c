class Clown < Formula
  desc "@DESCRIPTION@"
  homepage "@HOMEPAGE@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

@SOURCES@  def install
    bin.install "clown"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/clown.bash" => "clown"
    zsh_completion.install "completions/clown.zsh" => "_clown"
    fish_completion.install "completions/clown.fish"
    doc.install "README.md", "THIRD-PARTY-LICENSES"
  end

  service do
    run [opt_bin/"clown", "daemon", "--stay-alive"]
    keep_alive crashed: true
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/clown --version")
  end
end
