//! A page of somebody else in the same browser, where the user is logged in.

use super::*;
use crate::{registry::server::FileServer, support::FakeAgent};

#[test]
fn a_page_of_another_name_reads_and_changes_nothing() {
    let mut home = home();
    FakeAgent::install(&mut home, "exit 0");
    let browser = Browser::resolving("MAP evil.test 127.0.0.1,");
    let (mut page, base) = logged_in(&home, &browser);
    // What must not be reached is there, and reached by its own page.
    assert_eq!(page.eval("fetch('/api/v1/profiles').then((r) => r.json()).then((p) => p.profiles[0].alias)"), "p");
    let port = base.rsplit(':').next().unwrap();

    // DNS rebinding: the daemon under the attacker's name.
    let mut rebound = browser.page();
    rebound.open(&format!("http://evil.test:{port}/"));
    assert_eq!(rebound.eval("location.hostname"), "evil.test");
    let asked = rebound.eval("fetch('/api/v1/profiles', { credentials: 'include' }).then(async (r) => r.status + ' ' + await r.text())");
    let asked = asked.as_str().unwrap();
    assert!(asked.starts_with("421") && !asked.contains("alias"), "{asked}");
    let written = "fetch('/api/v1/profiles/p', { method: 'DELETE', credentials: 'include' }).then((r) => r.status)";
    assert_eq!(rebound.eval(written), 421);
    assert_eq!(rebound.eval(&socket(&format!("ws://evil.test:{port}/ws"))), "refused");

    // A page of another origin, which the browser lets ask but not read.
    std::fs::write(home.work().join("page.html"), "<!doctype html><title>evil</title>").unwrap();
    let server = FileServer::http(home.work());
    for host in ["evil.test", "127.0.0.1"] {
        let mut foreign = browser.page();
        foreign.open(&format!("http://{host}:{}/page.html", server.port()));
        let read = format!("fetch('{base}/api/v1/profiles', {{ credentials: 'include' }}).then((r) => r.text(), () => 'refused')");
        assert_eq!(foreign.eval(&read), "refused", "{host}");
        let send = format!(
            "fetch('{base}/api/v1/profiles/p/rename', {{ method: 'POST', mode: 'no-cors', credentials: 'include', body: '{{\"to\":\"q\"}}' }}).then((r) => r.type, () => 'refused')"
        );
        let sent = foreign.eval(&send);
        assert!(sent == "opaque" || sent == "refused", "{sent}");
        assert_eq!(foreign.eval(&socket(&format!("ws://127.0.0.1:{port}/ws"))), "refused", "{host}");
        let framed = format!(
            "new Promise((done) => {{ const f = document.createElement('iframe'); f.src = '{base}/'; f.onload = () => done(f.contentWindow.length + ' ' + (f.contentDocument === null)); document.body.append(f); }})"
        );
        assert_eq!(foreign.eval(&framed), "0 true", "{host}: a frame shows nothing that can be reached");
    }
    assert_eq!(page.eval("fetch('/api/v1/profiles').then((r) => r.json()).then((p) => p.profiles.map((x) => x.alias).join())"), "p");
    assert_eq!(page.eval(&socket(&format!("ws://127.0.0.1:{port}/ws"))), "open", "the UI's own page may");
}

fn socket(url: &str) -> String {
    format!(
        "new Promise((done) => {{ const s = new WebSocket('{url}'); s.onopen = () => done('open'); s.onerror = () => done('refused'); }})"
    )
}
