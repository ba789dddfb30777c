//! A scratch home with a clean environment.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Upstream, clown_program, kill, process::is_zombie};

/// Longer than anything here takes on a busy machine; a hang is a failure, not a wait.
const LIMIT: Duration = Duration::from_secs(100);

pub struct TestHome {
    dir: tempfile::TempDir,
    env: BTreeMap<OsString, OsString>,
}

impl TestHome {
    /// HOME, clown's tree, runtime directory and working directory of its own; no agent on PATH.
    pub fn new() -> Self {
        // Socket paths must stay short, so not below the target directory.
        let dir = tempfile::Builder::new().prefix("ct-").tempdir_in("/tmp").unwrap();
        for (path, mode) in [("h", 0o755), ("r", 0o700), ("w", 0o755), ("t", 0o700)] {
            let path = dir.path().join(path);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        let at = |p: &str| dir.path().join(p).into_os_string();
        let env = [
            ("HOME", at("h")),
            ("CLOWN_HOME", at("h/.config/clown")),
            ("XDG_RUNTIME_DIR", at("r")),
            ("TMPDIR", at("t")),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TERM", "dumb".into()),
        ];
        Self { env: env.into_iter().map(|(k, v)| (k.into(), v)).collect(), dir }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.into(), value.into());
    }

    pub fn unset(&mut self, name: &str) {
        self.env.remove(std::ffi::OsStr::new(name));
    }

    pub fn env(&self) -> &BTreeMap<OsString, OsString> {
        &self.env
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("h")
    }

    /// Clown's tree.
    pub fn root(&self) -> PathBuf {
        self.home().join(".config/clown")
    }

    /// XDG_RUNTIME_DIR.
    pub fn runtime(&self) -> PathBuf {
        self.dir.path().join("r")
    }

    /// Working directory of commands.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("w")
    }

    /// Where the profile's home is.
    pub fn profile_home(&self, agent: &str, alias: &str) -> PathBuf {
        self.root().join(format!(".{agent}-profiles")).join(alias)
    }

    pub fn write(&self, path: impl AsRef<Path>, text: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn clown(&self, args: &[&str]) -> Cmd {
        self.program(&clown_program(), args)
    }

    /// The same where modes of files bind root too, and the daemon that it starts.
    pub fn bound(&self, args: &[&str]) -> Cmd {
        if !rustix::process::geteuid().is_root() {
            return self.clown(args);
        }
        let without = ["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search", "--"];
        self.program("setpriv", &[without.as_slice(), &[clown_program().as_str()], args].concat())
    }

    pub fn program(&self, program: &str, args: &[&str]) -> Cmd {
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(&self.env).current_dir(self.work());
        Cmd {
            command,
            stdin: Vec::new(),
            shown: format!("{} {}", Path::new(program).file_name().unwrap().to_string_lossy(), args.join(" ")),
            log: self.log(),
        }
    }

    /// Runs and requires success; gives the JSON document.
    pub fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.push("--json");
        self.clown(&all).ok().json()
    }

    pub fn daemon_pid(&self) -> Option<u32> {
        let status = self.clown(&["daemon", "status", "--json"]).run().json();
        status["pid"].as_u64().map(|p| p as u32)
    }

    /// Pids of live daemons of this tree, from /proc: by program, arguments and environment.
    pub fn daemons(&self) -> Vec<u32> {
        let root = self.root().into_os_string().into_encoded_bytes();
        let mark = [b"CLOWN_HOME=", &*root].concat();
        // The environment of a daemon is closed to all but root: then its arguments or its lock tell.
        let locked: Option<u32> = std::fs::read_to_string(self.root().join("daemon.lock")).ok().and_then(|t| t.trim().parse().ok());
        let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let args = read("cmdline");
            let is_daemon = args.split(|b| *b == 0).nth(1) == Some(b"daemon");
            let ours =
                read("environ").split(|b| *b == 0).any(|v| v == mark) || args.split(|b| *b == 0).any(|a| a == root) || locked == Some(*pid);
            is_daemon && ours && !is_zombie(*pid)
        })
        .collect()
    }

    pub fn log(&self) -> PathBuf {
        self.root().join("logs/clownd.log")
    }

    /// Everything of this home: the user's home, the runtime directory, the rest.
    pub fn everything(&self) -> &Path {
        self.dir.path()
    }

    /// Keys are kept in clown's own file, and a provider with this id leads to the upstream.
    pub fn add_provider(&self, id: &str, upstream: &Upstream) {
        self.write(self.root().join(format!("providers.d/{id}.toml")), &upstream.manifest(id));
        self.clown(&["config", "set", "secrets.backend", "file"]).ok();
    }

    /// Session records, newest first.
    pub fn sessions(&self) -> Vec<Value> {
        self.json(&["sessions", "list"])["sessions"].as_array().unwrap().clone()
    }

    /// Live processes that runs of a profile left behind, by what clown puts into their environment.
    pub fn alive_in(&self, alias: &str) -> Vec<u32> {
        let marks = [format!("CLOWN_PROFILE={alias}"), format!("CLOWN_REAL_HOME={}", self.home().display())];
        let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let vars: Vec<&[u8]> = environ.split(|b| *b == 0).collect();
            marks.iter().all(|mark| vars.contains(&mark.as_bytes())) && !is_zombie(*pid)
        })
        .collect()
    }

    /// Every file below a directory that holds these bytes, without following links.
    pub fn files_with(&self, below: &Path, needle: &[u8]) -> Vec<PathBuf> {
        let mut hits = Vec::new();
        let mut todo = vec![below.to_owned()];
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    todo.push(entry.path());
                } else if kind.is_file() && contains(&std::fs::read(entry.path()).unwrap_or_default(), needle) {
                    hits.push(entry.path());
                }
            }
        }
        hits
    }
}

