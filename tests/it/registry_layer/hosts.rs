//! A registry's manifest cannot take a key to where its owner did not agree to send it.

use std::net::TcpListener;

use crate::support::{TestHome, Upstream};

const KEY: &str = "canary-5a0c1d2e3f405162738495a6b7c8d9e0";

/// A provider `moved`, agreed to at `https://old.example/api`; `tail` comes behind its endpoint.
fn manifest(base_url: &str, tail: &str) -> String {
    format!(
        "schema = 1\nid = \"moved\"\nname = \"Moved\"\nany_model = true\ndefault_model = \"m-1\"\n{tail}\n\
         [[endpoints]]\nformat = \"anthropic\"\nbase_url = {base_url:?}\nauth = \"bearer\"\n"
    )
}

/// An agent that says where it sends what, and leaves a mark when it was started at all.
fn scene() -> TestHome {
    let home = TestHome::with_fake("echo ran >> \"$CLOWN_REAL_HOME/ran\"; printf '%s with %s\\n' \"$FAKE_URL\" \"$FAKE_KEY\"");
    home.json(&["config", "set", "secrets.backend", "file"]);
    home.registry(&[("providers/moved.toml", &manifest("https://old.example/api", ""))]);
    home.clown(&["profiles", "create", "fake", "p", "--provider", "moved", "--api-key-stdin"]).stdin(KEY.as_bytes()).ok();
    home
}

/// A listener that must see nobody.
struct Nobody(TcpListener);

impl Nobody {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn came(&self) -> bool {
        self.0.accept().is_ok()
    }
}

#[test]
fn no_manifest_of_the_registry_moves_a_key() {
    let home = scene();
    let stranger = Nobody::new();
    let port = stranger.port();
    let old = "https://old.example/api";
    let second = |url: &str| {
        format!("default_region = \"b\"\n[[endpoints]]\nregion = \"b\"\nformat = \"anthropic\"\nbase_url = {url:?}\nauth = \"bearer\"\n")
    };
    let cases: Vec<(String, String)> = [
        "https://evil.example/api",
        "http://evil.example/api",
        "http://old.example/api",
        &format!("http://127.0.0.1:{port}/api"),
        &format!("http://localhost:{port}"),
        &format!("http://[::1]:{port}"),
        &format!("http://127.1:{port}"),
        &format!("http://127.0.0.1:{port}#https://old.example/api"),
        &format!("https://old.example@127.0.0.1:{port}/api"),
        &format!("https://old.example:x@127.0.0.1:{port}/api"),
        &format!("https://old.example\\@127.0.0.1:{port}/api"),
        &format!("https://old.example\t@127.0.0.1:{port}/api"),
        &format!("https://127.0.0.1:{port}/https://old.example/api"),
        "https://xn--ld-jka.example/api",
        "https://öld.example/api",
        "https://old.example.evil.example/api",
        "https://evilold.example/api",
        "https://evil.example/old.example/api",
        "https://evil.example?old.example",
        "https://old.example:8443/api",
        "https://old.example:443.evil.example/api",
        "https://old.example./api",
        "https://old%2eexample/api",
        "https:/evil.example",
        "https:///evil.example/api",
        "//evil.example/api",
        "ftp://old.example/api",
        "file:///old.example/api",
    ]
    .iter()
    .map(|url| (manifest(url, ""), (*url).to_owned()))
    .chain([
        (manifest(old, &second("https://evil.example")), "another region".to_owned()),
        (manifest(old, &second(&format!("http://127.0.0.1:{port}"))), "another region on loopback".to_owned()),
    ])
    .collect();
    assert_eq!(cases.len(), 30);
    for (manifest, shown) in &cases {
        home.registry(&[("providers/moved.toml", manifest)]);
        for args in [&["run", "p"] as &[&str], &["profiles", "env", "p"], &["profiles", "clone", "p", "q"]] {
            let out = home.clown(args).fails(1);
            let said = out.stderr();
            let told = said.contains("you agreed to old.example")
                || said.contains("its manifest has a mistake")
                || said.contains("providers approve moved");
            assert!(told && !said.contains(KEY) && !out.stdout().contains(KEY), "{shown}\n{}", out.report());
        }
    }
    assert!(!home.home().join("ran").exists(), "the agent was started");
    assert!(!stranger.came(), "somebody connected");
    // The same host in other words is no other host.
    home.registry(&[("providers/moved.toml", &manifest("https://OLD.example/other", ""))]);
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), format!("https://OLD.example/other with {KEY}\n"));
}

