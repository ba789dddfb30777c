//! Against real servers on loopback.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use super::*;
use crate::wire::error::Code;

/// A server that answers each connection's first request with what `answer` writes for its path.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

fn serve(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, answer) = (heads.clone(), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, seen, answer) = (stream.unwrap(), seen.clone(), answer.clone());
            std::thread::spawn(move || {
                let mut head = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                seen.lock().unwrap().push(head.to_ascii_lowercase());
                answer(&path, &mut stream);
            });
        }
    });
    Server { port, heads }
}

impl Server {
    fn get_within(&self, path: &str, etag: Option<&str>, max: u64, limit: Duration) -> Result<Got> {
        let home = format!("http://127.0.0.1:{}", self.port);
        let url = format!("{home}{path}");
        let deadline = Instant::now() + limit;
        SystemFetch::default().get(&Get { url: &url, home: &home, etag, max, deadline, ca_file: None })
    }

    fn get(&self, path: &str) -> Result<Got> {
        self.get_within(path, None, 1000, Duration::from_secs(20))
    }

    fn refused(&self, path: &str, why: &str) {
        let error = self.get(path).expect_err(path);
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.code(), Code::Refused, "{error}");
    }
}

fn reply(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    let _ = stream.write_all(body);
}

#[test]
fn a_file_comes_with_its_etag_and_the_next_question_is_conditional() {
    let server = serve(|path, stream| match path {
        "/same" => reply(stream, "304 Not Modified", b""),
        "/none" => reply(stream, "404 Not Found", b"<html>"),
        _ => reply(stream, "200 OK\r\nETag: \"v1\"\r\nContent-Type: text/plain; charset=latin1", b"\xff\xfebytes"),
    });
    let got = server.get("/file").unwrap();
    assert_eq!(got, Got { answer: Answer::Body { bytes: b"\xff\xfebytes".to_vec(), etag: Some("\"v1\"".into()) }, requests: 1 });
    let got = server.get_within("/same", Some("\"v1\""), 10, Duration::from_secs(20)).unwrap();
    assert_eq!(got.answer, Answer::NotModified);
    assert_eq!(server.get("/none").unwrap().answer, Answer::Missing);
    // An etag that somebody wrote into a lock does not become another header.
    server.get_within("/file", Some("x\r\nCookie: a"), 10, Duration::from_secs(20)).unwrap();
    let heads = server.heads.lock().unwrap();
    assert!(heads[1].contains("if-none-match: \"v1\""), "{}", heads[1]);
    assert!(heads[0].contains("accept-encoding: identity") && heads[0].contains(concat!("user-agent: clown/", env!("CARGO_PKG_VERSION"))));
    assert!(!heads[3].contains("cookie") && !heads[3].contains("if-none-match"));
}

#[test]
fn attack_09_a_body_without_end_is_read_to_one_byte_more_than_is_of_use() {
    let server = serve(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let Answer::Body { bytes, .. } = server.get("/").unwrap().answer else { panic!() };
    assert_eq!(bytes.len(), 1001);
}

#[test]
fn attack_10_nothing_packed_is_taken() {
    let server = serve(|path, stream| reply(stream, &format!("200 OK\r\nContent-Encoding: {}", path.trim_start_matches('/')), b"\x1f\x8b"));
    for coding in ["gzip", "zstd", "br", "deflate", "x"] {
        server.refused(&format!("/{coding}"), "came packed");
    }
}

#[test]
fn attack_19_redirects_that_are_not_followed() {
    let server = serve(|path, stream| {
        let to = path.split_once("?to=").map_or("/round", |(_, to)| to);
        reply(stream, &format!("302 Found\r\nLocation: {to}"), b"");
    });
    let other = serve(|_, stream| reply(stream, "200 OK", b"secret"));
    for to in [
        "file:///etc/passwd".into(),
        "http://169.254.169.254/latest".into(),
        format!("http://127.0.0.1:{}/", other.port),
        format!("http://localhost:{}/", server.port),
        "https://127.0.0.1/".into(),
    ] {
        server.refused(&format!("/?to={to}"), "leads to a place that is not followed");
    }
    server.heads.lock().unwrap().clear();
    server.refused("/round", "leads on more than 3 times");
    assert_eq!(server.heads.lock().unwrap().len(), 4);
    assert!(other.heads.lock().unwrap().is_empty());
    let good = serve(|path, stream| match path {
        "/d/a" => reply(stream, "301 Moved\r\nLocation: b", b""),
        "/d/b" => reply(stream, "200 OK", b"here"),
        _ => reply(stream, "404 Not Found", b""),
    });
    let got = good.get("/d/a").unwrap();
    assert!(matches!(got.answer, Answer::Body { bytes, .. } if bytes == b"here") && got.requests == 2);
}

#[test]
fn attack_21_one_byte_at_a_time_ends_at_the_deadline() {
    let server = serve(|path, stream| {
        let (head, drip): (&[u8], &[u8]) = match path {
            "/head" => (b"HTTP/1.1 200 OK\r\n", b"x"),
            _ => (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x"),
        };
        let _ = stream.write_all(head);
        // Until the other side gives up.
        while stream.write_all(drip).and_then(|()| stream.flush()).is_ok() {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
            let _ = std::io::Read::read(stream, &mut [0; 16]);
        }
    });
    for path in ["/head", "/body"] {
        let error = server.get_within(path, None, 1000, Duration::from_millis(400)).expect_err(path);
        assert!(error.to_string().contains("takes too long"), "{error}");
        assert_eq!(error.code(), Code::Io);
    }
}

#[test]
fn a_server_that_fails_is_named_with_the_cause() {
    let server = serve(|path, stream| match path {
        "/cut" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf");
        }
        "/nonsense" => {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n");
        }
        "/closed" => {}
        _ => reply(stream, "503 Unavailable", b""),
    });
    for (path, why) in
        [("/cut", "before everything was there"), ("/nonsense", "does not speak HTTP"), ("/closed", "127.0.0.1"), ("/busy", "status 503")]
    {
        let error = server.get(path).expect_err(path);
        assert!(error.to_string().contains(why) && error.code() == Code::Io, "{path}: {error}");
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = Server { port: free, heads: Arc::default() }.get("/").unwrap_err();
    assert!(nobody.to_string().contains("nobody listens there"), "{nobody}");
}

#[test]
fn a_certificate_file_that_is_none_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("ca.pem");
    std::fs::write(&bad, "no PEM").unwrap();
    for file in [bad, dir.path().join("missing.pem")] {
        let get = Get {
            url: "https://127.0.0.1:1/",
            home: "https://127.0.0.1:1",
            etag: None,
            max: 1,
            deadline: Instant::now() + Duration::from_secs(9),
            ca_file: Some(&file),
        };
        let error = SystemFetch::default().get(&get).unwrap_err();
        assert!(error.code() == Code::InvalidInput && error.to_string().contains(file.to_str().unwrap()), "{error}");
    }
}
