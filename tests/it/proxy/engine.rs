//! The engine as a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{Cast, Format};
use crate::support::kill;

/// What clients show to the engine, and what it shows to the upstream. Neither may stand where the other belongs.
pub const CLIENT_KEY: &str = "sk-clown-client-4b0f9d11c2";
pub const UPSTREAM_KEY: &str = "sk-upstream-77aa01e5d3";
/// Another of the same provider.
pub const SECOND_KEY: &str = "sk-upstream-second-93be";

pub struct Engine {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    log: PathBuf,
    dir: tempfile::TempDir,
}

impl Engine {
    /// With a model `UPSTREAM-SCENARIO` for each of the given names at each upstream format.
    pub fn start(cast: &Cast, models: &[&str]) -> Self {
        Self::with(&yaml(cast, models))
    }

    /// With this configuration; `${DIR}` in it is the engine's own directory.
    pub fn with(yaml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.yaml");
        std::fs::write(&config, yaml.replace("${DIR}", dir.path().to_str().unwrap())).unwrap();
        let log = dir.path().join("log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_clown"))
            .args(["ultrallm", "serve", "--config"])
            .arg(&config)
            .env_clear()
            .env("CLOWN_PROXY_SECRET", CLIENT_KEY)
            .env("UPSTREAM_KEY", UPSTREAM_KEY)
            .env("SECOND_KEY", SECOND_KEY)
            .env("HOME", dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let shown = || std::fs::read_to_string(&log).unwrap_or_default();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("no address but {line:?}\n{}", shown())).to_owned();
        Self { child, url, log, dir }
    }
}

impl Engine {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Waits for the end.
    pub fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        kill(self.child.id(), "TERM");
        let end = Instant::now() + Duration::from_secs(20);
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                self.child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if std::thread::panicking() {
            eprintln!("---- engine log\n{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// What a client calls a model at an upstream of this format.
pub fn model(upstream: Format, name: &str) -> String {
    format!("{}-{name}", upstream.word())
}

fn yaml(cast: &Cast, models: &[&str]) -> String {
    let (mut list, mut aliases) = (String::new(), String::new());
    for upstream in Format::ALL {
        for name in models {
            let word = upstream.word();
            list += &format!("  - model_name: {word}/{name}\n    litellm_params:\n      model: {word}/{name}\n");
            list += &format!("      api_base: {}\n      api_key: ${{UPSTREAM_KEY}}\n", cast.url(upstream));
            list += &format!("      format: {}\n      auth: {}\n", upstream.id(), upstream.auth());
            aliases += &format!("    {}: {word}/{name}\n", model(upstream, name));
        }
    }
    let first = models[0];
    format!(
        "server: {{host: 127.0.0.1, port: 0}}\nmodel_list:\n{list}router_settings:\n  routing_strategy: conditional\n  rules:\n    \
         - {{name: default, condition: always, model: chat/{first}, priority: 0}}\n  model_group_alias:\n{aliases}  cooldown_time: 0\n\
         general_settings:\n  master_key: ${{CLOWN_PROXY_SECRET}}\n"
    )
}
