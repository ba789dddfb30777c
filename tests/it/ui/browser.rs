//! A headless Chromium of a test's own.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::page::Page;
use crate::support::wait_until;

pub struct Browser {
    child: Child,
    dir: tempfile::TempDir,
    /// Of its DevTools.
    port: u16,
    path: String,
}

impl Browser {
    /// Reaches this machine by its address only.
    pub fn start() -> Self {
        Self::resolving("")
    }

    /// As `start`, with names that lead to this machine: `MAP name 127.0.0.1,`.
    pub fn resolving(names: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("cu-").tempdir_in("/tmp").unwrap();
        let mut command = Command::new(program());
        command.args([
            "--headless=new",
            "--remote-debugging-port=0",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--window-size=1280,900",
        ]);
        command.args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"]);
        command.arg(format!("--host-resolver-rules={names}MAP * ~NOTFOUND,EXCLUDE 127.0.0.1"));
        command.arg(format!("--user-data-dir={}", dir.path().display()));
        // Its sandbox needs another user than root.
        if rustix::process::getuid().is_root() {
            command.arg("--no-sandbox");
        }
        command.env_clear().env("HOME", dir.path()).env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let file = dir.path().join("DevToolsActivePort");
        let mut found = None;
        wait_until("the browser's port", || {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            found = text.split_once('\n').and_then(|(port, path)| Some((port.parse().ok()?, path.trim().to_owned())));
            found.is_some()
        });
        let (port, path) = found.unwrap();
        Self { child, dir, port, path }
    }

    /// Another tab; cookies are shared.
    pub fn page(&self) -> Page {
        let mut whole = Page::at(self.port, &self.path);
        let made = whole.call("Target.createTarget", &serde_json::json!({ "url": "about:blank" }));
        let mut page = Page::at(self.port, &format!("/devtools/page/{}", made["targetId"].as_str().unwrap()));
        page.listen();
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its helpers may write for a moment yet.
        let _ = std::fs::remove_dir_all(self.dir.path());
    }
}

fn program() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let paths: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let found = names.iter().flat_map(|name| paths.iter().map(move |dir| dir.join(name))).find(|path| path.is_file());
    found.expect("no Chromium: run `cargo xtask setup --tests` (apt-get install chromium)")
}

/// A file of the packages that the UI is built with.
pub fn package(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/ui/node_modules").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask setup --tests`", path.display()))
}
