//! An agent that asks once and writes down what it used, and a provider that answers it.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::base::{
    error::{Error, Result},
    fsx,
};

/// Hidden subcommand of the agent.
pub const CHILD_COMMAND: &str = "__self-test-agent";

const MESSAGE: &str = "msg_self_test";
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest body or answer that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

pub(super) struct Upstream {
    port: u16,
    asked: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Upstream {
    pub(super) fn start() -> Result<Self> {
        let failed = |e: io::Error| Error::io("no server can be opened on this machine's own address").cause(e);
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let (asked, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (count, end) = (Arc::clone(&asked), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(io::Result::ok) {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let count = Arc::clone(&count);
                std::thread::spawn(move || answer(stream, &count));
            }
        });
        Ok(Self { port, asked, stop })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees the end.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn answer(stream: TcpStream, count: &AtomicU64) -> Option<()> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (first, length) = head(&mut reader)?;
    io::copy(&mut reader.by_ref().take(length), &mut io::sink()).ok()?;
    let body = if first.starts_with("POST ") {
        count.fetch_add(1, Ordering::SeqCst);
        message(&json!([{ "type": "text", "text": "ok" }])).to_string()
    } else {
        "{}".to_owned()
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_self_test\r\nconnection: close";
    let mut stream = stream;
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).ok()
}

/// A reply of the Messages format.
fn message(content: &Value) -> Value {
    json!({
        "id": MESSAGE, "type": "message", "role": "assistant", "model": "self-test", "content": content, "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": { "input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0 },
    })
}

/// The first line, and how long the body is.
fn head(reader: &mut impl BufRead) -> Option<(String, u64)> {
    let (mut first, mut length) = (String::new(), 0);
    let mut reader = reader.take(LONGEST);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Some((first, length)) };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok().filter(|n| *n <= LONGEST)?;
        }
    }
}

/// The agent's whole life. Its exit code.
pub fn child() -> i32 {
    match ask() {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            1
        }
    }
}

fn ask() -> io::Result<()> {
    let var = |name: &str| std::env::var(name).map_err(|_| io::Error::other(format!("{name} is not set")));
    let (url, key, dir) = (var("SELF_TEST_URL")?, var("SELF_TEST_KEY")?, var("CLAUDE_CONFIG_DIR")?);
    let host = url.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or(rest)).unwrap_or_default();
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = r#"{"model":"self-test","max_tokens":8,"messages":[{"role":"user","content":"ok?"}]}"#;
    write!(
        stream,
        "POST /v1/messages HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nanthropic-version: 2023-06-01\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 200") || !answer.contains(MESSAGE) {
        return Err(io::Error::other(format!("the proxy answered: {}", answer.lines().next().unwrap_or("nothing"))));
    }
    // As Claude Code writes down what it used.
    let session = uuid::Uuid::new_v4().to_string();
    let log = PathBuf::from(dir).join("projects").join("-self-test");
    let line = json!({
        "type": "assistant", "sessionId": session, "cwd": "/", "timestamp": now(), "uuid": session, "version": "2.1.330",
        "isSidechain": false, "requestId": "req_self_test", "message": message(&json!([])),
    });
    let file = log.join(format!("{session}.jsonl"));
    fsx::write_atomic(&file, format!("{line}\n").as_bytes(), fsx::Mode::Private).map_err(io::Error::other)
}

fn now() -> String {
    jiff::Timestamp::try_from(std::time::SystemTime::now()).map(|t| t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default()
}
