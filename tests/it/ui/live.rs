//! What happens elsewhere is seen as it happens.

use super::*;
use crate::usage::{Answer, now};

#[test]
fn a_run_and_its_cost_arrive_without_a_reload() {
    let mut home = home();
    let wait = |file: &str| format!("while [ -d $W ] && [ ! -e $W/{file} ]; do sleep 0.02; done");
    let logs = "mkdir -p \"$CLAUDE_CONFIG_DIR/projects/-w-app\"; cp $W/lines \"$CLAUDE_CONFIG_DIR/projects/-w-app/s1.jsonl\"";
    with_claude(&mut home, &format!("{}\n{logs}\n{}", wait("speak"), wait("end")));
    let browser = Browser::start();
    let (mut page, _) = logged_in(&home, &browser);
    page.shows("No agent is running");
    page.wait("document.querySelector('.figure .big').textContent === '$0.00'");
    page.mark();

    let run = home.clown(&["run", "work"]).start();
    page.wait("document.querySelector('.rows a')?.innerText.includes('work')");
    let lines: String = ["1", "2"].map(|id| Answer { id, at: now(), input: 400_000, output: 9000 }.line("s1")).concat();
    home.write("w/lines", &lines);
    home.write("w/speak", "");
    page.wait("Number(document.querySelector('.figure .big').textContent.replace('$', '')) > 0.5");
    let cost = page.eval("document.querySelector('.figure .big').textContent");
    home.write("w/end", "");
    page.shows("No agent is running");
    run.wait().code_is(0);
    assert!(page.is_marked());

    // The record, with the same cost, and its requests in time.
    page.go("#/sessions");
    page.wait(&format!("[...document.querySelectorAll('tbody tr')].some((r) => r.innerText.includes({cost}))"));
    page.eval("document.querySelector('.row-link').click()");
    page.shows("Token timeline");
    page.wait("document.querySelector('.chart canvas') && document.querySelectorAll('tbody tr').length === 2");
    assert!(page.is_marked(), "all of it in one document");
    page.shot(&super::pages::pictures().join("session-used-1600-light.png"));
    assert_eq!(page.complaints(), Vec::<String>::new());

    page.go("#/events");
    page.shows("session/ended");
}

#[test]
fn a_daemon_that_is_gone_is_said_and_the_next_asks_for_a_login() {
    let home = home();
    let browser = Browser::start();
    let (mut page, base) = logged_in(&home, &browser);
    page.wait("document.querySelector('.side .connection')?.textContent === 'Live'");
    let port = base.rsplit(':').next().unwrap().to_owned();
    home.clown(&["config", "set", "http.port", &port]).ok();
    home.clown(&["daemon", "stop"]).ok();
    page.wait("document.querySelector('.side .connection')?.textContent === 'Reconnecting'");
    home.clown(&["daemon", "start"]).ok();
    page.shows("This browser is not logged in");
}
