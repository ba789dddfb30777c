//! Our prices against LiteLLM's own, the version that `tests/sdk/requirements.txt` pins.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use clown::usage::pricing::{Money, Overrides, Prices, Table, check_table};
use clown::usage::record::{Bill, Geo, Record, ServiceTier, Speed, Tokens};
use serde::Deserialize;

use crate::support::python;

/// What the script writes. No network: its own table is used, and the address a proxy would have is nobody's.
fn litellm(args: &[&str]) -> Vec<u8> {
    let out = Command::new(python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/prices.py"))
        .args(args)
        .env_clear()
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUTF8", "1")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

/// `CLOWN_UPDATE_PRICES=1` packs it anew, after another version was pinned.
#[test]
fn the_table_inside_the_program_is_the_pinned_packages() {
    let published = litellm(&["table"]);
    if std::env::var_os("CLOWN_UPDATE_PRICES").is_some() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packed, Table::pack(&published).unwrap().as_bytes()).unwrap();
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/prices/litellm.tsv.gz");
        fs::write(place, packed.finish().unwrap()).unwrap();
        panic!("packed; run the tests again");
    }
    let published = Table::of_litellm(&published).unwrap();
    assert!(published.names().eq(Table::built_in().names()));
    assert_eq!(published.hash(), Table::built_in().hash(), "CLOWN_UPDATE_PRICES=1 packs it anew");
}

/// Prices of the published file as a sync would keep it.
fn passed() -> (tempfile::TempDir, Prices) {
    let published = litellm(&["table"]);
    let checked = check_table(&published, None).unwrap();
    assert_eq!((checked.models, checked.left_out), (Table::built_in().names().count() as u64, 0));
    assert_eq!(checked.moved, []);
    let kept = String::from_utf8(checked.file).unwrap();
    assert!(!kept.contains("://") && kept.len() * 2 < published.len(), "{} of {} bytes", kept.len(), published.len());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("prices.json");
    fs::write(&file, kept).unwrap();
    let prices = Prices::new(Some(&file), &Overrides::new()).unwrap();
    assert_eq!(prices.problem(), None);
    (dir, prices)
}

#[derive(Deserialize)]
struct Case {
    model: String,
    tier: Option<String>,
    speed: Option<String>,
    geo: String,
    ts_ms: i64,
    tokens: Counts,
    web_searches: u32,
    input: f64,
    output: f64,
    /// Null where LiteLLM counts searches by other things than the usage.
    search: Option<f64>,
}

#[derive(Clone, Copy, Deserialize)]
struct Counts {
    input: u64,
    output: u64,
    reasoning: u64,
    cache_read: u64,
    cache_write_5m: u64,
    cache_write_1h: u64,
    cache_write_12h: u64,
    cache_write_other: u64,
}

impl Case {
    fn bill(&self) -> Bill {
        let Counts { input, output, reasoning, cache_read, cache_write_5m, cache_write_1h, cache_write_12h, cache_write_other } =
            self.tokens;
        let tokens = Tokens { input, output, reasoning, cache_read, cache_write_5m, cache_write_1h, cache_write_12h, cache_write_other };
        Bill {
            tokens,
            web_searches: self.web_searches,
            tier: ServiceTier::of(self.tier.as_deref().unwrap_or("")),
            speed: Speed::of(self.speed.as_deref().unwrap_or("")),
            geo: Geo::of(&self.geo),
            ts_ms: self.ts_ms,
        }
    }
}

fn near(one: f64, two: f64) -> bool {
    (one - two).abs() <= 1e-12 * one.abs().max(two.abs())
}

#[test]
fn litellm_prices_thousands_of_requests_the_same() {
    const COUNT: usize = 5000;
    let told = String::from_utf8(litellm(&["cases", "20260601", &COUNT.to_string()])).unwrap();
    let cases: Vec<Case> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cases.len(), COUNT);
    let prices = Prices::new(None, &Overrides::new()).unwrap();
    let (_dir, passed) = passed();
    let (mut wrong, mut models, mut searches) = (Vec::new(), BTreeSet::new(), 0);
    for (case, line) in cases.iter().zip(told.lines()) {
        models.insert(case.model.as_str());
        let record = Record { model: case.model.as_str().into(), bill: case.bill(), ..Record::default() };
        let ours = prices.cost(&record);
        assert_eq!(ours, passed.cost(&record), "priced by what a sync would keep: {line}");
        let same = |ours: Money, told: f64| near(ours.usd(), told);
        if case.search.is_some_and(|search| search > 0.0) {
            searches += 1;
        }
        match ours {
            Some(ours)
                if same(ours.input, case.input)
                    && same(ours.output, case.output)
                    && case.search.is_none_or(|told| same(ours.web_search, told)) => {}
            ours => wrong.push(format!("{line}\n  ours {:?}", ours.map(|cost| [cost.input, cost.output, cost.web_search].map(Money::usd)))),
        }
    }
    assert!(wrong.is_empty(), "{} of {COUNT} differ\n{}", wrong.len(), wrong.join("\n"));
    // The script would have to draw nothing to make the comparison empty.
    assert!(models.len() > 1500 && searches > 100, "{} models, {searches} with searches", models.len());
}
