//! A server of files over real HTTP and HTTPS, which may be told to misbehave.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How a request is answered in place of the file.
pub enum Answer {
    /// The file, or 404.
    Honest,
    Status {
        code: u16,
        headers: String,
        body: Vec<u8>,
    },
    /// The beginning of a body without an end: this many bytes of it, or until the client goes away.
    Endless {
        most: u64,
    },
    /// One byte, then another after a second, and so on.
    Drip,
}

pub type Mood = Box<dyn Fn(&str) -> Answer + Send + Sync>;

#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    /// Lower case.
    pub head: String,
    pub status: u16,
}

struct Inner {
    dir: PathBuf,
    mood: Mutex<Mood>,
    asked: Mutex<Vec<Asked>>,
    /// Body bytes sent.
    sent: Mutex<u64>,
    end: AtomicBool,
}

pub struct FileServer {
    inner: Arc<Inner>,
    port: u16,
    tls: bool,
}

impl FileServer {
    pub fn http(dir: PathBuf) -> Self {
        Self::start(dir, None)
    }

    pub fn https(dir: PathBuf, config: ServerConfig) -> Self {
        Self::start(dir, Some(Arc::new(config)))
    }

    fn start(dir: PathBuf, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner {
            dir,
            mood: Mutex::new(Box::new(|_| Answer::Honest)),
            asked: Mutex::default(),
            sent: Mutex::default(),
            end: AtomicBool::new(false),
        });
        let server = Self { inner: Arc::clone(&inner), port, tls: tls.is_some() };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if inner.end.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), inner, tls) = (stream, Arc::clone(&inner), tls.clone()) else { continue };
                std::thread::spawn(move || {
                    // One that asks nothing must not keep a test alive.
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
                    match tls {
                        None => serve(&inner, stream),
                        Some(config) => {
                            if let Ok(connection) = ServerConnection::new(config) {
                                serve(&inner, StreamOwned::new(connection, stream));
                            }
                        }
                    }
                });
            }
        });
        server
    }

    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn behave(&self, mood: impl Fn(&str) -> Answer + Send + Sync + 'static) {
        *self.inner.mood.lock().unwrap() = Box::new(mood);
    }

    /// What was asked since the last time.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.inner.asked.lock().unwrap())
    }

    /// Bytes of bodies sent since the last time.
    pub fn sent(&self) -> u64 {
        std::mem::take(&mut self.inner.sent.lock().unwrap())
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.inner.end.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(inner: &Inner, mut stream: impl Read + Write) {
    loop {
        let Some(head) = head(&mut stream) else { return };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let answer = (inner.mood.lock().unwrap())(&path);
        let wanted = header(&head, "if-none-match");
        let (code, headers, body) = match answer {
            Answer::Honest => file(inner, &path, wanted.as_deref()),
            Answer::Status { code, headers, body } => (code, headers, body),
            Answer::Endless { most } => return endless(inner, stream, most),
            Answer::Drip => return drip(inner, stream),
        };
        inner.asked.lock().unwrap().push(Asked { path, head: head.to_lowercase(), status: code });
        *inner.sent.lock().unwrap() += body.len() as u64;
        let length =
            if headers.to_lowercase().contains("content-length:") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let mut bytes = format!("HTTP/1.1 {code} x\r\n{length}{headers}\r\n").into_bytes();
        bytes.extend_from_slice(&body);
        if stream.write_all(&bytes).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

fn file(inner: &Inner, path: &str, wanted: Option<&str>) -> (u16, String, Vec<u8>) {
    let Ok(body) = std::fs::read(inner.dir.join(path.trim_start_matches('/'))) else {
        return (404, String::new(), b"no such file".to_vec());
    };
    let etag = format!("\"{}\"", &blake3::hash(&body).to_hex()[..16]);
    let headers = format!("ETag: {etag}\r\n");
    if wanted == Some(etag.as_str()) { (304, headers, Vec::new()) } else { (200, headers, body) }
}

fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 64 * 1024 {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn endless(inner: &Inner, mut stream: impl Write, most: u64) {
    let piece = [b' '; 16 * 1024];
    let mut sent = 0;
    if stream.write_all(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n").is_err() {
        return;
    }
    while sent < most && !inner.end.load(Ordering::SeqCst) {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
        if stream.write_all(&chunk).and_then(|()| stream.flush()).is_err() {
            break;
        }
        sent += piece.len() as u64;
        *inner.sent.lock().unwrap() += piece.len() as u64;
    }
}

fn drip(inner: &Inner, mut stream: impl Write) {
    let _ = stream.write_all(b"HTTP/1.1 200 x\r\nContent-Length: 1000\r\n\r\n");
    while !inner.end.load(Ordering::SeqCst) {
        if stream.write_all(b" ").and_then(|()| stream.flush()).is_err() {
            return;
        }
        *inner.sent.lock().unwrap() += 1;
        std::thread::sleep(Duration::from_secs(1));
    }
}
