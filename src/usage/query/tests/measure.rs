//! What questions cost on a generated corpus: `cargo xtask corpus --out DIR`, then this test with `CLOWN_CORPUS=DIR` and `--nocapture`.
//! Times are told, never asserted.

use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::*;
use crate::usage::{
    logs::Logs,
    source::{Place, Source},
};

fn time(what: &str, count: usize, mut ask: impl FnMut()) {
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let begun = Instant::now();
            ask();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |percent: usize| times[(count - 1) * percent / 100];
    writeln!(std::io::stdout(), "{what}: least {:?}, median {:?}, p99 {:?}", times[0], at(50), at(99)).unwrap();
}

#[test]
fn questions_about_a_generated_corpus() {
    let Some(dir) = std::env::var_os("CLOWN_CORPUS").map(PathBuf::from) else { return };
    let index = std::env::var_os("CLOWN_CORPUS_INDEX").map_or_else(|| dir.join("index"), PathBuf::from);
    let logs = Logs::new(index);
    let place = Place { home: dir.join("home"), ..Place::default() };
    logs.read(std::slice::from_ref(&place)).unwrap();
    let prices = prices();
    let terms = Terms { prices: &prices, provider: &|_| None };
    let mut ledger = Ledger::of(&logs, &terms);
    writeln!(std::io::stdout(), "{} sums", ledger.buckets().count()).unwrap();
    time("all sums", 20, || drop(Ledger::of(&logs, &terms)));
    time("a look at all", 50, || drop(logs.read(std::slice::from_ref(&place)).unwrap()));
    let mut number = 0;
    time("one more row", 500, || {
        number += 97;
        ledger.update(&logs, &[number % 80_000], &terms);
    });
    let mut last = i64::MIN;
    logs.each(&mut |row| last = last.max(row.record.bill.ts_ms));
    let now = Timestamp::from_millisecond(last + 60_000).unwrap();
    let select = Select { timezone: "Europe/Berlin".into(), ..Select::default() };
    for group in [Group::Daily, Group::Weekly, Group::Sessions, Group::Models, Group::Projects, Group::Blocks] {
        let asked = Report { breakdown: true, ..ask(group, select.clone()) };
        time(&format!("{group:?}"), 300, || drop(report(&ledger, &asked, now).unwrap()));
    }
    let asked = Report { breakdown: true, ..ask(Group::Daily, Select { models: vec!["claude*".into()], ..select.clone() }) };
    time("days of some models", 300, || drop(report(&ledger, &asked, now).unwrap()));
    let asked = Summary { select: select.clone() };
    time("summary", 300, || drop(summary(&ledger, &asked, now).unwrap()));
    let asked = Statusline { agent: "claude".into(), session: Some("one".into()), ..Statusline::default() };
    time("statusline", 300, || drop(statusline(&ledger, &asked, now).unwrap()));
}
