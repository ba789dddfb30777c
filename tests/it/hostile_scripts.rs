//! Scripts that mean harm: each ends soon, in little memory, with an error, and touches nothing.
//!
//! `cargo xtask soak scripts` runs the same against an optimised program, where the limits of time are strict.

mod table;

use std::{collections::BTreeMap, process::Command};

use clown::scripting::example_context;
use serde::Deserialize;
use serde_json::json;

use crate::support::{TestHome, clown_program, is_optimised, python, rss_kib, snapshot};

/// Starts each child by itself and says what it took: seconds, KiB at most, what it wrote.
const MEASURE: &str = r#"
import json, os, subprocess, sys, time
program, questions = sys.argv[1], json.load(open(sys.argv[2]))
for name, question in questions:
    child = subprocess.Popen([program, "__script"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", env={})
    start = time.monotonic()
    # The answers fit into a pipe; a longer one would hang until the limit, and that would be seen.
    try:
        child.stdin.write(question.encode())
        child.stdin.close()
    except BrokenPipeError:
        pass
    out = child.stdout.read()
    err = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = 0
    print(json.dumps({"name": name, "seconds": time.monotonic() - start, "cpu": used.ru_utime + used.ru_stime, "kib": used.ru_maxrss,
                      "out": out.decode("utf-8", "replace"), "err": err.decode("utf-8", "replace")}))
"#;

#[derive(Debug, Deserialize)]
struct Measured {
    name: String,
    seconds: f64,
    cpu: f64,
    kib: u64,
    out: String,
    err: String,
}

#[test]
fn in_the_child_each_ends_soon_and_in_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let questions: Vec<(String, String)> = table::scripts()
        .into_iter()
        .map(|s| (s.name.to_owned(), json!({"source": s.source, "context": example_context()}).to_string()))
        .collect();
    assert!(questions.len() >= 40);
    let file = dir.path().join("questions.json");
    std::fs::write(&file, serde_json::to_vec(&questions).unwrap()).unwrap();
    let out = Command::new(python()).args(["-c", MEASURE]).arg(clown_program()).arg(&file).env_clear().output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let measured: Vec<Measured> = String::from_utf8(out.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(measured.len(), questions.len());
    for one in &measured {
        // On a busy machine, and without optimisation, the wall clock says little; its own time counts then.
        assert!(one.cpu <= 2.1 && (!is_optimised() || one.seconds <= 2.0), "{}: {} s, {} s of its own", one.name, one.seconds, one.cpu);
        assert!(one.kib <= 256 * 1024, "{}: {} KiB", one.name, one.kib);
        // What it says is one verdict; a child that was ended for its memory may complain on its own stderr, which the daemon keeps to itself.
        assert!(one.out.is_empty() || serde_json::from_str::<serde_json::Value>(&one.out).is_ok(), "{}: {}", one.name, one.out);
        assert!(!one.err.contains('\x1b') && !one.err.contains("MARK"), "{}: {}", one.name, one.err);
    }
    let slowest = measured.iter().max_by(|one, two| one.seconds.total_cmp(&two.seconds)).unwrap();
    let largest = measured.iter().max_by_key(|one| one.kib).unwrap();
    eprintln!(
        "{} scripts: at most {:.2} s ({}), {} MiB ({})",
        measured.len(),
        slowest.seconds,
        slowest.name,
        largest.kib / 1024,
        largest.name
    );
}

#[test]
fn through_the_daemon_each_is_refused_and_touches_nothing() {
    let home = TestHome::new();
    let mut daemon = home.clown(&["daemon", "--stay-alive"]).spawn();
    let mut said = std::io::BufReader::new(daemon.stderr.take().unwrap());
    let mut first = String::new();
    std::io::BufRead::read_line(&mut said, &mut first).unwrap();
    home.write("w/script.rhai", "#{ env: #{ A: \"b\" } }");
    let test = || home.clown(&["scripts", "test", "script.rhai", "--agent", "claude", "--provider", "offline"]);
    test().ok().says("");
    let log = home.root().join("logs");
    let before = || -> BTreeMap<_, _> { snapshot(&home.home(), &log) };
    let untouched = before();
    let rss = rss_kib(daemon.id());
    for script in table::scripts() {
        home.write("w/script.rhai", &script.source);
        let out = test().fails(1);
        let said = out.stderr();
        assert!(said.contains(script.says), "{}: it does not say {:?}\n{}", script.name, script.says, out.report());
        let hidden = |c: char| c.is_control() && c != '\n';
        assert!(!said.contains(hidden) && out.stdout().is_empty(), "{}\n{}", script.name, out.report());
    }
    let grown = rss_kib(daemon.id()).saturating_sub(rss);
    assert!(grown <= 5 * 1024, "the daemon has grown by {grown} KiB");
    assert_eq!(before(), untouched, "something was written");
    home.write("w/script.rhai", "#{ env: #{ A: \"b\" } }");
    test().ok();
    home.clown(&["daemon", "stop"]).ok();
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut said, &mut rest).unwrap();
    let mut stdout = Vec::new();
    std::io::Read::read_to_end(&mut daemon.stdout.take().unwrap(), &mut stdout).unwrap();
    daemon.wait().unwrap();
    assert_eq!((String::from_utf8_lossy(&stdout).as_ref(), String::from_utf8_lossy(&rest).as_ref()), ("", ""), "the daemon said something");
    let log = std::fs::read_to_string(home.log()).unwrap();
    assert!(!log.contains("MARK") && !log.contains(|c: char| c.is_control() && c != '\n'), "a script wrote to the log");
}
