//! Every page at every size: no complaint of the browser, no fault of accessibility, nothing wider than the screen, and a picture.

use std::path::{Path, PathBuf};

use super::{browser::package, *};
use crate::{
    support::{FakeAgent, wait_until},
    usage::{Answer, log, now},
};

/// Name of the picture, address, and what is there when it is complete.
const PAGES: &[(&str, &str, &str)] = &[
    ("dashboard", "#/dashboard", ".chart canvas"),
    ("usage", "#/usage", ".heat-day.l4"),
    ("sessions", "#/sessions", "tbody tr"),
    ("session", "#/sessions/SESSION", ".facts"),
    ("profiles", "#/profiles", "tbody tr"),
    ("profile", "#/profiles/work", "form [name=model]"),
    ("profile-new", "#/profiles/new?agent=fake&provider=offline", "form [name=alias]"),
    ("agents", "#/agents", "tbody tr"),
    ("agent", "#/agents?show=claude", "dialog .facts"),
    ("providers", "#/providers", "tbody tr"),
    ("provider", "#/providers?show=mine", "dialog table"),
    ("proxy", "#/proxy", "tbody tr"),
    ("proxy-rules", "#/proxy/routed", ".steps li"),
    ("registry", "#/registry", ".empty"),
    ("settings", "#/settings", ".settings li"),
    ("events", "#/events", "tbody tr"),
    ("nothing-here", "#/profiles/nobody", ".failed"),
];

fn furnished() -> TestHome {
    let mut home = home();
    with_claude(&mut home, "exit 0");
    let path = home.env()[std::ffi::OsStr::new("PATH")].to_str().unwrap().to_owned();
    FakeAgent::install(&mut home, "exit 0");
    home.set("PATH", &path);
    home.provider("http://127.0.0.1:9");
    let create = ["profiles", "create", "claude", "routed", "--provider", "mine", "--api-key-stdin", "--proxy"];
    home.clown(&create).stdin(b"sk-test-1\n").ok();
    for day in ["2026-11-02", "2026-11-03", "2026-11-05", "2026-11-06"] {
        let at: &'static str = Box::leak(format!("{day}T10:00:00Z").into_boxed_str());
        let id: &'static str = Box::leak(day.to_owned().into_boxed_str());
        log(&home.home(), "old", &[Answer { id, at, input: 90_000, output: 4000 }]);
    }
    let today = [Answer { id: "a", at: now(), input: 250_000, output: 9000 }, Answer { id: "b", at: now(), input: 150_000, output: 7000 }];
    log(&home.profile_home("claude", "work"), "s1", &today);
    home.clown(&["budget", "set", "--profile", "work", "--daily", "4usd"]).ok();
    home.clown(&["run", "work"]).ok();
    home.clown(&["run", "p"]).ok();
    home
}

pub(super) fn pictures() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_clown")).ancestors().nth(2).unwrap().join("ui-shots")
}

#[test]
fn every_page_is_without_fault_at_both_widths_and_in_both_themes() {
    let home = furnished();
    let session = home.sessions().pop().unwrap()["id"].as_str().unwrap().to_owned();
    let browser = Browser::start();
    let (mut page, base) = logged_in(&home, &browser);
    let axe = package("axe-core/axe.min.js");
    let mut faults = Vec::new();
    for (width, height) in [(1600, 1000), (380, 800)] {
        for scheme in ["light", "dark"] {
            page.size(width, height);
            page.scheme(scheme);
            for (name, hash, ready) in PAGES {
                let at = format!("{name} {width} {scheme}");
                page.open(&format!("{base}/{}", hash.replace("SESSION", &session)));
                page.wait(&format!("document.querySelector({ready:?})"));
                page.wait("!document.querySelector('.loading')");
                page.wait("document.documentElement.dataset.theme");
                let over = page.eval("document.documentElement.scrollWidth - window.innerWidth").as_i64().unwrap();
                if over > 0 {
                    faults.push(format!("{at}: {over} wider than the screen"));
                }
                page.eval(&format!("{axe}; 0"));
                let said = page.eval("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary).slice(0, 3).join(' | ')))");
                faults.extend(said.as_array().unwrap().iter().map(|v| format!("{at}: {v}")));
                page.shot(&pictures().join(format!("{name}-{width}-{scheme}.png")));
                // A page about what is not there gets a 404, and the browser logs that by itself.
                let meant = *name == "nothing-here";
                faults.extend(page.complaints().into_iter().filter(|c| !(meant && c.contains("404"))).map(|c| format!("{at}: {c}")));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_keyboard_reaches_the_content_and_focus_is_seen() {
    let home = home();
    let browser = Browser::start();
    let (mut page, _) = logged_in(&home, &browser);
    page.eval("document.activeElement.blur()");
    page.key("Tab");
    page.wait("document.activeElement.classList.contains('skip')");
    page.key("Tab");
    page.wait("document.activeElement.classList.contains('brand')");
    let outline = page.eval("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid");
    // Each page of the menu by Tab, and there by Enter.
    let mut tabs = 0;
    wait_until("the link to the settings", || {
        page.key("Tab");
        tabs += 1;
        assert!(tabs < 40);
        page.eval("document.activeElement.textContent") == "Settings"
    });
    page.eval("document.activeElement.click()");
    page.wait(
        "document.querySelector('main h1').textContent === 'Settings' && document.activeElement === document.querySelector('main h1')",
    );
    // The chosen theme stays over a new document.
    page.eval("[...document.querySelectorAll('.switcher button')].find((b) => b.textContent === 'Dark').click()");
    page.eval("location.reload()");
    page.wait("document.documentElement.dataset.theme === 'dark' && document.querySelector('main h1')");
}
