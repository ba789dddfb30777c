//! A provider on loopback: answers as the offline model does, takes any key, and records.

use std::sync::{Arc, Mutex};

use clown::http::offline::{self, Gate, Observer};

#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Recorded {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether these bytes came with it anywhere.
    pub fn holds(&self, needle: &str) -> bool {
        let headers = self.headers.iter().any(|(_, value)| value.contains(needle));
        headers || self.path.contains(needle) || self.query.contains(needle) || super::contains(&self.body, needle.as_bytes())
    }
}

struct Anyone;

impl Gate for Anyone {
    fn admits(&self, _token: &str) -> bool {
        true
    }
}

pub struct Upstream {
    pub port: u16,
    requests: Arc<Mutex<Vec<Recorded>>>,
    stop: tokio::sync::watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Upstream {
    pub fn start() -> Self {
        let requests: Arc<Mutex<Vec<Recorded>>> = Arc::default();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::clone(&requests);
        let observer: Observer = Arc::new(move |parts, body, _status| {
            let headers = parts.headers.iter().map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()));
            log.lock().unwrap().push(Recorded {
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: headers.collect(),
                body: body.to_vec(),
            });
        });
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                offline::serve(listener, Arc::new(Anyone), Some(observer), stopped).await.unwrap();
            });
        });
        Self { port, requests, stop, thread: Some(thread) }
    }

    /// Base URL for a format: `anthropic` takes none of the version, the OpenAI ones take `/v1`.
    pub fn url(&self, format: &str) -> String {
        let tail = if format == "anthropic" { "" } else { "/v1" };
        format!("http://127.0.0.1:{}{tail}", self.port)
    }

    /// A provider manifest that leads here, for `providers.d/`.
    pub fn manifest(&self, id: &str) -> String {
        let mut text = format!("schema = 1\nid = \"{id}\"\nname = \"{id}\"\nany_model = true\ndefault_model = \"test-model\"\n");
        for (format, auth) in [("anthropic", "bearer"), ("openai-responses", "bearer"), ("openai-chat", "bearer")] {
            text += &format!("[[endpoints]]\nformat = \"{format}\"\nbase_url = \"{}\"\nauth = \"{auth}\"\n", self.url(format));
        }
        text
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
