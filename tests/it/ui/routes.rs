//! Rules of a proxy, and what they do to a request.

use super::*;

#[test]
fn a_rule_that_is_added_changes_where_a_request_would_go() {
    let mut home = home();
    with_claude(&mut home, "exit 0");
    home.provider("http://127.0.0.1:9");
    let create = ["profiles", "create", "claude", "routed", "--provider", "mine", "--api-key-stdin", "--proxy"];
    home.clown(&create).stdin(b"sk-test-1\n").ok();
    let browser = Browser::start();
    let (mut page, _) = logged_in(&home, &browser);
    page.go("#/proxy/routed");
    page.wait("document.querySelector('[data-explain]')?.dataset.explain === 'default'");
    page.mark();

    page.press("Add a rule");
    page.fill("rule-name", "sonnets");
    page.fill("rule-condition", "model ~~ nonsense(");
    page.fill("rule-targets", "mine/m-1");
    page.press("Add rule");
    page.wait("document.querySelector('.rule-form .failed')");
    page.fill("rule-condition", "model ~ \"*sonnet*\"");
    page.press("Add rule");
    page.wait("document.querySelector('[data-explain]')?.dataset.explain === 'sonnets'");

    // From a terminal, too.
    home.clown(&["proxy", "route", "remove", "routed", "sonnets"]).ok();
    page.wait("document.querySelector('[data-explain]')?.dataset.explain === 'default'");
    assert!(page.is_marked());
}
