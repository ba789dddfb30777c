//! Keys that would be recognised anywhere are led through everything clown does with keys; then they
//! must be in clown's key file and in the agent's environment, and in no other place.

use std::{
    collections::BTreeSet,
    io::Write as _,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use clown::ipc::sp;
use serde_json::{Value, json};

use crate::support::{Out, TestHome, contains, wait_until};

/// A key with characters that every encoding writes in another way, and the forms to look for. The
/// first and last characters do not count: masks and the agent's own record of a key show them.
struct Canary {
    key: String,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    fn new() -> Self {
        let random = || uuid::Uuid::new_v4().simple().to_string();
        let key = format!("sk-{}\"+/%\\'&={}", random(), random());
        let core = &key.as_bytes()[3..key.len() - 20];
        let hex: String = core.iter().map(|b| format!("{b:02x}")).collect();
        let url: String =
            core.iter().map(|b| if b.is_ascii_alphanumeric() { (*b as char).to_string() } else { format!("%{b:02X}") }).collect();
        let text = String::from_utf8(core.to_vec()).unwrap();
        let json = json!(text).to_string();
        let mut forms = vec![text.clone(), json[1..json.len() - 1].to_owned(), format!("{text:?}").trim_matches('"').to_owned()];
        forms.extend([hex.to_uppercase(), hex, url.to_lowercase(), url]);
        // Base64 of a longer text that holds it at any of the three places in a group.
        forms.extend((0..3).flat_map(|skip| {
            let whole = &core[skip..skip + (core.len() - skip) / 3 * 3];
            [base64(whole, b"+/"), base64(whole, b"-_")]
        }));
        // The random parts alone: whatever is done to the characters between them.
        forms.extend([key[3..35].to_owned(), key[key.len() - 32..key.len() - 20].to_owned()]);
        Self { key, forms: forms.into_iter().map(String::into_bytes).collect::<BTreeSet<_>>().into_iter().collect() }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| contains(bytes, form))
    }

    fn files(&self, below: &Path) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut todo = vec![below.to_owned()];
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let (path, kind) = (entry.path(), entry.file_type().unwrap());
                let name_too = self.is_in(path.file_name().unwrap().as_encoded_bytes());
                if kind.is_dir() {
                    todo.push(path.clone());
                }
                if name_too || kind.is_file() && self.is_in(&std::fs::read(&path).unwrap_or_default()) {
                    found.insert(path);
                }
            }
        }
        found
    }
}

fn base64(bytes: &[u8], last: &[u8; 2]) -> String {
    let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*last).collect();
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b));
        [18, 12, 6, 0].map(|shift| alphabet[(bits >> shift & 63) as usize] as char)
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

/// Looks at the command lines of all processes until dropped.
struct Sampler {
    stop: Arc<AtomicBool>,
    /// Indices of the canaries met.
    seen: Arc<Mutex<BTreeSet<usize>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Sampler {
    fn start(canaries: Vec<Vec<Vec<u8>>>) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<BTreeSet<usize>>>::default());
        let (told, met) = (Arc::clone(&stop), Arc::clone(&seen));
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                for entry in std::fs::read_dir("/proc").unwrap().flatten() {
                    let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    let hits = canaries.iter().enumerate().filter(|(_, forms)| forms.iter().any(|form| contains(&line, form)));
                    met.lock().unwrap().extend(hits.map(|(at, _)| at));
                }
            }
        });
        Self { stop, seen, thread: Some(thread) }
    }

    fn seen(&self) -> BTreeSet<usize> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One test's home, an agent that is a script of ours, and everything commands said.
struct Stage {
    home: TestHome,
    /// Where the agent writes what it was given: outside of everything that is searched.
    outside: tempfile::TempDir,
    said: Vec<u8>,
}

