//! Every address against every way in that must be shut. An address without an example fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use clown::http::ROUTES;

use super::{
    examples,
    web::{Answer, Web, read},
};

/// A request, line by line, that would be served as it is.
#[derive(Clone)]
struct Good {
    method: String,
    path: String,
    headers: Vec<(&'static str, String)>,
    /// Announced, and never sent: whoever refuses does so before it is read.
    body: bool,
}

impl Good {
    fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        if self.body {
            head += "content-length: 512\r\n";
        }
        (head + "\r\n").into_bytes()
    }

    fn without(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(n, _)| *n != name);
        other
    }

    fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut other = self.clone();
        other.headers.push((name, value.into()));
        other
    }

    fn instead(&self, name: &'static str, value: impl Into<String>) -> Self {
        self.without(name).with(name, value)
    }
}

/// Every address that needs a token.
fn closed(web: &Web) -> Vec<Good> {
    let examples: BTreeMap<&str, serde_json::Value> = examples::all(web).into_iter().collect();
    let mut all: Vec<(String, String, bool)> = ROUTES
        .iter()
        .map(|route| {
            let example = examples.get(route.call).unwrap_or_else(|| panic!("{} is not in the matrix", route.call));
            (route.method.to_string(), examples::request(route, example).0, route.has_body())
        })
        .collect();
    for (method, path) in
        [("GET", "/metrics"), ("GET", "/api/v1/events"), ("GET", "/api/v1/openapi.json"), ("POST", "/api/v1/logout"), ("GET", "/ws")]
    {
        all.push((method.into(), path.into(), method == "POST"));
    }
    let good = |(method, path, body): (String, String, bool)| {
        let mut headers = vec![("host", web.host()), ("authorization", web.bearer())];
        if body {
            headers.push(("content-type", "application/json".into()));
        }
        if path == "/ws" {
            headers.extend([("upgrade", "websocket".into()), ("connection", "Upgrade".into())]);
            headers.extend([("sec-websocket-version", "13".into()), ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==".into())]);
        }
        Good { method, path, headers, body }
    };
    all.into_iter().map(good).collect()
}

fn hosts(web: &Web) -> Vec<String> {
    let port = web.port;
    let names = ["evil.com", "127.0.0.1.evil.com", "0.0.0.0", "127.1", "[::ffff:127.0.0.1]", "127.0.0.1@evil.com", "localhost."];
    let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
    hosts.extend(["evil.com".into(), String::new(), "localhost".into(), format!("localhost:{}", port ^ 1), format!("127.0.0.1:0{port}")]);
    hosts
}

/// With what the answer must be.
fn hostile(web: &Web, good: &Good, cookie: &str) -> Vec<(Good, u16)> {
    let host = web.host();
    let mut cases: Vec<(Good, u16)> = Vec::new();
    for bad in hosts(web) {
        cases.push((good.instead("host", bad.as_str()), 421));
        cases.push((good.instead("host", bad.as_str()).without("authorization"), 421));
        cases.push((
            good.instead("host", bad.as_str()).with("x-forwarded-host", host.as_str()).with("forwarded", format!("host={host}")),
            421,
        ));
        cases.push((
            good.instead("host", bad.as_str()).instead("authorization", "").with("cookie", cookie).with("origin", format!("http://{bad}")),
            421,
        ));
    }
    cases.push((good.with("host", host.as_str()), 421));
    let absolute = Good { path: format!("http://evil.com{}", good.path), ..good.clone() };
    cases.push((absolute, 421));
    let token = &web.token;
    let tokens = [
        String::new(),
        "Bearer".into(),
        "Bearer wrong".into(),
        format!("Bearer {}", &token[..63]),
        format!("Bearer  {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {token} x"),
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {}", "0".repeat(64)),
    ];
    for wrong in tokens {
        cases.push((good.instead("authorization", wrong), 401));
    }
    cases.push((good.without("authorization"), 401));
    cases.push((good.with("authorization", web.bearer()), 401));
    cases.push((good.with("authorization", "Bearer wrong"), 401));
    let sign = if good.path.contains('?') { '&' } else { '?' };
    cases.push((Good { path: format!("{}{sign}token={token}&access_token={token}", good.path), ..good.without("authorization") }, 401));
    let (name, value) = cookie.split_once('=').unwrap();
    let own = format!("http://{host}");
    for wrong in [format!("other={value}"), format!("{name}="), format!("{name}={}", &value[1..]), format!("{cookie}; {cookie}")] {
        cases.push((good.without("authorization").with("cookie", wrong).with("origin", own.as_str()), 401));
    }
    let port = web.port;
    let origins = [
        "http://evil.com".into(),
        "null".into(),
        "https://localhost.evil.com".into(),
        "http://localhost".into(),
        "file://".into(),
        "chrome-extension://x".into(),
        String::new(),
        format!("http://localhost:{port}"),
        format!("https://{host}"),
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("http://{host}.evil.com"),
        format!("http://{host}/"),
    ];
    for origin in origins {
        cases.push((good.with("origin", origin.as_str()), 403));
        cases.push((good.without("authorization").with("cookie", cookie).with("origin", origin.as_str()), 403));
        cases.push((good.without("authorization").with("origin", origin.as_str()), 403));
    }
    cases.push((good.with("origin", own.as_str()).with("origin", own.as_str()), 403));
    for site in ["cross-site", "same-site", "", "none, cross-site", "Same-Origin"] {
        cases.push((good.with("sec-fetch-site", site), 403));
        cases.push((good.without("authorization").with("cookie", cookie).with("origin", own.as_str()).with("sec-fetch-site", site), 403));
    }
    // A cookie alone proves no page of ours.
    cases.push((good.without("authorization").with("cookie", cookie), 403));
    cases.push((good.without("authorization").with("cookie", cookie).with("sec-fetch-site", "none"), 403));
    if good.method != "GET" || good.path == "/ws" {
        cases.push((good.without("authorization").with("cookie", cookie).with("sec-fetch-site", "same-origin"), 403));
    }
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        cases.push((good.with(name, "DELETE"), 400));
    }
    if good.body {
        let types = [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=latin1",
            "application/jsonp",
            "",
        ];
        for kind in types {
            cases.push((good.instead("content-type", kind), 415));
        }
        cases.push((good.without("content-type"), 415));
        cases.push((good.with("content-type", "application/json"), 415));
        cases.push((good.with("content-encoding", "gzip"), 415));
    } else {
        cases.push((Good { body: true, ..good.clone() }, 400));
    }
    if good.path != "/ws" {
        cases.push((
            good.with("connection", "Upgrade, HTTP2-Settings").with("upgrade", "h2c").with("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"),
            400,
        ));
        for method in ["TRACE", "OPTIONS", "HEAD"] {
            cases.push((Good { method: method.into(), body: false, ..good.clone() }, 405));
        }
    }
    cases
}

#[test]
fn every_hostile_request_to_every_address_is_refused_and_leaves_no_trace() {
    let web = Web::new();
    let cookie = web.cookie();
    let (before, events) = (web.home.tree(), web.home.events().len());
    let goods = closed(&web);
    let cases: Vec<(Good, u16)> = goods.iter().flat_map(|good| hostile(&web, good, &cookie)).collect();
    assert!(cases.len() >= 5000, "{} cases", cases.len());
    let bodies: BTreeSet<(u16, String)> = std::thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(4));
        let tasks: Vec<_> =
            parts.map(|part| scope.spawn(|| part.iter().map(|case| refused(&web, case)).collect::<BTreeSet<_>>())).collect();
        tasks.into_iter().flat_map(|task| task.join().unwrap()).collect()
    });
    for status in [401, 403, 405, 421] {
        assert_eq!(bodies.iter().filter(|(s, body)| *s == status && !body.is_empty()).count(), 1, "one body for {status}: {bodies:?}");
    }
    assert_eq!(before.changes(&web.home.tree()), "");
    assert_eq!(web.home.events().len(), events);
}

