//! The web UI in a real browser, against the real daemon.

mod browser;
mod budgets;
mod live;
mod login;
mod page;
mod pages;
mod profiles;
mod rebinding;
mod registry;
mod routes;

use crate::support::TestHome;
use browser::Browser;
use page::Page;

/// A home whose daemon serves on a port of the system's choice.
fn home() -> TestHome {
    let home = TestHome::new();
    home.clown(&["config", "set", "http.port", "0"]).ok();
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    home
}

/// With the agent `claude`, a shell program that ends after these lines, and the profile `work` of the local model.
fn with_claude(home: &mut TestHome, lines: &str) {
    let text =
        format!("#!/bin/sh\nW='{}'\n[ \"$1\" = --version ] && {{ echo '2.1.330 (Claude Code)'; exit; }}\n{lines}\n", home.work().display());
    let program = home.write("bin/claude", &text);
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    home.set("PATH", &format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().unwrap().display()));
    home.clown(&["profiles", "create", "claude", "work", "--provider", "offline"]).ok();
}

/// A link that logs in once.
fn link(home: &TestHome) -> String {
    home.clown(&["ui", "--print"]).ok().stdout().trim().to_owned()
}

/// The address of the UI, from such a link.
fn base(link: &str) -> String {
    link.split('#').next().unwrap().trim_end_matches('/').to_owned()
}

/// A page of a browser that is logged in.
fn logged_in(home: &TestHome, browser: &Browser) -> (Page, String) {
    let link = link(home);
    let mut page = browser.page();
    page.open(&link);
    page.wait("document.querySelector('main h1')");
    (page, base(&link))
}
