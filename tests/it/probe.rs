//! `clown providers probe` and `clown quota`, over providers of our own.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use crate::support::{TestHome, contains};

const KEY: &str = "sk-probe-0123456789abcdef";

/// A provider that says the same to every question for a path.
struct Shop {
    port: u16,
    /// First line and headers of each question.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    /// Path, status, headers of their own lines, body.
    fn open(answers: &[(&str, u16, &str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&asked);
        let answers: Vec<(String, u16, String, String)> =
            answers.iter().map(|(path, status, more, body)| ((*path).into(), *status, (*more).into(), (*body).into())).collect();
        std::thread::spawn(move || {
            // Until the test's process ends.
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
                let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
                log.lock().unwrap().push(head);
                let found = answers.iter().find(|(p, ..)| *p == path);
                let (status, more, body) = found.map_or((404, "", ""), |(_, s, m, b)| (*s, m.as_str(), b.as_str()));
                let mut stream = stream;
                let _ = write!(stream, "HTTP/1.1 {status} X\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().drain(..).collect()
    }
}

fn manifest(base: &str, more: &str) -> String {
    format!(
        "schema = 1\nid = \"shop\"\nname = \"Shop\"\nany_model = true\ndefault_model = \"m\"\nkey_url = \"https://shop.example/keys\"\n\
         [[endpoints]]\nformat = \"anthropic\"\nbase_url = \"{base}\"\nauth = \"x-api-key\"\n{more}"
    )
}

fn home(base: &str, more: &str) -> TestHome {
    let home = TestHome::with_fake("true");
    home.write(home.root().join("providers.d/shop.toml"), &manifest(base, more));
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    home
}

fn profile(home: &TestHome, alias: &str) {
    home.clown(&["profiles", "create", "fake", alias, "--provider", "shop", "--api-key-stdin"]).stdin(KEY.as_bytes()).ok();
}

const MODELS: &str = r#"{"data":[{"id":"m-2"},{"id":"m-1"}]}"#;

#[test]
fn a_good_key_lists_its_models() {
    let shop = Shop::open(&[("/v1/models", 200, "", MODELS)]);
    let home = home(&format!("http://127.0.0.1:{}", shop.port), "");
    profile(&home, "p");
    let out = home.clown(&["providers", "probe", "shop", "--profile", "p"]).ok();
    assert_eq!(out.stdout(), "m-1\nm-2\n");
    assert!(out.stderr().contains("the key is good: 2 models") && out.stderr().contains(" ms)"), "{}", out.report());
    let asked = shop.asked().concat().to_lowercase();
    assert!(asked.contains(&format!("x-api-key: {KEY}")) && asked.contains("anthropic-version: "), "{asked}");
    // Kept elsewhere, or given for this once.
    home.clown(&["profiles", "create", "fake", "ref", "--provider", "shop", "--key-ref", "env:SHOP_KEY"]).ok();
    home.clown(&["providers", "probe", "shop", "--profile", "ref"]).fails(1).says("SHOP_KEY is not set");
    home.clown(&["providers", "probe", "shop", "--profile", "ref"]).env("SHOP_KEY", "sk-from-a-variable").ok();
    assert!(shop.asked().concat().contains("sk-from-a-variable"));
    home.clown(&["providers", "probe", "shop", "--api-key-stdin"]).stdin(b"sk-given-once\n").ok();
    assert!(shop.asked().concat().contains("sk-given-once"));
    assert!(home.files_with(&home.home(), b"sk-given-once").is_empty());
    let told = home.json(&["providers", "probe", "shop", "--profile", "p"]);
    assert_eq!((&told["outcome"], &told["status"]), (&"ok".into(), &200.into()), "{told}");
}

#[test]
fn each_way_to_fail_is_told_with_the_next_step() {
    for (status, more, body, outcome, says) in [
        (401, "", "{}", "key-refused", "refuses the key"),
        (403, "", "{}", "key-refused", "https://shop.example/keys"),
        (400, "", r#"{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}"#, "key-refused", "refuses the key"),
        (402, "", "{}", "nothing-left", "nothing is left"),
        (404, "", "{}", "wrong-url", "has nothing at this address"),
        (302, "location: http://127.0.0.1:9/\r\n", "", "wrong-url", "leads elsewhere"),
        (200, "", "<html>hello</html>", "wrong-url", "another service"),
        (429, "", "{}", "asked-too-often", "wait a minute"),
        (503, "", "", "provider-trouble", "trouble of its own"),
        (418, "", "", "failed", "status 418"),
    ] {
        let shop = Shop::open(&[("/v1/models", status, more, body)]);
        let home = home(&format!("http://127.0.0.1:{}", shop.port), "");
        profile(&home, "p");
        let out = home.clown(&["providers", "probe", "shop", "--profile", "p"]).fails(1);
        let said = out.stderr();
        assert!(said.contains(says) && said.matches("hint: ").count() == 1, "{status}: {said}");
        let told = home.clown(&["providers", "probe", "shop", "--profile", "p", "--json"]).fails(1).json();
        assert_eq!(told["outcome"], outcome, "{told}");
        assert!(!contains(&std::fs::read(home.log()).unwrap(), KEY.as_bytes()));
        assert_eq!(shop.asked().len(), 2, "once for each probe, and nowhere else");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_from_one_that_is_not_trusted() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    // Signed by nobody.
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let secure = crate::registry::server::FileServer::https(dir.path().to_owned(), config);
    for (base, outcomes) in [
        (format!("http://127.0.0.1:{closed}"), &["no-connection"][..]),
        (secure.url(), &["tls"]),
        ("https://no-such-host.invalid".to_owned(), &["no-such-name", "no-route"]),
    ] {
        let home = home(&base, "");
        profile(&home, "p");
        let told = home.clown(&["providers", "probe", "shop", "--profile", "p", "--json"]).fails(1).json();
        assert!(outcomes.contains(&told["outcome"].as_str().unwrap()), "{base}: {told}");
        assert!(told["fix"].as_str().unwrap().len() > 10);
    }
}

#[test]
fn a_key_goes_only_where_its_owner_agreed_and_an_open_list_proves_nothing() {
    let (shop, other) =
        (Shop::open(&[("/v1/models", 200, "", MODELS), ("/own", 401, "", "{}")]), Shop::open(&[("/v1/models", 200, "", MODELS)]));
    let home = home(&format!("http://127.0.0.1:{}", shop.port), "[probe]\ncheck = \"/own\"\n");
    profile(&home, "p");
    home.clown(&["providers", "probe", "shop", "--profile", "p"]).fails(1).says("refuses the key");
    // Without a key there is nothing to check, and the list is open.
    home.clown(&["providers", "probe", "shop"]).ok().says("it answers: 2 models");
    shop.asked();
    home.write(home.root().join("providers.d/shop.toml"), &manifest("https://elsewhere.example", ""));
    home.clown(&["providers", "probe", "shop", "--profile", "p"]).fails(1).says("you agreed to localhost");
    assert!(shop.asked().is_empty() && other.asked().is_empty());
    home.clown(&["providers", "probe", "offline"]).fails(1).says("takes no key");
    home.clown(&["providers", "probe", "self"]).fails(1).says("own login");
    home.clown(&["providers", "probe", "shop", "--endpoint", "http://elsewhere.example"]).fails(1).says("unencrypted");
    home.clown(&["providers", "probe", "shop", "--endpoint", "mars"]).fails(1);
    let url = format!("http://127.0.0.1:{}", other.port);
    home.clown(&["providers", "probe", "shop", "--endpoint", &url, "--api-key-stdin"]).stdin(b"sk-given-once").ok();
    assert!(other.asked()[0].contains("sk-given-once"));
}

#[test]
fn what_is_left_is_shown_and_what_nobody_knows_is_said() {
    let balance = "[[balance]]\npath = \"/user/balance\"\nbare_key = true\n[[balance.figures]]\neach = \"/infos\"\nname = \"balance\"\n\
                   left = \"/total\"\nunit_at = \"/currency\"\n";
    let body = r#"{"infos":[{"currency":"USD","total":"12.5"},{"currency":"CNY","total":3}]}"#;
    let shop = Shop::open(&[("/user/balance", 200, "", body)]);
    let home = home(&format!("http://127.0.0.1:{}", shop.port), balance);
    profile(&home, "one");
    home.clown(&["profiles", "clone", "one", "two"]).ok();
    home.clown(&["profiles", "create", "fake", "free", "--provider", "offline"]).ok();
    let told = home.json(&["quota"]);
    let rows = told["profiles"].as_array().unwrap();
    let of = |alias: &str| rows.iter().find(|r| r["alias"] == alias).unwrap();
    for alias in ["one", "two"] {
        assert_eq!(of(alias)["figures"][0]["left"], 12.5, "{told}");
        assert_eq!(of(alias)["figures"][1]["unit"], "CNY");
    }
    assert!(of("free")["figures"].is_null() && of("free")["outcome"] == "unknown", "{told}");
    let asked = shop.asked();
    assert_eq!(asked.len(), 1, "profiles that share a key have one answer");
    assert!(asked[0].to_lowercase().contains(&format!("authorization: {KEY}\r\n")), "{asked:?}");
    let shown = home.clown(&["quota"]).ok().stdout();
    assert!(shown.contains("12.50 USD") && shown.contains("unknown"), "{shown}");
    home.write(home.root().join("providers.d/shop.toml"), &manifest(&format!("http://127.0.0.1:{}", shop.port), ""));
    assert!(home.clown(&["quota", "one"]).ok().stdout().contains("nothing is known of how Shop tells what is left"));
    let refuses = Shop::open(&[("/user/balance", 401, "", "{}")]);
    home.write(home.root().join("providers.d/shop.toml"), &manifest(&format!("http://127.0.0.1:{}", refuses.port), balance));
    home.clown(&["quota", "one"]).fails(1).says("refuses the key").says("clown providers probe shop --profile one");
    home.clown(&["profiles", "create", "fake", "ref", "--provider", "shop", "--key-ref", "env:SHOP_KEY"]).ok();
    home.clown(&["quota", "ref"]).env("SHOP_KEY", "sk-from-a-variable").fails(1);
    assert!(refuses.asked().concat().contains("sk-from-a-variable"));
}

#[test]
fn a_first_profile_is_made_with_its_key_checked() {
    let base = Shop::open(&[("/v1/models", 200, "", MODELS), ("/no/v1/models", 401, "", "{}")]);
    let good = home(&format!("http://127.0.0.1:{}", base.port), "");
    let init = ["init", "--agent", "fake", "--provider", "shop", "--api-key-stdin", "--no-shim", "--alias"];
    let made = good.clown(&[&init[..], &["first", "--check"]].concat()).stdin(KEY.as_bytes()).ok();
    assert!(made.stderr().contains("the key is good: 2 models") && made.stderr().contains("Run it: clown run first"), "{}", made.report());
    assert!(base.asked().iter().all(|head| head.contains(KEY)));
    good.clown(&[&init[..], &["unasked"]].concat()).stdin(KEY.as_bytes()).ok();
    assert!(base.asked().is_empty(), "nobody asked for that");
    let made = good.clown(&[&init[..], &["third", "--check", "--json"]].concat()).stdin(KEY.as_bytes()).ok().json();
    assert_eq!((&made["checked"]["outcome"], &made["checked"]["models"][0]), (&"ok".into(), &"m-1".into()));

    let bad = home(&format!("http://127.0.0.1:{}/no", base.port), "");
    let refused = bad.clown(&[&init[..], &["first", "--check"]].concat()).stdin(KEY.as_bytes()).fails(1);
    refused.says("refuses the key").says("clown profiles edit first --api-key-stdin").says("Run it: clown run first");
    assert_eq!(bad.json(&["profiles", "list"])["profiles"][0]["alias"], "first");
    // Make another, of these; not with the first one's key; and ask.
    let typed = format!("yes\nfake\nshop\nsecond\nno\n{KEY}\nyes\n");
    let Some(shown) = good.on_terminal("init --no-shim", &typed, &[]) else { return };
    assert!(shown.contains("Ask shop whether it takes the key?") && shown.contains("the key is good"), "{shown}");
}
