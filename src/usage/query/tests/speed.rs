//! Not a test of time: prints what a question costs. `cargo test --release -- --ignored --nocapture query_speed`

use std::time::Instant;

use super::*;

#[test]
#[ignore = "measures"]
fn query_speed() {
    let agents = ["claude", "codex"];
    let models = ["claude-opus-5-5", "claude-haiku-5-5", "gpt-5.5"];
    let start = at("2026-01-01T00:00:00Z").as_second();
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let ones: Vec<One> = (0..2236_usize)
        .flat_map(|session| (0..36).map(move |n| (session, n)))
        .map(|(session, n)| One {
            agent: agents[session % 2],
            at: leak(Timestamp::from_second(start + (session as i64 * 11_003) % 27_000_000 + n * 97).unwrap().to_string()),
            model: models[(session + n as usize / 20) % 3],
            project: leak(format!("/w/{}", session % 40)),
            session: leak(format!("session-{session}")),
            ..One::default()
        })
        .collect();
    let built = Instant::now();
    let ledger = ledger(&ones);
    println!("{} rows, {} sums in {:?}", ones.len(), ledger.buckets.len(), built.elapsed());
    for group in [Group::Daily, Group::Sessions, Group::Models, Group::Projects, Group::Blocks] {
        let mut times: Vec<_> = (0..200)
            .map(|_| {
                let asked = Report { breakdown: true, ..ask(group, Select { timezone: "Europe/Berlin".into(), ..Select::default() }) };
                let begun = Instant::now();
                report(&ledger, &asked, at(NOW)).unwrap();
                begun.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("{group:?}: median {:?}, p99 {:?}", times[100], times[197]);
    }
    let begun = Instant::now();
    summary(&ledger, &Summary::default(), at(NOW)).unwrap();
    println!("summary {:?}", begun.elapsed());
}
