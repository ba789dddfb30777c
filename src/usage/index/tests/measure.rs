//! Whole scans of a generated corpus, for its truth and for the bench: `cargo xtask corpus --out DIR`, then this test with
//! `CLOWN_CORPUS=DIR`. The index goes to `CLOWN_CORPUS_INDEX`; with `CLOWN_CORPUS_UNCHECKED` only the scan's own figures are told.

use std::io::Write;
use std::path::PathBuf;

use super::{roots_of, rows, sum};
use crate::usage::index::Index;
use crate::usage::row::Rows;

#[test]
fn a_generated_corpus_counts_as_its_truth_says() {
    let Some(dir) = std::env::var_os("CLOWN_CORPUS").map(PathBuf::from) else { return };
    let place = std::env::var_os("CLOWN_CORPUS_INDEX").map_or_else(|| dir.join("index"), PathBuf::from);
    let mut index = Index::open(&place).unwrap();
    let report = index.scan(&roots_of(&dir.join("home"), None)).unwrap();
    writeln!(std::io::stdout(), "{report:?}").unwrap();
    if std::env::var_os("CLOWN_CORPUS_UNCHECKED").is_some() {
        let mut count = 0;
        index.each(&mut |_| count += 1);
        writeln!(std::io::stdout(), "{count} requests").unwrap();
        return;
    }
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.join("truth.json")).unwrap()).unwrap();
    for agent in ["claude", "codex"] {
        let of: Vec<_> = rows(&index).into_iter().filter(|row| row.agent == agent).collect();
        let (count, tokens) = sum(&of);
        let told = serde_json::to_value(tokens).unwrap();
        assert_eq!(truth[agent]["requests"], count, "{agent}");
        for (name, value) in told.as_object().unwrap() {
            assert_eq!(&truth[agent][name], value, "{agent} {name}");
        }
    }
}
