//! The Debian package of a static Linux program, made by `dpkg-deb`.

use std::{fs, path::Path, process::Command};

use super::{Built, Release, archive::gzip, tree::COMPLETIONS};
use crate::Outcome;

fn architecture(target: &str) -> Option<&'static str> {
    match target {
        "x86_64-unknown-linux-musl" => Some("amd64"),
        "aarch64-unknown-linux-musl" => Some("arm64"),
        _ => None,
    }
}

pub(crate) fn write(release: &Release, built: &Built) -> Outcome {
    let Some(architecture) = architecture(&built.target) else { return Ok(()) };
    let dir = release.out.join(format!(".deb-{}", built.target));
    let made = stage(release, built, architecture, &dir).and_then(|()| build(release, architecture, &dir));
    fs::remove_dir_all(&dir).map_err(|e| format!("cannot remove {}: {e}", dir.display()))?;
    made
}

fn stage(release: &Release, built: &Built, architecture: &str, dir: &Path) -> Outcome {
    let mut put = Vec::new();
    put.push(("usr/bin/clown".to_owned(), built.program.clone()));
    for file in &built.files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let completion = COMPLETIONS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
        let path = match (file.path.as_str(), completion) {
            ("README.md" | "THIRD-PARTY-LICENSES", _) => format!("usr/share/doc/clown/{name}"),
            (_, Some("clown")) => "usr/share/bash-completion/completions/clown".to_owned(),
            (_, Some("_clown")) => "usr/share/zsh/vendor-completions/_clown".to_owned(),
            (_, Some("clown.fish")) => "usr/share/fish/vendor_completions.d/clown.fish".to_owned(),
            (path, None) if path.starts_with("man/") => {
                put.push((format!("usr/share/man/man1/{name}.gz"), gzip(&file.bytes)?));
                continue;
            }
            _ => continue,
        };
        put.push((path, file.bytes.clone()));
    }
    put.push(("usr/share/doc/clown/copyright".to_owned(), copyright(release)?.into_bytes()));
    let size: usize = put.iter().map(|(_, bytes)| bytes.len().div_ceil(1024)).sum();
    put.push(("DEBIAN/control".to_owned(), control(release, architecture, size).into_bytes()));
    for (path, bytes) in put {
        crate::write(&dir.join(&path), &bytes)?;
    }
    modes(dir)
}

/// No dependency: the program is static.
fn control(release: &Release, architecture: &str, size: usize) -> String {
    format!(
        "Package: clown\nVersion: {}\nArchitecture: {architecture}\nMaintainer: {}\nInstalled-Size: {size}\nSection: utils\n\
         Priority: optional\nDescription: {}\n One program that keeps coding agents apart: each profile has its own provider,\n \
         model, key and home. Its daemon counts what was used and routes requests.\n",
        release.version, release.maintainer, release.description
    )
}

fn copyright(release: &Release) -> Outcome<String> {
    let mit = String::from_utf8_lossy(&release.read("LICENSE-MIT")?).into_owned();
    Ok(format!(
        "clown is licensed under {}, as you like.\nApache-2.0: /usr/share/common-licenses/Apache-2.0\n\
         What it contains of others: THIRD-PARTY-LICENSES\n\n{mit}",
        release.licence
    ))
}

fn build(release: &Release, architecture: &str, dir: &Path) -> Outcome {
    let file = release.out.join(format!("clown_{}_{architecture}.deb", release.version));
    // Its own default depends on the version of dpkg; every dpkg reads xz.
    let made = Command::new("dpkg-deb")
        .args(["--root-owner-group", "-Zxz", "--build"])
        .arg(dir)
        .arg(&file)
        .env("SOURCE_DATE_EPOCH", release.epoch.to_string())
        .output()
        .map_err(|e| format!("dpkg-deb cannot be started: {e} (Debian's package: dpkg)"))?;
    if made.status.success() { Ok(()) } else { Err(format!("dpkg-deb: {}", String::from_utf8_lossy(&made.stderr).trim())) }
}

/// Whatever the umask is: directories and the program 0755, the rest 0644.
fn modes(dir: &Path) -> Outcome {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let told = |e: std::io::Error| format!("{}: {e}", dir.display());
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        set(dir, 0o755).map_err(told)?;
        for entry in fs::read_dir(dir).map_err(told)? {
            let path = entry.map_err(told)?.path();
            if path.is_dir() {
                modes(&path)?;
            } else {
                set(&path, if path.ends_with("usr/bin/clown") { 0o755 } else { 0o644 }).map_err(told)?;
            }
        }
    }
    let _ = dir;
    Ok(())
}
