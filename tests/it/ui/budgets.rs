//! Limits, set and changed in the browser.

use serde_json::Value;

use super::*;

#[test]
fn a_limit_is_set_changed_and_removed() {
    let mut home = home();
    with_claude(&mut home, "exit 0");
    let limits = |home: &TestHome| -> Vec<Value> { home.json(&["budget", "list"])["budgets"].as_array().unwrap().clone() };
    let browser = Browser::start();
    let (mut page, _) = logged_in(&home, &browser);
    page.mark();
    page.press("Set a limit");
    page.choose("budget-profile", "work");
    page.fill("budget-usd", "-3");
    page.press("Set the limit");
    // The daemon says what is wrong with it, and the form keeps what was typed.
    page.wait("document.querySelector('dialog .failed')");
    assert!(limits(&home).is_empty());
    page.fill("budget-usd", "5");
    page.choose("budget-action", "refuse");
    page.press("Set the limit");
    page.wait("!document.querySelector('dialog') && document.querySelector('.budgets').innerText.includes('of $5.00')");
    let set = limits(&home);
    assert_eq!((set.len(), &set[0]["profile"], &set[0]["action"]), (1, &Value::from("work"), &Value::from("refuse")));

    page.press("Change");
    page.wait("document.querySelector('[name=budget-usd]')?.value === '5'");
    page.fill("budget-usd", "7.5");
    page.press("Save");
    page.wait("!document.querySelector('dialog') && document.querySelector('.budgets').innerText.includes('of $7.50')");
    assert_eq!(limits(&home).len(), 1);

    page.press("Change");
    page.press("Remove the limit");
    page.shows("No limits are set");
    assert!(limits(&home).is_empty());
    assert!(page.is_marked());
    let other_than_meant: Vec<_> = page.complaints().into_iter().filter(|c| !c.contains("/api/v1/budgets")).collect();
    assert_eq!(other_than_meant, Vec::<String>::new());
}

#[test]
fn the_doctor_mends_what_is_safe() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    let browser = Browser::start();
    let (mut page, _) = logged_in(&home, &browser);
    let file = home.root().join("config.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    page.go("#/settings");
    page.wait("document.querySelector('.findings')?.innerText.includes('config.toml')");
    page.press("Mend what is safe");
    page.wait("!document.querySelector('.findings').innerText.includes('config.toml')");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o022, 0);
    assert_eq!(page.complaints(), Vec::<String>::new());
}
