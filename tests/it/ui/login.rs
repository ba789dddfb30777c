//! The way in.

use super::*;

#[test]
fn a_link_logs_a_browser_in_once_and_leaves_nothing_for_scripts() {
    let home = home();
    let browser = Browser::start();
    let link = link(&home);
    let mut page = browser.page();
    page.open(&link);
    page.wait("document.querySelector('main h1')?.textContent === 'Dashboard'");
    page.wait("document.querySelector('.side .connection')?.textContent === 'Live'");
    assert_eq!(page.eval("location.hash + document.cookie"), "", "the secret is gone from the address, and no script sees the cookie");
    assert_eq!(page.eval("history.length").as_u64().map(|n| n <= 3), Some(true));
    assert_eq!(page.complaints(), Vec::<String>::new());
    // The cookie is enough from now on.
    page.open(&base(&link));
    page.wait("document.querySelector('main h1')?.textContent === 'Dashboard'");

    let other = Browser::start();
    let mut stranger = other.page();
    stranger.open(&link);
    stranger.shows("This browser is not logged in");
    assert_eq!(stranger.eval("fetch('/api/v1/profiles').then((r) => r.status)"), 401);
    // And a fresh link helps, in the same document.
    stranger.open(&super::link(&home));
    stranger.wait("document.querySelector('main h1')?.textContent === 'Dashboard'");
}

#[test]
fn the_first_load_is_small_and_asks_nobody_else() {
    let home = home();
    let browser = Browser::start();
    let (mut page, base) = logged_in(&home, &browser);
    page.open(&base);
    page.wait("document.querySelector('main h1')");
    page.wait("performance.getEntriesByType('paint').length > 0");
    let loads = page.eval("JSON.stringify(performance.getEntriesByType('resource').map((r) => [r.name, r.encodedBodySize]))");
    let loads: Vec<(String, u64)> = serde_json::from_str(loads.as_str().unwrap()).unwrap();
    assert!(loads.iter().all(|(name, _)| name.starts_with(&base)), "{loads:?}");
    let assets: Vec<_> = loads.iter().filter(|(name, _)| !name.contains("/api/")).collect();
    let sum: u64 = assets.iter().map(|(_, size)| size).sum();
    assert!(assets.len() >= 3 && sum > 10_000 && sum < 120 * 1024, "{sum} bytes: {assets:?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the bench reads it")]
fn the_first_paint_needs_no_cache() {
    let home = home();
    let browser = Browser::start();
    let (mut page, base) = logged_in(&home, &browser);
    page.call("Network.setCacheDisabled", &serde_json::json!({ "cacheDisabled": true }));
    let mut times = Vec::new();
    for _ in 0..11 {
        page.open(&base);
        let paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime";
        page.wait(paint);
        times.push(page.eval(paint).as_f64().unwrap());
    }
    times.sort_by(f64::total_cmp);
    println!("first paint: median {:.0} worst {:.0}", times[5], times[10]);
}
