//! The official SDKs, strict where they can be, against our own upstream and through the engine.
//!
//! What they saw must be what the script says, in every combination of formats, streamed and whole.

/// One test for each client, calling the function of that name.
macro_rules! for_each_client {
    ($check:ident) => {
        #[test]
        fn anthropic() {
            $check(Format::Anthropic);
        }

        #[test]
        fn chat() {
            $check(Format::Chat);
        }

        #[test]
        fn responses() {
            $check(Format::Responses);
        }

        #[test]
        fn gemini() {
            $check(Format::Gemini);
        }
    };
}

mod odd;
mod own;
mod through;

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{
    Cast, Format, engine,
    engine::{CLIENT_KEY, Engine},
    expect, script,
};
use crate::support::python;

/// One red pixel.
pub const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==";

#[derive(Clone)]
struct Case {
    id: String,
    upstream: Format,
    /// `SCENARIO[.MANNER]`
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

fn cases(upstreams: &[Format], names: &[&'static str], modes: &[bool], model: impl Fn(Format, &str) -> String) -> Vec<Case> {
    let mut all = Vec::new();
    for &upstream in upstreams {
        for &name in names {
            for &streamed in modes {
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

/// Every case of this client, against what it must tell; all differences at once.
fn compare(client: Format, url: &str, key: &str, cases: &[Case], want: impl Fn(&Case) -> Value) {
    let asked: Vec<Value> = cases.iter().map(|c| json!({"id": c.id, "model": c.model, "stream": c.streamed, "ask": ask(c.name)})).collect();
    let told = run(client, url, key, &asked);
    let mut wrong = Vec::new();
    for (case, mut told) in cases.iter().zip(told) {
        assert_eq!(told["id"], case.id);
        told.as_object_mut().unwrap().remove("id");
        let want = want(case);
        // Of an error, the words that matter.
        if let Some(says) = want["says"].as_str().filter(|says| told["says"].as_str().is_some_and(|t| t.contains(says))) {
            told["says"] = says.into();
        }
        if told != want {
            let shown = told["broken"].as_str().map_or_else(|| told.to_string(), str::to_owned);
            wrong.push(format!("{} client, {}\n  want {want}\n  told {shown}", client.word(), case.id));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What the script says, as this client hears it.
fn scripted(client: Format) -> impl Fn(&Case) -> Value {
    move |case| {
        let scenario = case.name.split('.').next().unwrap();
        expect::reply(&script::script(scenario).unwrap(), client, case.upstream, case.streamed)
    }
}
