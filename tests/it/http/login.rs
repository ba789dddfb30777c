//! A browser's way in: link, cookie, logout.

use serde_json::json;

use super::web::Web;

#[test]
fn a_link_logs_in_once_and_the_cookie_works_for_our_page_until_logout() {
    let web = Web::new();
    let out = web.home.clown(&["ui", "--print"]).ok().stdout();
    let (address, token) = out.trim().split_once("/#login=").unwrap();
    assert_eq!(address, format!("http://{}", web.host()));
    let own = format!("http://{}", web.host());
    let page = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(web.ask_with("POST", "/api/v1/login", &page, Some(&json!({ "token": "no" }))).status, 401);
    let login = web.ask_with("POST", "/api/v1/login", &page, Some(&json!({ "token": token })));
    assert_eq!((login.status, login.text().as_str()), (204, ""));
    let line = login.header("set-cookie").unwrap().to_owned();
    assert!(["HttpOnly", "SameSite=Strict", "Path=/"].iter().all(|word| line.contains(word)), "{line}");
    assert_eq!(web.ask_with("POST", "/api/v1/login", &page, Some(&json!({ "token": token }))).status, 401, "once");
    let cookie = line.split(';').next().unwrap();
    let with = [page[0], page[1], ("cookie", cookie)];
    assert_eq!(web.ask_with("GET", "/api/v1/hello", &with[1..], None).status, 200);
    let made = json!({ "agent": "claude", "alias": "work", "provider": "offline" });
    assert_eq!(web.ask_with("POST", "/api/v1/profiles", &with, Some(&made)).status, 200);
    let logout = web.ask_with("POST", "/api/v1/logout", &with, Some(&json!({})));
    assert_eq!(logout.status, 204);
    assert!(logout.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(web.ask_with("GET", "/api/v1/hello", &with[1..], None).status, 401);
}

#[test]
fn another_trees_cookie_and_token_open_nothing() {
    let (a, b) = (Web::new(), Web::new());
    let cookie = a.cookie();
    assert_eq!(b.ask_with("GET", "/api/v1/hello", &[("cookie", &cookie), ("sec-fetch-site", "same-origin")], None).status, 401);
    assert_eq!(b.ask_with("GET", "/api/v1/hello", &[("authorization", &a.bearer())], None).status, 401);
    assert_ne!(cookie.split('=').next(), b.cookie().split('=').next(), "each tree has its own name for it");
}

#[test]
fn a_browser_that_cannot_be_started_leaves_the_link() {
    let mut home = crate::support::TestHome::new();
    home.set("PATH", "/nonexistent");
    let web = Web::of(home);
    let out = web.home.clown(&["ui"]).ok();
    assert!(out.stdout().contains("/#login=") || out.stderr.is_empty(), "{}", out.report());
}
