//! A sync with its progress.

use std::sync::{Arc, Condvar, Mutex};

use clown::wire::registry::Kind;

use super::*;
use crate::registry::{
    server::Answer,
    world::{World, with},
};

#[test]
fn a_sync_shows_how_far_it_is_and_what_it_brought() {
    let world = World::new();
    let home = &world.home;
    home.clown(&["config", "set", "http.port", "0"]).ok();
    // The server holds back one entry until it is told to go on.
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let held = Arc::clone(&gate);
    world.server.behave(move |path| {
        if path.ends_with("agents/claude.toml") {
            let open = held.0.lock().unwrap();
            drop(held.1.wait_while(open, |open| !*open).unwrap());
        }
        Answer::Honest
    });
    let browser = Browser::start();
    let (mut page, base) = logged_in(home, &browser);
    page.go("#/registry");
    page.shows("built-in entries only");
    // Another tab sees it too, though it did not begin it.
    let mut other = browser.page();
    other.open(&format!("{base}/#/registry"));
    other.shows("built-in entries only");
    page.press("Sync now");
    for tab in [&mut page, &mut other] {
        tab.wait("document.querySelector('.stages .now')?.textContent === 'Fetching entries'");
        tab.shows("2 of 3");
    }
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    page.wait("document.querySelector('[data-sync=changed]')?.innerText.includes('Version 1 of stable is in force')");
    for tab in [&mut page, &mut other] {
        tab.wait("!document.querySelector('.stages')");
        tab.shows("up to date");
        assert_eq!(tab.complaints(), Vec::<String>::new());
    }

    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/scripts/claude.rhai")).unwrap();
    world.write(&with(2, &[(Kind::Script, "claude", format!("// A new line.\n{script}").into_bytes())]));
    page.press("What would change");
    page.wait("document.querySelector('.change .added')?.textContent.includes('A new line.')");
    page.press("Sync now");
    // Nobody runs a script that its user did not agree to.
    page.shows("Version 2 of stable is in force");
    page.wait("!document.body.innerText.includes('A sync would change')");
    page.shot(&super::pages::pictures().join("registry-synced-1600-light.png"));
    page.press("Read and agree");
    page.wait("document.querySelector('dialog .diff .added')?.textContent.includes('A new line.')");
    page.press("I have read it and agree");
    page.wait("!document.body.innerText.includes('Waits for your agreement')");
}
