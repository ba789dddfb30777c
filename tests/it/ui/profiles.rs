//! A profile from the form to a second tab.

use super::*;
use crate::support::FakeAgent;

#[test]
fn a_profile_that_is_made_in_one_tab_appears_in_another() {
    let mut home = home();
    FakeAgent::install(&mut home, "exit 0");
    let browser = Browser::start();
    let (mut page, base) = logged_in(&home, &browser);
    let mut other = browser.page();
    other.open(&format!("{base}/#/profiles"));
    other.wait("document.querySelectorAll('tbody tr').length === 1");
    other.mark();

    page.go("#/profiles/new");
    page.choose("agent", "fake");
    page.choose("provider", "offline");
    // What is wrong is said while it is typed, and nothing is made of it.
    page.fill("alias", "Not A Name");
    page.shows("Not yet");
    page.fill("alias", "p");
    page.wait("document.querySelector('.field.bad .fault')?.textContent.includes('p')");
    page.fill("alias", "fresh");
    page.shows("This would be made");
    page.shows("clown run fresh");
    assert!(!home.root().join("profiles/fresh.json").exists(), "a dry run makes nothing");
    page.click("button[type=submit]");
    page.wait("location.hash === '#/profiles/fresh' && document.querySelector('main h1').textContent === 'fresh'");
    assert!(home.root().join("profiles/fresh.json").exists());

    other.wait("[...document.querySelectorAll('tbody tr')].some((r) => r.innerText.includes('clown run fresh'))");
    assert!(other.is_marked(), "without a reload");

    // Its settings, from there.
    page.fill("model", "tiny");
    page.press("Save");
    page.wait("[...document.querySelectorAll('.facts dd')].some((d) => d.textContent === 'tiny')");
    other.wait("[...document.querySelectorAll('tbody tr')].some((r) => r.innerText.includes('tiny'))");

    // And gone again.
    page.press("Delete");
    page.wait("document.querySelector('dialog[open]')");
    page.click("dialog button.danger");
    other.wait("document.querySelectorAll('tbody tr').length === 1");
    assert!(!home.root().join("profiles/fresh.json").exists());
    assert_eq!((other.complaints(), other.is_marked()), (Vec::new(), true));
    // The browser itself logs each answer that is no success: here the tries that were meant to fail, and no more.
    let other_than_meant: Vec<_> = page.complaints().into_iter().filter(|c| !c.contains("/api/v1/profiles")).collect();
    assert_eq!(other_than_meant, Vec::<String>::new());
}
