//! The official SDKs, strict where they can be, against our own upstream and through the engine.
//!
//! What they saw must be what the script says, in every combination of formats, streamed and whole.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{
    Cast, Format, engine,
    engine::{CLIENT_KEY, Engine},
    expect, script,
};

/// One red pixel.
pub const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==";

/// The Python that `cargo xtask setup --tests` prepares. Its absence is a failure: these tests never pass by not running.
fn python() -> PathBuf {
    let named = std::env::var_os("CLOWN_TEST_SDK").map(PathBuf::from);
    let dir = named.unwrap_or_else(|| Path::new(env!("CARGO_BIN_EXE_clown")).ancestors().nth(2).unwrap().join("sdk"));
    let python = dir.join("venv/bin/python");
    assert!(python.exists(), "no SDKs in {}: run `cargo xtask setup --tests` first", dir.display());
    python
}

struct Case {
    id: String,
    upstream: Format,
    name: &'static str,
    streamed: bool,
    model: String,
}

fn ask(name: &str) -> &'static str {
    match name {
        "image" => "image",
        "think-tool" => "think",
        _ => "plain",
    }
}

fn cases(upstreams: &[Format], model: impl Fn(Format, &str) -> String) -> Vec<Case> {
    let mut all = Vec::new();
    for &upstream in upstreams {
        for name in script::NAMES {
            for streamed in [true, false] {
                let id = format!("{} {name} {}", upstream.word(), if streamed { "stream" } else { "whole" });
                all.push(Case { id, upstream, name, streamed, model: model(upstream, name) });
            }
        }
    }
    all
}

/// What the SDK of this format said to each case, in their order.
fn run(client: Format, url: &str, key: &str, cases: &[Value]) -> Vec<Value> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk");
    let mut child = Command::new(python())
        .arg(dir.join("matrix.py"))
        .arg(client.word())
        .env_clear()
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let work = json!({"url": url, "key": key, "image": PIXEL, "cases": cases});
    child.stdin.take().unwrap().write_all(work.to_string().as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{client:?}: {stderr}");
    let lines: Vec<Value> = String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), cases.len(), "{client:?}: {stderr}");
    lines
}

/// Every case of this client, against the table; all differences at once.
fn compare(client: Format, url: &str, key: &str, cases: &[Case]) {
    let asked: Vec<Value> = cases.iter().map(|c| json!({"id": c.id, "model": c.model, "stream": c.streamed, "ask": ask(c.name)})).collect();
    let told = run(client, url, key, &asked);
    let mut wrong = Vec::new();
    for (case, mut told) in cases.iter().zip(told) {
        assert_eq!(told["id"], case.id);
        told.as_object_mut().unwrap().remove("id");
        let want = expect::reply(&script::script(case.name).unwrap(), client, case.upstream, case.streamed);
        if told != want {
            let shown = told["broken"].as_str().map_or_else(|| told.to_string(), str::to_owned);
            wrong.push(format!("{} client, {}\n  want {want}\n  told {shown}", client.word(), case.id));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

mod through {
    //! Through the engine: every client with every upstream.

    use super::*;
    use crate::{proxy::shape, support::Recorded};

    /// The scenarios, and the reply to the second turn.
    fn engine(cast: &Cast) -> Engine {
        Engine::start(cast, &script::NAMES)
    }

    fn check(client: Format) {
        let cast = Cast::start();
        let engine = engine(&cast);
        let cases = cases(&Format::ALL, engine::model);
        compare(client, &engine.url, CLIENT_KEY, &cases);
        let requests = cast.requests();
        assert_eq!(requests.len(), cases.len(), "one request for each, and nothing else");
        for (case, request) in cases.iter().zip(&requests) {
            shape::credential(case.upstream, request);
            let body = body(case.upstream, request);
            shape::question(case.upstream, &body);
            shape::tools(case.upstream, &body);
            if case.name == "image" {
                shape::picture(case.upstream, &body);
            }
        }
        again(client, &cast, &engine);
    }

    fn body(upstream: Format, request: &Recorded) -> Value {
        let path = match upstream {
            Format::Anthropic => "/v1/messages",
            Format::Chat => "/v1/chat/completions",
            Format::Responses => "/v1/responses",
            Format::Gemini => "/v1beta/models/",
        };
        assert!(request.path.starts_with(path), "{upstream:?}: {}", request.path);
        serde_json::from_slice(&request.body).unwrap()
    }

    /// Thought, call and result go back to the vendor they came from.
    fn again(client: Format, cast: &Cast, engine: &Engine) {
        let mut turns = Vec::new();
        for upstream in Format::ALL {
            for streamed in [true, false] {
                let [first, then] = ["think-tool", "text"].map(|name| engine::model(upstream, name));
                turns.push((upstream, json!({"id": upstream.word(), "model": first, "then": then, "stream": streamed, "ask": "again"})));
            }
        }
        let cases: Vec<Value> = turns.iter().map(|(_, case)| case.clone()).collect();
        for (told, (upstream, case)) in run(client, &engine.url, CLIENT_KEY, &cases).iter().zip(&turns) {
            let shown = told["broken"].as_str().unwrap_or_default();
            assert_eq!(told["text"], script::script("text").unwrap().text(), "{client:?} client, {case}: {told}\n{shown}");
            assert_eq!(told["id"], upstream.word());
        }
        let requests = cast.requests();
        assert_eq!(requests.len(), 2 * turns.len());
        for ((upstream, _), pair) in turns.iter().zip(requests.chunks(2)) {
            shape::history(client, *upstream, &body(*upstream, &pair[1]));
        }
    }

    #[test]
    fn anthropic() {
        check(Format::Anthropic);
    }

    #[test]
    fn chat() {
        check(Format::Chat);
    }

    #[test]
    fn responses() {
        check(Format::Responses);
    }

    #[test]
    fn gemini() {
        check(Format::Gemini);
    }
}

mod own {
    //! The SDKs accept our own upstream: what the matrix finds is the engine's.

    use super::*;

    fn check(format: Format) {
        let cast = Cast::start();
        let base = format!("http://127.0.0.1:{}", cast.port);
        compare(format, &base, CLIENT_KEY, &cases(&[format], |_, name| name.to_owned()));
    }

    #[test]
    fn anthropic() {
        check(Format::Anthropic);
    }

    #[test]
    fn chat() {
        check(Format::Chat);
    }

    #[test]
    fn responses() {
        check(Format::Responses);
    }

    #[test]
    fn gemini() {
        check(Format::Gemini);
    }
}