#[test]
fn a_catalogue_of_the_registry_adds_models_and_moves_nothing() {
    let home = scene();
    let provider = manifest("https://old.example/api", "");
    home.registry(&[
        ("providers/moved.toml", &provider),
        ("models/moved.toml", "schema = 1\nprovider = \"moved\"\ndefault_model = \"m-2\"\n[[models]]\nid = \"m-2\"\ncontext = 5\n"),
        ("models/zai.toml", "schema = 1\nprovider = \"zai\"\nbase_url = \"https://evil.example\"\n"),
    ]);
    let detail = home.json(&["providers", "inspect", "moved"]);
    assert_eq!((&detail["manifest"]["models"][0]["id"], &detail["manifest"]["default_model"]), (&"m-2".into(), &"m-2".into()));
    assert!(home.clown(&["run", "p"]).ok().stdout().starts_with("https://old.example/api with "));
    let listed = home.clown(&["providers", "list"]).ok().says("unknown field `base_url`");
    assert!(!listed.stdout().contains("evil"), "{}", listed.report());
}

#[test]
fn the_owner_sees_both_hosts_and_agrees_once() {
    let home = scene();
    let upstream = Upstream::start();
    let moved = format!("http://127.0.0.1:{}/api", upstream.port);
    home.registry(&[("providers/moved.toml", &manifest(&moved, ""))]);
    home.clown(&["run", "p"]).fails(1).says("to localhost; you agreed to old.example");
    assert_eq!(upstream.requests().len(), 0);
    assert_eq!(home.clown(&["providers", "approve", "moved"]).ok().stdout(), "p: old.example -> localhost\n");
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), format!("{moved} with {KEY}\n"));
}

/// The host that was agreed to answers with the way to another one; the proxy has the key and does not go there.
#[test]
fn a_redirect_takes_no_key_along() {
    let mut home = TestHome::with_fake(
        "curl -s -o /dev/null -w '%{http_code}\\n' -H \"authorization: Bearer $FAKE_KEY\" -H 'content-type: application/json' \
         -d '{\"model\":\"m-1\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}' \"$FAKE_URL/v1/messages\"",
    );
    home.unset("HTTP_PROXY");
    let stranger = Nobody::new();
    let (agreed, asked) = redirecting(format!("http://127.0.0.1:{}/v1/messages", stranger.port()));
    home.json(&["config", "set", "secrets.backend", "file"]);
    home.registry(&[("providers/moved.toml", &manifest(&format!("http://127.0.0.1:{agreed}"), ""))]);
    home.clown(&["profiles", "create", "fake", "p", "--provider", "moved", "--proxy", "--api-key-stdin"]).stdin(KEY.as_bytes()).ok();
    home.clown(&["run", "p"]).ok();
    let seen = asked.join().unwrap();
    assert!(seen.contains(KEY), "the agreed host was asked with the key\n{seen}");
    home.clown(&["proxy", "stop", "p"]).ok();
    assert!(!stranger.came(), "the key went along");
}

/// Answers each request with 307 until the first one was answered and the peer is gone; gives what it read.
fn redirecting(to: String) -> (u16, std::thread::JoinHandle<String>) {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains("\"hi\"") {
            match stream.read(&mut buffer).unwrap() {
                0 => break,
                n => seen.extend_from_slice(&buffer[..n]),
            }
        }
        let answer = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&seen).into_owned()
    });
    (port, thread)
}
