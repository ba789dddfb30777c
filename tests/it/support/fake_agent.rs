//! An agent of the test's own: a manifest, a script and a shell program on PATH.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use super::home::TestHome;

pub struct FakeAgent;

impl FakeAgent {
    /// Installs the agent `fake`, whose program is this shell script, and makes the profile `p` of it.
    /// The script finds the test's working directory in `$W`.
    pub fn install(home: &mut TestHome, script: &str) {
        Self::manifest(home);
        Self::program(home, script);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", home.work().parent().unwrap().join("bin").display());
        home.set("PATH", &path);
        home.clown(&["profiles", "create", "fake", "p", "--provider", "offline"]).ok();
    }

    fn manifest(home: &TestHome) {
        let manifest = "schema = 1\nid = \"fake\"\nname = \"Fake\"\nbinaries = [\"fake-agent\"]\nformats = [\"openai-chat\"]\nauth = [\"key\", \"self\"]\n\
            script = \"fake\"\n[isolation]\ndefault = \"home-wrapper\"\nmodes = [\"home-wrapper\", \"config-dir\"]\nconfig_dir = \".fake\"\n\
            env = { FAKE_HOME = \".fake\" }\nisolated = [\".fake\"]\nstrip_env = [\"FAKE_*\", \"LEAK\"]\n\
            [install]\nhint = \"fetch it from the fair\"\n";
        home.write("h/.config/clown/agents.d/fake.toml", manifest);
        home.write("h/.config/clown/scripts/fake.rhai", "#{ env: #{ FAKE_KEY: ctx.key.placeholder }, args: [], files: [] }");
    }

    /// Puts the program on PATH, or another in its place.
    pub fn program(home: &TestHome, script: &str) -> PathBuf {
        // A loop that waits for a file ends with the test's directory too.
        let script = script.replace("[ ! -e ", "[ -d $W ] && [ ! -e ");
        let text = format!("#!/bin/bash\nW='{}'\n{script}\n", home.work().display());
        let path = home.write("bin/fake-agent", &text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}
