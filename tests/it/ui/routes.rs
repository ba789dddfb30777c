//! Rules of a proxy, and what they do to a request.

use super::*;
use crate::support::Upstream;

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

#[test]
fn a_request_is_seen_as_it_comes_and_a_key_for_another_provider_is_added() {
    let upstream = Upstream::start();
    let mut home = home();
    with_claude(
        &mut home,
        "curl -s -o /dev/null -H \"authorization: Bearer $ANTHROPIC_AUTH_TOKEN$ANTHROPIC_API_KEY\" -H 'content-type: application/json' \
         -d '{\"model\":\"test-model\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}' \
         \"$ANTHROPIC_BASE_URL/v1/messages\"",
    );
    home.add_provider("up", &upstream);
    let create = ["profiles", "create", "claude", "routed", "--provider", "up", "--api-key-stdin", "--proxy"];
    home.clown(&create).stdin(b"sk-test-1\n").ok();
    let browser = Browser::start();
    let (mut page, _) = logged_in(&home, &browser);
    page.go("#/proxy/routed");
    page.shows("No request has come through yet");
    page.mark();
    home.clown(&["run", "routed"]).ok();
    page.wait("document.querySelector('[aria-label=Requests] tbody tr')?.innerText.includes('test-model')");
    page.wait("document.querySelector('[aria-label=Requests] tbody tr').innerText.includes('200')");
    assert_eq!(upstream.requests().iter().filter(|r| r.path == "/v1/messages").count(), 1);

    page.press("Add a key");
    page.choose("key-provider", "deepseek");
    page.fill("key", "sk-00000000000000000000000000000001");
    page.press("Add key");
    let keys = "document.querySelectorAll('[role=group][aria-label=Keys] tbody tr').length";
    page.wait(&format!("{keys} === 2"));
    let shown = home.clown(&["proxy", "route", "list", "routed"]).ok().stdout();
    assert!(!page.eval("document.body.innerHTML").as_str().unwrap().contains("00000000000001"), "{shown}");
    page.shot(&pages::pictures().join("proxy-live-1600-light.png"));
    page.click("[aria-label='Remove key 1']");
    page.wait(&format!("{keys} === 1"));
    assert_eq!((page.complaints(), page.is_marked()), (Vec::new(), true));
}

#[test]
fn a_provider_is_asked_whether_it_takes_a_key() {
    let upstream = Upstream::start();
    let mut home = home();
    with_claude(&mut home, "exit 0");
    home.add_provider("up", &upstream);
    home.add_provider("down", &upstream);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let manifest = upstream.manifest("down").replace(&upstream.port.to_string(), &gone.to_string());
    home.write(home.root().join("providers.d/down.toml"), &manifest);
    home.clown(&["profiles", "create", "claude", "mine", "--provider", "up", "--api-key-stdin"]).stdin(b"sk-test-1\n").ok();
    let browser = Browser::start();
    let (mut page, _) = logged_in(&home, &browser);
    page.go("#/providers?show=up");
    page.click("[data-check=mine] button");
    page.wait("document.querySelector('[data-check=mine] .said .state.ok')");
    assert!(upstream.requests().iter().any(|r| r.method == "GET" && r.holds("sk-test-1")));
    page.shot(&pages::pictures().join("provider-asked-1600-light.png"));
    page.go("#/providers?show=down");
    page.click("[data-check=address] button");
    page.wait("document.querySelector('[data-check=address] .said .state.bad')");
}
