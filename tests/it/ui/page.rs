//! One tab, over the DevTools protocol.

use std::{net::TcpStream, path::Path, time::Duration};

use base64::Engine as _;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

pub struct Page {
    socket: WebSocket<TcpStream>,
    last: u64,
    /// What the console, the network log and the policy said.
    complaints: Vec<String>,
}

impl Page {
    pub(super) fn at(port: u16, path: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(100))).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).unwrap();
        Self { socket, last: 0, complaints: Vec::new() }
    }

    pub(super) fn listen(&mut self) {
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
        let report = "document.addEventListener('securitypolicyviolation', (e) => console.error('CSP: ' + e.violatedDirective + ' ' + e.blockedURI));";
        self.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": report }));
    }

    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.socket.send(Message::text(json!({ "id": id, "method": method, "params": params }).to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["id"].as_u64() == Some(id) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.note(&message);
        }
    }

    fn note(&mut self, message: &Value) {
        let params = &message["params"];
        let text = match message["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" if matches!(params["type"].as_str(), Some("error" | "warning" | "assert")) => {
                Some(params["args"].to_string())
            }
            "Log.entryAdded" if params["entry"]["level"] == "error" || params["entry"]["source"] == "security" => {
                Some(params["entry"].to_string())
            }
            _ => None,
        };
        self.complaints.extend(text);
    }

    /// What was complained of since the last time.
    pub fn complaints(&mut self) -> Vec<String> {
        // What came before this answer is read with it.
        self.eval("0");
        std::mem::take(&mut self.complaints)
    }

    /// Opens an address as a new document.
    pub fn open(&mut self, url: &str) {
        // An address that differs in its fragment only would be no new document.
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        self.call("Page.navigate", &json!({ "url": url }));
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// Goes to a page of the UI without a new document.
    pub fn go(&mut self, hash: &str) {
        self.eval(&format!("location.hash = {hash:?}"));
    }

    /// The value of an expression, awaited.
    pub fn eval(&mut self, js: &str) -> Value {
        let result =
            self.call("Runtime.evaluate", &json!({ "expression": js, "awaitPromise": true, "returnByValue": true, "userGesture": true }));
        assert!(result["exceptionDetails"].is_null(), "{js}\n{}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Until the expression is true or something; also across a change of documents.
    pub fn wait(&mut self, js: &str) {
        let expression = format!("(() => {{ try {{ return !!({js}); }} catch {{ return false; }} }})()");
        let start = std::time::Instant::now();
        loop {
            let result = self.call("Runtime.evaluate", &json!({ "expression": expression, "returnByValue": true }));
            if result["result"]["value"] == true {
                return;
            }
            if start.elapsed() > Duration::from_secs(40) {
                let text = self.eval("document.body.innerText");
                panic!("{js} did not come about; the page says:\n{}\n{:?}", text.as_str().unwrap_or_default(), self.complaints());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Until the page shows a text.
    pub fn shows(&mut self, text: &str) {
        self.wait(&format!("document.body.innerText.includes({text:?})"));
    }

    pub fn click(&mut self, selector: &str) {
        self.wait(&format!("document.querySelector({selector:?}) && !document.querySelector({selector:?}).disabled"));
        self.eval(&format!("document.querySelector({selector:?}).click()"));
    }

    /// The button or link with this text.
    pub fn press(&mut self, text: &str) {
        let find = format!(
            "[...document.querySelectorAll('main button, main a, dialog button')].find((e) => e.textContent.trim() === {text:?} && !e.disabled)"
        );
        self.wait(&find);
        self.eval(&format!("{find}.click()"));
    }

    /// Types into the field of this name, key by key as the browser does.
    pub fn fill(&mut self, name: &str, text: &str) {
        let field = format!("document.querySelector('[name={name}]')");
        self.wait(&field);
        self.eval(&format!("{field}.focus(); {field}.select?.()"));
        self.call("Input.insertText", &json!({ "text": text }));
    }

    pub fn choose(&mut self, name: &str, value: &str) {
        let field = format!("document.querySelector('select[name={name}]')");
        self.wait(&format!("[...{field}.options].some((o) => o.value === {value:?})"));
        self.eval(&format!("{field}.value = {value:?}; {field}.dispatchEvent(new Event('change', {{ bubbles: true }}))"));
    }

    pub fn key(&mut self, key: &str) {
        let code = if key == "Tab" { 9 } else { 13 };
        for kind in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", &json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code }));
        }
    }

    pub fn size(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    pub fn scheme(&mut self, scheme: &str) {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", &feature);
    }

    /// A picture of the whole page.
    pub fn shot(&mut self, file: &Path) {
        let all = self.call("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
        let clip = json!({ "x": 0, "y": 0, "width": all["width"], "height": all["height"], "scale": 1 });
        let shot = self.call("Page.captureScreenshot", &json!({ "captureBeyondViewport": true, "clip": clip }));
        let bytes = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    /// Says in the page that this document is still the same.
    pub fn mark(&mut self) {
        self.eval("window.marked = true");
    }

    pub fn is_marked(&mut self) -> bool {
        self.eval("window.marked === true") == true
    }
}
