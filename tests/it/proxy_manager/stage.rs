//! A home with a provider that speaks Chat Completions only, and an agent that does not.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    time::Duration,
};

use serde_json::Value;

use crate::support::{Endpoint, Out, Peer, TestHome, Upstream, kill, request, wait_until};

/// Writes its environment to the file named first; with a second name, lives until that file is there.
const AGENT: &str =
    "env > \"$1.new\"; mv \"$1.new\" \"$1\"; [ -z \"$2\" ] || while [ -d \"$HOME\" ] && [ ! -e \"$2\" ]; do sleep 0.02; done";

pub struct Stage {
    pub home: TestHome,
    pub upstream: Upstream,
    /// First of the ports that its proxies may take.
    pub first: u16,
}

impl Stage {
    /// Ports of its own: as many as asked for, from one that was free a moment ago.
    pub fn with_ports(count: u16) -> Self {
        let home = TestHome::with_fake(AGENT);
        let upstream = Upstream::start();
        for (id, format) in [("chatty", "openai-chat"), ("native", "anthropic"), ("other", "openai-chat")] {
            home.write(home.root().join(format!("providers.d/{id}.toml")), &manifest(id, format, &upstream.url(format)));
        }
        let first = loop {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if port < 65_000 {
                break port;
            }
        };
        let stage = Self { home, upstream, first };
        stage.set("secrets.backend", "file");
        stage.set("proxy.engine", "embedded");
        stage.range(first, first + count - 1);
        stage
    }

    pub fn new() -> Self {
        Self::with_ports(40)
    }

    pub fn set(&self, key: &str, value: &str) {
        self.home.clown(&["config", "set", key, value]).ok();
    }

    pub fn range(&self, first: u16, last: u16) {
        self.set("proxy.first_port", &first.to_string());
        self.set("proxy.last_port", &last.to_string());
    }

    /// A profile `alias` of the agent, with a key.
    pub fn profile(&self, alias: &str, provider: &str, more: &[&str]) -> Out {
        let args = [&["profiles", "create", "fake", alias, "--provider", provider, "--api-key-stdin"], more].concat();
        self.home.clown(&args).stdin(b"the-real-key-of-the-provider").ok()
    }

    pub fn status(&self, alias: &str) -> Value {
        self.home.json(&["proxy", "status", alias])["instances"][0].clone()
    }

    pub fn state(&self, alias: &str) -> String {
        self.status(alias)["state"].as_str().unwrap().to_owned()
    }

    pub fn start(&self, alias: &str) -> (u16, u32) {
        let started = self.home.json(&["proxy", "start", alias]);
        (started["port"].as_u64().unwrap() as u16, started["pid"].as_u64().unwrap() as u32)
    }

    /// Runs the agent to its end; what its environment was.
    pub fn run(&self, alias: &str) -> Vec<(String, String)> {
        let file = self.home.work().join(format!("env-{alias}"));
        self.home.clown(&["run", alias, file.to_str().unwrap()]).ok();
        env(&file)
    }

    /// The agent, alive until `done` is called.
    pub fn live(&self, alias: &str) -> Live {
        let (file, stop) = (self.home.work().join(format!("live-{alias}")), self.home.work().join(format!("stop-{alias}")));
        let running = self.home.clown(&["run", alias, file.to_str().unwrap(), stop.to_str().unwrap()]).start();
        wait_until("the agent", || file.exists());
        Live { running: Some(running), env: env(&file), stop }
    }

    pub fn topics(&self, alias: &str) -> Vec<String> {
        let shown = self.home.clown(&["daemon", "status", "--json"]).ok().json();
        assert_eq!(shown["running"], true, "events are asked of a live daemon");
        let body = serde_json::json!({"epoch": "", "seq": 0});
        let mut peer = Peer::calls(&Endpoint::of(&self.home).calls);
        peer.ask(&request("events.since", "", body))["reply"]["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["subject"] == alias)
            .map(|e| e["topic"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub struct Live {
    running: Option<crate::support::Running>,
    pub env: Vec<(String, String)>,
    stop: PathBuf,
}

impl Live {
    pub fn token(&self) -> &str {
        var(&self.env, "FAKE_KEY")
    }

    pub fn port(&self) -> u16 {
        port(&self.env)
    }

    pub fn done(mut self) -> Out {
        std::fs::File::create(&self.stop).unwrap();
        self.running.take().unwrap().wait()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = std::fs::File::create(&self.stop);
    }
}

pub fn var<'e>(env: &'e [(String, String)], name: &str) -> &'e str {
    env.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default()
}

/// Of the address that the agent was given.
pub fn port(env: &[(String, String)]) -> u16 {
    let url = var(env, "FAKE_URL");
    url.strip_prefix("http://127.0.0.1:").unwrap_or_else(|| panic!("no address of this machine: {url:?}")).parse().unwrap()
}

fn env(file: &std::path::Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().filter_map(|l| l.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

pub fn manifest(id: &str, format: &str, url: &str) -> String {
    format!(
        "schema = 1\nid = \"{id}\"\nname = \"{id}\"\nany_model = true\ndefault_model = \"m-1\"\n[tiers]\nhaiku = \"m-small\"\n\
         [[endpoints]]\nformat = \"{format}\"\nbase_url = \"{url}\"\nauth = \"bearer\"\n[[models]]\nid = \"m-1\"\n[[models]]\nid = \"m-small\"\n"
    )
}

pub const HELLO: &str = r#"{"model":"m-1","max_tokens":2000,"messages":[{"role":"user","content":"say hi"}]}"#;

/// One request; status and body.
pub fn post(port: u16, path: &str, token: &str, body: &str) -> std::io::Result<(u16, String)> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    exchange(port, &format!("{head}{body}"))
}

pub fn health(port: u16) -> std::io::Result<Value> {
    let (_, text) = exchange(port, &format!("GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"))?;
    let body = text.find('{').map(|at| &text[at..=text.rfind('}').unwrap()]).unwrap_or("null");
    Ok(serde_json::from_str(body).unwrap())
}

fn exchange(port: u16, request: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok());
    status.map(|s| (s, text)).ok_or_else(|| std::io::Error::other("no answer"))
}

/// Ends a process and waits until it is gone.
pub fn end(pid: u32) {
    kill(pid, "KILL");
    wait_until("the end of a process", || gone(pid));
}

pub fn gone(pid: u32) -> bool {
    crate::support::is_zombie(pid)
}