impl Stage {
    fn new() -> Self {
        let mut home = TestHome::new();
        let outside = tempfile::Builder::new().prefix("ct-out-").tempdir_in("/tmp").unwrap();
        let bin = outside.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let agent = bin.join("claude");
        let script = "#!/bin/sh\ncase \"$1\" in --version) echo '1.2.3 (Fake)';; fail) exit 7;; *) env > \"$1\";; esac\n";
        std::fs::write(&agent, script).unwrap();
        std::fs::set_permissions(&agent, PermissionsExt::from_mode(0o755)).unwrap();
        home.set("PATH", &format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()));
        // Two providers, one for each header a key can travel in. Nobody listens there.
        for (id, auth) in [("bearing", "bearer"), ("keyed", "x-api-key")] {
            let endpoint = format!("[[endpoints]]\nformat = \"anthropic\"\nbase_url = \"http://127.0.0.1:9\"\nauth = \"{auth}\"\n");
            let text = format!("schema = 1\nid = \"{id}\"\nname = \"{id}\"\nany_model = true\ndefault_model = \"m\"\n{endpoint}");
            home.write(home.root().join(format!("providers.d/{id}.toml")), &text);
        }
        home.clown(&["config", "set", "secrets.backend", "file"]).ok();
        home.clown(&["config", "set", "daemon.log_level", "trace"]).ok();
        Self { home, outside, said: Vec::new() }
    }

    fn heard(&mut self, out: Out) -> Out {
        self.said.extend(&out.stdout);
        self.said.extend(&out.stderr);
        out
    }

    fn ok(&mut self, args: &[&str]) -> Out {
        let out = self.home.clown(args).ok();
        self.heard(out)
    }

    fn fails(&mut self, args: &[&str]) -> Out {
        let out = self.home.clown(args).fails(1);
        self.heard(out)
    }

    /// Runs a profile; what the agent's environment was.
    fn environment(&mut self, alias: &str, var: Option<(&str, &str)>) -> String {
        let to = self.outside.path().join(format!("env-{alias}"));
        let command = self.home.clown(&["run", alias, to.to_str().unwrap()]);
        let command = if let Some((name, value)) = var { command.env(name, value) } else { command };
        let out = command.ok();
        self.heard(out);
        std::fs::read_to_string(to).unwrap()
    }

    /// Sends a call as no client of ours would.
    fn raw_call(&mut self, call: &str, body: &Value) -> Value {
        let status = self.home.json(&["daemon", "status"]);
        let path = status["endpoint"].as_str().unwrap().trim_start_matches("ipc://").to_owned();
        let mut stream = UnixStream::connect(path).unwrap();
        sp::greet(&mut stream, sp::REQ, sp::REP).unwrap();
        let request = json!({"protocol": 1, "version": "x", "id": "", "call": call, "body": body}).to_string();
        let id = [0x80, 0, 0, 1];
        sp::write_message(&mut stream, &[&id, request.as_bytes()]).unwrap();
        stream.flush().unwrap();
        let answer = sp::read_message(&mut stream, 1 << 21).unwrap().split_off(4);
        self.said.extend(&answer);
        serde_json::from_slice(&answer).unwrap()
    }
}