fn refused(web: &Web, (case, status): &(Good, u16)) -> (u16, String) {
    let answer = web.raw(&case.head());
    let shown = || format!("{}\n{} {}", String::from_utf8_lossy(&case.head()).replace(&web.token, "TOKEN"), answer.status, answer.text());
    assert_eq!(answer.status, *status, "{}", shown());
    hardened(&answer);
    if case.method != "HEAD" {
        assert!(answer.json()["error"]["code"].is_string(), "{}", shown());
    }
    (answer.status, if case.method == "HEAD" { String::new() } else { answer.text() })
}

/// On every answer, whoever asked.
fn hardened(answer: &Answer) {
    assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control-")), "{:?}", answer.headers);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
}

#[test]
fn a_good_request_to_every_address_passes_by_token_and_by_cookie() {
    let web = Web::new();
    let cookie = web.cookie();
    let own = format!("http://{}", web.host());
    for good in closed(&web).into_iter().filter(|good| !good.path.contains("daemon/stop") && !good.path.contains("logout")) {
        let pages = [
            good.clone(),
            good.without("authorization")
                .with("cookie", cookie.as_str())
                .with("origin", own.as_str())
                .with("sec-fetch-site", "same-origin"),
        ];
        for page in pages {
            let mut head = page.head();
            // Nothing of the call's own: it may say so, but it is asked.
            head.extend(" ".repeat(510).bytes().chain(*b"{}"));
            let answer = web.raw(&head);
            assert!(
                !matches!(answer.status, 401 | 405 | 413 | 415 | 421),
                "{} {}: {} {}",
                page.method,
                page.path,
                answer.status,
                answer.text()
            );
            assert!(
                answer.status != 403 || answer.json()["error"]["message"] != "requests of other pages are refused",
                "{} {}",
                page.method,
                page.path
            );
            hardened(&answer);
            if !matches!(page.path.as_str(), "/ws" | "/api/v1/events") && answer.header("content-type") == Some("application/json") {
                assert_eq!(answer.header("cache-control"), Some("no-store"));
            }
        }
    }
}

