//! A client that can send anything.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::support::TestHome;

/// A home with a running daemon that serves HTTP on a free port.
pub struct Web {
    pub home: TestHome,
    pub port: u16,
    pub token: String,
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Web {
    pub fn new() -> Self {
        Self::with("")
    }

    /// With more lines in `config.toml`.
    pub fn with(more: &str) -> Self {
        let home = TestHome::new();
        let text = "secrets.backend = \"file\"\nhttp.port = 0\nregistry.prices_url = \"off\"\n";
        home.write(home.root().join("config.toml"), &format!("{text}{more}"));
        Self::of(home)
    }

    /// The daemon of a home, started if need be.
    pub fn of(home: TestHome) -> Self {
        home.clown(&["daemon", "start"]).ok();
        let url = home.json(&["daemon", "status"])["http"].as_str().expect("HTTP is served").to_owned();
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        let token = std::fs::read_to_string(home.root().join("http-token")).unwrap();
        Self { home, port, token }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// These bytes on a connection of their own, and the first answer.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // It may be refused before the end.
        let _ = stream.write_all(bytes);
        if bytes.starts_with(b"HEAD ") { head(&mut stream).unwrap() } else { read(&mut stream).unwrap() }
    }

    /// As a program with the token does.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask_with(method, path, &[("authorization", &self.bearer())], body)
    }

    pub fn ask_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host());
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let body = body.map(Value::to_string);
        if let Some(body) = &body {
            head += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        self.raw(format!("{head}\r\n{}", body.unwrap_or_default()).as_bytes())
    }

    /// A cookie, bought with a link.
    pub fn cookie(&self) -> String {
        let url = self.home.json(&["ui"])["url"].as_str().unwrap().to_owned();
        let (_, token) = url.split_once("#login=").unwrap();
        let answer = self.ask_with("POST", "/api/v1/login", &[], Some(&serde_json::json!({ "token": token })));
        assert_eq!(answer.status, 204, "{}", answer.text());
        answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text()))
    }
}

/// One answer; of a body without a length what came until the end.
pub fn read(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut answer = head(stream)?;
    match answer.header("content-length").map(|n| n.parse::<usize>().unwrap()) {
        Some(length) => {
            answer.body.resize(length, 0);
            stream.read_exact(&mut answer.body)?;
        }
        None if matches!(answer.status, 101 | 204 | 304) || answer.header("transfer-encoding").is_some() => {}
        None => {
            stream.read_to_end(&mut answer.body)?;
        }
    }
    Ok(answer)
}

fn head(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the connection ended: {text:?}")));
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    Ok(Answer { status, headers: lines.filter_map(pair).collect(), body: Vec::new() })
}