#[test]
fn a_key_is_in_the_key_file_and_the_agents_environment_and_nowhere_else() {
    let mut stage = Stage::new();
    let canaries: Vec<Canary> = (0..7).map(|_| Canary::new()).collect();
    let [typed, taken, variable, printed, rotated, malformed, control] = &canaries[..] else { unreachable!() };
    let sampler = Sampler::start(canaries.iter().map(|c| c.forms.clone()).collect());
    let watch = stage.home.clown(&["watch", "--json"]).start();
    wait_until("the subscription", || stage.home.json(&["daemon", "status"])["guards"].to_string().contains("event subscriber"));

    // Every way in.
    let create = ["profiles", "create", "claude"];
    let out =
        stage.home.clown(&[&create[..], &["typed", "--provider", "bearing", "--api-key-stdin"]].concat()).stdin(typed.key.as_bytes()).ok();
    stage.heard(out);
    let out = stage.home.clown(&[&create[..], &["taken", "--provider", "keyed", "--api-key-env", "TAKE_ME"]].concat());
    let out = out.env("TAKE_ME", &taken.key).ok();
    stage.heard(out);
    stage.ok(&[&create[..], &["variable", "--provider", "bearing", "--key-ref", "env:READ_ME"]].concat());
    let kept = stage.outside.path().join("kept");
    std::fs::write(&kept, format!("{}\n", printed.key)).unwrap();
    stage.ok(&[&create[..], &["printed", "--provider", "bearing", "--key-ref", &format!("command:cat {}", kept.display())]].concat());

    // The agent has it, each profile its own.
    let read_me = ("READ_ME", variable.key.as_str());
    for (alias, name, canary) in [
        ("typed", "ANTHROPIC_AUTH_TOKEN", typed),
        ("taken", "ANTHROPIC_API_KEY", taken),
        ("variable", "ANTHROPIC_AUTH_TOKEN", variable),
        ("printed", "ANTHROPIC_AUTH_TOKEN", printed),
    ] {
        let env = stage.environment(alias, (alias == "variable").then_some(read_me));
        assert!(env.lines().any(|line| line == format!("{name}={}", canary.key)), "the agent of {alias} has no key:\n{env}");
        let others = canaries.iter().filter(|other| other.key != canary.key);
        assert!(others.into_iter().all(|other| !other.is_in(env.as_bytes())), "{env}");
    }

    // Everything that looks, in both forms.
    for alias in ["typed", "taken", "variable", "printed"] {
        for args in [&["profiles", "inspect", alias][..], &["profiles", "inspect", alias, "--json"], &["profiles", "env", alias, "--json"]]
        {
            stage.ok(args);
        }
    }
    for args in [
        &["profiles", "list", "--json"][..],
        &["profiles", "list"],
        &["sessions", "list", "--json"],
        &["providers", "list", "--json"],
        &["config", "list"],
        &["daemon", "status", "--json"],
    ] {
        stage.ok(args);
    }
    // Into a pipe, and only there, the real one.
    let shown = stage.home.clown(&["profiles", "env", "typed"]).ok().stdout();
    assert!(shown.contains(&typed.key.replace('\'', "'\\''")), "{shown}");

    // Failures.
    let out = stage.home.clown(&["run", "typed", "fail"]).fails(7);
    stage.heard(out);
    stage.fails(&["run", "variable", "x"]).says("READ_ME");
    let out = stage.home.clown(&["run", "typed", "x"]).env("PATH", "/nowhere").fails(1).says("not installed");
    stage.heard(out);
    for wrong in [format!("{} {}", malformed.key, malformed.key), format!("{}\u{1}", malformed.key)] {
        for args in [
            &["profiles", "edit", "typed", "--api-key-stdin"][..],
            &["profiles", "create", "claude", "x", "--provider", "bearing", "--api-key-stdin", "--json"],
        ] {
            let out = stage.home.clown(args).stdin(wrong.as_bytes()).run();
            assert_eq!(out.code, Some(1), "{}", out.report());
            stage.heard(out);
        }
    }
    let key = &malformed.key;
    for body in [
        json!({"agent": "claude", "alias": "x", "provider": "bearing", "key": key}),
        json!({"agent": "claude", "alias": "x", "provider": "bearing", "key": {"from": key}}),
        json!({"agent": "claude", "alias": "x", "provider": "bearing", "key": {"from": "text", "key": [key]}}),
        json!({"agent": "claude", "alias": "x", "provider": "bearing", "settings": key}),
        json!({"agent": "claude", "alias": "x", "provider": "bearing", "settings": {"isolation": key}}),
        json!({"agent": "claude", "alias": "x", "provider": "bearing", "dry_run": key}),
        json!([key]),
        json!(key),
    ] {
        let answer = stage.raw_call("profiles.create", &body);
        assert_eq!(answer["error"]["code"], "invalid_input", "{answer}");
    }

    // Change and share.
    let out = stage.home.clown(&["profiles", "edit", "typed", "--api-key-stdin"]).stdin(rotated.key.as_bytes()).ok();
    stage.heard(out);
    stage.ok(&["profiles", "clone", "typed", "twin"]);
    assert!(stage.environment("twin", None).contains(&rotated.key));
    let store = BTreeSet::from([stage.home.root().join("secrets/keys.json")]);
    let log = std::fs::read_to_string(stage.home.log()).unwrap();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log does not tell much:\n{log}");
    for (name, canary, places) in [
        ("typed, then changed", typed, &BTreeSet::new()),
        ("taken", taken, &store),
        ("variable", variable, &BTreeSet::new()),
        ("printed", printed, &BTreeSet::new()),
        ("rotated", rotated, &store),
        ("malformed", malformed, &BTreeSet::new()),
    ] {
        assert_eq!(&canary.files(stage.home.everything()), places, "{name}");
    }
    for pid in stage.home.daemons() {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        assert!(canaries.iter().all(|c| !c.is_in(&environ)));
    }

    // Gone.
    for alias in ["typed", "taken", "variable", "printed", "twin"] {
        stage.ok(&["profiles", "delete", alias, "--yes", "--purge"]);
    }
    stage.ok(&["daemon", "stop"]);
    let events = watch.wait();
    // The sampler sees a key where there is one, and saw none before.
    assert_eq!(sampler.seen(), BTreeSet::new(), "command lines held these keys");
    let mut shown = Command::new("sh").args(["-c", "read line", "sh", &control.key]).stdin(Stdio::piped()).spawn().unwrap();
    wait_until("the sight of a key", || !sampler.seen().is_empty());
    shown.kill().unwrap();
    shown.wait().unwrap();
    assert!(events.stdout().contains("profile/created") && events.stdout().contains("session/ended"), "{}", events.report());
    stage.heard(events);
    for canary in &canaries {
        assert_eq!(canary.files(stage.home.everything()), BTreeSet::new());
        assert!(!canary.is_in(&stage.said), "commands said a key:\n{}", String::from_utf8_lossy(&stage.said));
    }
}

#[test]
fn an_agent_gets_the_three_standard_descriptors_and_no_other() {
    let home = TestHome::new();
    let manifest = include_str!("../../manifests/agents/claude.toml");
    let lister =
        manifest.replace("id = \"claude\"", "id = \"lister\"").replace("[\"claude\"]", "[\"ls\"]").replace("[\"claude-code\"]", "[]");
    home.write(home.root().join("agents.d/lister.toml"), &lister);
    home.clown(&["profiles", "create", "lister", "p", "--provider", "offline"]).ok();
    let out = home.clown(&["run", "p", "/proc/self/fd"]).ok();
    // Besides the three: the directory that ls reads, and what whoever runs this test leaves open.
    let alone = home.program("ls", &["/proc/self/fd"]).ok();
    assert!(alone.stdout().starts_with("0\n1\n"), "{}", alone.report());
    assert_eq!(out.stdout(), alone.stdout(), "{}", out.report());
}
