//! Figures for monitoring, read by what reads them elsewhere: Prometheus itself, and OpenTelemetry's own types.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::web::{Web, read};
use crate::{
    support::{TestHome, Upstream, python, wait_until},
    usage,
};

/// With use of two days in an agent's log.
fn used(more: &str) -> Web {
    let home = TestHome::new();
    usage::two_days(&home);
    home.write(home.root().join("config.toml"), &format!("http.port = 0\nsecrets.backend = \"file\"\n{more}"));
    Web::of(home)
}

const MODEL: &str = "claude-opus-5-5";

#[test]
fn figures_are_for_holders_of_the_token_and_say_what_was_used() {
    let web = used("");
    assert_eq!(web.ask_with("GET", "/metrics", &[], None).status, 401);
    assert_eq!(web.ask("GET", "/api/v1/profiles/none", None).status, 404);
    let answer = web.ask("GET", "/metrics", None);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    let line = |start: &str| {
        text.lines()
            .find(|l| l.starts_with(start))
            .unwrap_or_else(|| panic!("no {start}\n{text}"))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    let of = |kind: &str| format!("clown_tokens_total{{agent=\"claude\",kind=\"{kind}\",model=\"{MODEL}\",profile=\"-\"}}");
    assert_eq!((line(&of("input")), line(&of("output"))), (1_500_000.0, 3000.0));
    assert!(line("clown_cost_usd{") > 0.0);
    assert_eq!(line("clown_requests_total{call=\"profiles.inspect\",outcome=\"not_found\"}"), 1.0);
    assert!(line("clown_resident_memory_bytes") > 1e6);
    assert_eq!((line("clown_sessions_live"), line("clown_sessions_total"), line("clown_defects_total")), (0.0, 0.0, 0.0));
    assert!(!text.contains(&web.token));
}

#[test]
fn a_proxys_times_are_among_the_figures() {
    let upstream = Upstream::start();
    let web = used("");
    web.home.write(web.home.root().join("providers.d/up.toml"), &upstream.manifest("up"));
    let made = json!({ "agent": "claude", "alias": "px", "provider": "up", "proxy": true, "key": { "from": "text", "key": "a-key-of-the-provider" } });
    let created = web.ask("POST", "/api/v1/profiles", Some(&made));
    assert_eq!(created.status, 200, "{}", created.text());
    let started = web.ask("POST", "/api/v1/proxies/px/start", Some(&json!({}))).json();
    let port = started["instance"]["port"].as_u64().unwrap_or_else(|| panic!("{started}")) as u16;
    let stored: Value = serde_json::from_slice(&std::fs::read(web.home.root().join("proxies/px.json")).unwrap()).unwrap();
    let master = stored["running"]["master"].as_str().unwrap();
    let body = r#"{"model":"test-model","max_tokens":8,"messages":[{"role":"user","content":"hi"}]}"#;
    for _ in 0..3 {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        write!(stream, "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nx-api-key: {master}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        assert!(all.starts_with("HTTP/1.1 200"), "{all}");
    }
    let text = web.ask("GET", "/metrics", None).text();
    assert!(text.contains("clown_proxy_up{profile=\"px\"} 1\n"), "{text}");
    assert!(text.contains("clown_proxy_request_seconds_count{outcome=\"ok\",profile=\"px\"} 3\n"), "{text}");
    assert!(text.contains("clown_proxy_request_seconds_bucket{outcome=\"ok\",profile=\"px\",le=\"+Inf\"} 3\n"), "{text}");
}

#[test]
fn prometheus_scrapes_the_figures_with_the_token_from_its_file() {
    let web = used("");
    let config = format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: clown\n    authorization:\n      credentials_file: {}\n    static_configs:\n      - targets: ['{}']\n",
        web.home.root().join("http-token").display(),
        web.host()
    );
    let config = web.home.write("w/prometheus.yml", &config);
    let mut server = Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", web.home.work().join("data").display()))
        .arg("--web.listen-address=127.0.0.1:0")
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("Debian's package prometheus: cargo xtask setup --tests");
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.find(|line| line.contains("Listening on")).expect("it listens");
    let port: u16 = said.split("127.0.0.1:").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    let drain = std::thread::spawn(move || lines.for_each(drop));
    let query = |what: &str| -> Value {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        write!(stream, "GET /api/v1/query?query={what} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n").unwrap();
        let answer = read(&mut stream).unwrap();
        if answer.status == 200 { answer.json() } else { Value::Null }
    };
    let mut seen = Value::Null;
    wait_until("Prometheus has our figures", || {
        seen = query("clown_tokens_total%7Bkind=%22input%22%7D");
        seen["data"]["result"][0]["value"][1].is_string()
    });
    let health = query("up%7Bjob=%22clown%22%7D");
    let _ = server.kill();
    let _ = server.wait();
    drain.join().unwrap();
    let found = &seen["data"]["result"][0];
    assert_eq!(
        (&found["value"][1], &found["metric"]["model"], &found["metric"]["agent"]),
        (&json!("1500000"), &json!(MODEL), &json!("claude"))
    );
    assert_eq!(health["data"]["result"][0]["value"][1], "1");
}

#[test]
fn a_collector_gets_the_figures_in_its_own_protocol() {
    let collector = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let web = used("otel.interval_seconds = 1\n");
    // Set while it runs: it takes effect at once.
    assert_eq!(web.ask("PUT", "/api/v1/config/otel.endpoint", Some(&json!({ "value": endpoint }))).status, 200);
    let body = export(&collector);
    let decoded = Command::new(python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/otlp.py"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut decoder = decoded.unwrap();
    decoder.stdin.take().unwrap().write_all(&body).unwrap();
    let out = decoder.wait_with_output().unwrap();
    assert!(out.status.success(), "{}\n{}", String::from_utf8_lossy(&out.stderr), String::from_utf8_lossy(&body));
    let metrics: Vec<Value> = String::from_utf8(out.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let of = |name: &str| metrics.iter().find(|m| m["name"] == name).unwrap_or_else(|| panic!("no {name}: {metrics:?}"));
    let tokens = of("clown_tokens_total");
    assert_eq!(
        (&tokens["service"], &tokens["kind"], &tokens["monotonic"], &tokens["temporality"]),
        (&json!("clown"), &json!("sum"), &json!(true), &json!(2))
    );
    let input = tokens["points"].as_array().unwrap().iter().find(|p| p["labels"]["kind"] == "input").unwrap();
    assert_eq!((&input["value"], &input["labels"]["model"]), (&json!(1_500_000.0), &json!(MODEL)));
    assert!(input["time"].as_u64() > input["start"].as_u64() && input["start"].as_u64() > Some(1_500_000_000_000_000_000));
    assert_eq!(of("clown_resident_memory_bytes")["kind"], "gauge");
    // The last figures are sent when the daemon ends.
    let web = std::thread::spawn(move || web.home.clown(&["daemon", "stop"]).ok());
    let last = export(&collector);
    assert!(String::from_utf8(last).unwrap().contains("resourceMetrics"));
    drop(collector);
    web.join().unwrap();
}

/// The body of one export, which is answered as a collector does.
fn export(collector: &TcpListener) -> Vec<u8> {
    let (stream, _) = collector.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_lowercase());
    }
    assert_eq!(head[0], "post /v1/metrics http/1.1");
    assert!(head.contains(&"content-type: application/json".to_owned()), "{head:?}");
    let length = head.iter().find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
    body
}
