//! An agent that is a shell script, with a manifest and a set-up script of its own.

use std::os::unix::fs::PermissionsExt;

use super::TestHome;

const MANIFEST: &str = r#"
schema = 1
id = "fake"
name = "Fake Agent"
binaries = ["fake-agent"]
formats = ["anthropic"]
auth = ["key", "self"]
script = "fake"

[isolation]
default = "home-wrapper"
modes = ["home-wrapper", "config-dir"]
config_dir = ".fake"
env = { FAKE_HOME = ".fake" }
dirs = [".fake"]
isolated = [".fake"]
strip_env = ["FAKE_*"]

[install]
hint = "write it yourself"
"#;

const SCRIPT: &str = r#"
#{
    env: #{ FAKE_URL: ctx.endpoint.base_url, FAKE_KEY: ctx.key.placeholder, FAKE_MODEL: ctx.model.id },
    args: [],
    files: [
        #{ path: ".fake/seed.json", format: "json", mode: "seed", content: #{ first: true } },
        #{ path: ".fake/config.toml", format: "toml", mode: "merge", content: #{ model: ctx.model.id, url: ctx.endpoint.base_url } },
    ],
}
"#;

impl TestHome {
    /// With an agent `fake` whose program runs these lines of sh.
    pub fn with_fake(program: &str) -> Self {
        let mut home = Self::new();
        home.write("h/.config/clown/agents.d/fake.toml", MANIFEST);
        home.write("h/.config/clown/scripts/fake.rhai", SCRIPT);
        let path = home.write("bin/fake-agent", &format!("#!/bin/sh\n[ \"$1\" = --version ] && {{ echo 1.0.0; exit; }}\n{program}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        home.set("PATH", &format!("{}:/usr/local/bin:/usr/bin:/bin", path.parent().unwrap().display()));
        home
    }

    /// A provider of the user's own, `mine`, that takes any key at this address.
    pub fn provider(&self, base_url: &str) {
        let text = format!(
            "schema = 1\nid = \"mine\"\nname = \"Mine\"\nkey_env = \"MINE_KEY\"\nany_model = true\ndefault_model = \"m-1\"\n\n\
             [[endpoints]]\nformat = \"anthropic\"\nbase_url = \"{base_url}\"\nauth = \"bearer\"\n\n[[models]]\nid = \"m-1\"\n"
        );
        self.write("h/.config/clown/providers.d/mine.toml", &text);
    }
}
