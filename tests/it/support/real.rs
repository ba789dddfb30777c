//! Homes with real agents on PATH, and where those are.

use std::path::{Path, PathBuf};

use super::TestHome;

impl TestHome {
    /// With the real agents on PATH.
    pub fn with_agents() -> Self {
        let mut home = Self::new();
        let node = which("node").map(|n| n.parent().unwrap().display().to_string()).unwrap_or_default();
        home.set("PATH", &format!("{}:{node}:/usr/local/bin:/usr/bin:/bin", agents_dir().display()));
        // OpenCode asks npm for a package at each start; nothing here may leave the machine.
        home.set("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/");
        home
    }

    /// With one of the further real agents on PATH, and a Node that is new enough for it.
    pub fn with_agent(id: &str) -> Self {
        let mut home = Self::new();
        let more = agents_dir().ancestors().nth(3).unwrap().join("agents-more");
        let npm = |name: &str| more.join(name).join("node_modules/.bin");
        let (dir, program) = match id {
            "gemini" => (agents_dir(), "gemini"),
            "aider" => (more.join("aider/venv/bin"), "aider"),
            "grok-cli" => (npm(id), "grok"),
            _ => (npm(id), id),
        };
        assert!(
            dir.join(program).exists(),
            "no {program} in {}: `cargo xtask setup --tests` installs it, or says why it cannot",
            dir.display()
        );
        home.set("PATH", &format!("{}:{}:/usr/local/bin:/usr/bin:/bin", dir.display(), npm("node").display()));
        home.set("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/");
        home
    }
}

/// Directory with the pinned agents' launchers.
pub fn agents_dir() -> PathBuf {
    let named = std::env::var_os("CLOWN_TEST_AGENTS").map(PathBuf::from);
    let dir = named.unwrap_or_else(|| Path::new(env!("CARGO_BIN_EXE_clown")).ancestors().nth(2).unwrap().join("agents/node_modules/.bin"));
    assert!(dir.join("claude").exists(), "no agents in {}: run `cargo xtask setup --tests` first", dir.display());
    dir
}

fn which(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|d| d.join(name)).find(|p| p.is_file())
}