#[test]
fn open_addresses_refuse_foreign_hosts_and_pages_and_tell_no_secret() {
    let web = Web::new();
    for path in ["/", "/healthz"] {
        let good = Good { method: "GET".into(), path: path.into(), headers: vec![("host", web.host())], body: false };
        let answer = web.raw(&good.head());
        assert_eq!(answer.status, 200);
        hardened(&answer);
        assert!(!answer.text().contains(&web.token) && !answer.text().contains(web.home.root().to_str().unwrap()));
        for bad in hosts(&web) {
            assert_eq!(web.raw(&good.instead("host", bad.as_str()).head()).status, 421, "{bad}");
        }
        assert_eq!(web.raw(&good.with("origin", "http://evil.com").head()).status, 403);
        assert_eq!(web.raw(&good.with("sec-fetch-site", "cross-site").head()).status, 403);
    }
    let login = Good {
        method: "POST".into(),
        path: "/api/v1/login".into(),
        headers: vec![("host", web.host()), ("content-type", "application/json".into())],
        body: true,
    };
    assert_eq!(web.raw(&login.instead("host", "evil.com").head()).status, 421);
    assert_eq!(web.raw(&login.with("origin", "null").head()).status, 403);
    assert_eq!(web.raw(&login.instead("content-type", "text/plain").head()).status, 415);
}

#[test]
fn a_request_is_never_read_in_two_ways() {
    let web = Web::new();
    let head = |more: &str| {
        format!(
            "POST /api/v1/profiles HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/json\r\n{more}",
            web.host(),
            web.bearer()
        )
    };
    let smuggled = format!("GET /api/v1/hello HTTP/1.1\r\nhost: {}\r\n\r\n", web.host());
    let both = head("content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n") + "0\r\n\r\n" + smuggled.as_str();
    let twice = head("content-length: 2\r\ncontent-length: 4\r\n\r\n{}") + smuggled.as_str();
    let chunk = head("transfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n") + smuggled.as_str();
    let odd = head("transfer-encoding: xchunked\r\n\r\n") + smuggled.as_str();
    let large = head(&format!("x-large: {}\r\n\r\n", "a".repeat(100_000)));
    let many = head(&((0..10_000).map(|n| format!("x-{n}: 1\r\n")).collect::<String>() + "\r\n"));
    let two = format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{smuggled}");
    let before = web.home.tree();
    for (name, bytes) in [("both", both), ("twice", twice), ("chunk", chunk), ("odd", odd), ("large", large), ("many", many), ("two", two)]
    {
        let mut stream = web.connect();
        let _ = stream.write_all(bytes.as_bytes());
        // Nothing but refusals, then the end.
        let mut answers = Vec::new();
        while let Ok(answer) = read(&mut stream) {
            answers.push(answer.status);
        }
        assert!(answers.len() <= 1 && answers.iter().all(|s| (400..500).contains(s)), "{name}: {answers:?}");
    }
    assert_eq!(before.changes(&web.home.tree()), "");
    assert_eq!(web.ask("GET", "/api/v1/hello", None).status, 200);
}