impl Drop for TestHome {
    fn drop(&mut self) {
        let _ = self.clown(&["daemon", "stop"]).command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        for pid in self.daemons() {
            kill(pid, "KILL");
        }
        // Proxies of a daemon that was killed.
        for entry in std::fs::read_dir(self.root().join("proxies")).into_iter().flatten().flatten() {
            let stored: Value = serde_json::from_slice(&std::fs::read(entry.path()).unwrap_or_default()).unwrap_or_default();
            let pid = stored["running"]["pid"].as_u64().unwrap_or_default() as u32;
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if pid > 1 && contains(&line, self.root().as_os_str().as_encoded_bytes()) {
                kill(pid, "KILL");
            }
        }
        if std::thread::panicking() {
            eprintln!("---- daemon log\n{}", std::fs::read_to_string(self.log()).unwrap_or_default());
        }
    }
}

pub struct Cmd {
    command: Command,
    stdin: Vec<u8>,
    shown: String,
    log: PathBuf,
}

impl Cmd {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn cwd(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub fn stdin(mut self, bytes: &[u8]) -> Self {
        self.stdin = bytes.to_vec();
        self
    }

    /// Starts it with pipes; the caller waits.
    pub fn spawn(mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn run(self) -> Out {
        self.start().wait()
    }

    /// Starts it and reads along; stdin ends behind the given bytes.
    pub fn start(mut self) -> Running {
        let mut child = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let input = std::mem::take(&mut self.stdin);
        std::thread::spawn(move || {
            let _ = pipe.write_all(&input);
        });
        let (stdout, stderr) = (collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap()));
        Running { child, stdout, stderr, shown: self.shown, log: self.log }
    }

    pub fn ok(self) -> Out {
        let out = self.run();
        assert!(out.code == Some(0), "expected success\n{}", out.report());
        out
    }

    /// Runs and requires this exit code and nothing on stdout.
    pub fn fails(self, code: i32) -> Out {
        let out = self.run();
        assert!(out.code == Some(code), "expected exit code {code}\n{}", out.report());
        out
    }
}

/// A command under way.
pub struct Running {
    child: Child,
    stdout: std::thread::JoinHandle<Vec<u8>>,
    stderr: std::thread::JoinHandle<Vec<u8>>,
    shown: String,
    log: PathBuf,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Until it ended and nobody holds its output any more.
    pub fn wait(mut self) -> Out {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > LIMIT {
                self.child.kill().unwrap();
                panic!("{} did not end within {LIMIT:?}", self.shown);
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Out {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.join().unwrap(),
            stderr: self.stderr.join().unwrap(),
            shown: self.shown,
            log: self.log,
        }
    }
}

pub struct Out {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    shown: String,
    log: PathBuf,
}

impl Out {
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("no JSON document: {e}\n{}", self.report()))
    }

    /// Requires this exit code.
    pub fn code_is(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit code {code}\n{}", self.report());
        self
    }

    /// Requires a text on stderr.
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr().contains(text), "stderr does not say {text:?}\n{}", self.report());
        self
    }

    pub fn report(&self) -> String {
        let mut text = format!("$ {}\n", self.shown);
        let _ = writeln!(text, "exit {:?} signal {:?}\n-- stdout\n{}\n-- stderr\n{}", self.code, self.signal, self.stdout(), self.stderr());
        let _ = writeln!(text, "-- daemon log\n{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        text
    }
}

/// Waits on a condition, with a deadline.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "{what} did not come about within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

fn collect(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
