use std::sync::atomic::AtomicU64;

use super::*;
use crate::usage::{
    pricing::Overrides,
    record::{Bill, Record, Tokens},
    row::{InOrder, Row, Rows},
};

mod follows;

/// One more request with each reading.
#[derive(Default)]
struct Growing {
    reads: Arc<AtomicU64>,
}

impl Rows for Growing {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        for _ in 0..self.reads.load(Ordering::SeqCst) {
            let bill = Bill { tokens: Tokens { input: 1, ..Tokens::default() }, ..Bill::default() };
            visit(Row { agent: "claude", profile: None, file: "", record: Record { bill, ..Record::default() } });
        }
    }
}

impl InOrder for Growing {}

impl Source for Growing {
    fn read_files(&self, files: &[&Path]) -> Result<Option<Read>> {
        if files.iter().any(|file| !file.ends_with("known")) {
            return Ok(None);
        }
        self.read(&[]).map(Some)
    }
    fn read(&self, _places: &[Place]) -> Result<Read> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(Read { changed: true, ..Read::default() })
    }
    fn import(&self, _agent: &str, _place: &Place) -> Result<Read> {
        self.reads.fetch_add(5, Ordering::SeqCst);
        Ok(Read::default())
    }
    fn forget(&self) -> Result<()> {
        Ok(())
    }
    fn census(&self, _places: &[Place]) -> Vec<crate::wire::usage::Collector> {
        Vec::new()
    }
    fn roots(&self, _places: &[Place]) -> Vec<(String, Place, PathBuf)> {
        Vec::new()
    }
    fn limits(&self) -> Vec<crate::wire::usage::Window> {
        Vec::new()
    }
    fn bills(&self) -> Vec<crate::usage::source::Billed> {
        Vec::new()
    }
    fn troubles(&self) -> Vec<crate::wire::usage::Trouble> {
        Vec::new()
    }
    fn file(&self) -> (PathBuf, u64) {
        Default::default()
    }
}

#[test]
fn a_question_reads_only_when_something_may_have_changed() {
    let reads = Arc::<AtomicU64>::default();
    let usage = Usage::new(Box::new(Growing { reads: Arc::clone(&reads) }), Prices::new(None, &Overrides::default()).unwrap());
    let ask = || usage.known(|| Ok(Scope::default())).unwrap().version;
    assert_eq!((ask(), ask()), (1, 2), "nobody tells of changes, so each question looks");
    usage.watched(true);
    assert_eq!((ask(), ask()), (2, 2));
    usage.changed();
    assert_eq!((ask(), ask()), (3, 3));
    assert_eq!(reads.load(Ordering::SeqCst), 3);
}

#[test]
fn an_import_says_what_is_new() {
    let usage = Usage::new(Box::new(Growing::default()), Prices::new(None, &Overrides::default()).unwrap());
    let (new, _) = usage.import(Scope::default(), "claude", &Place::default()).unwrap();
    assert_eq!(new, 6);
}

#[test]
fn a_failed_reading_is_tried_again() {
    let usage = Usage::new(Box::new(Growing::default()), Prices::new(None, &Overrides::default()).unwrap());
    usage.watched(true);
    assert!(usage.known(|| Err(crate::base::error::Error::io("no"))).is_err());
    assert_eq!(usage.known(|| Ok(Scope::default())).unwrap().version, 1);
}

#[test]
fn a_change_in_a_file_reads_that_file_and_one_that_is_not_known_reads_all() {
    let usage = Usage::new(Box::new(Growing::default()), Prices::new(None, &Overrides::default()).unwrap());
    usage.watched(true);
    let looks = std::cell::Cell::new(0);
    let ask = || {
        let scope = || {
            looks.set(looks.get() + 1);
            Ok(Scope::default())
        };
        (usage.known(scope).unwrap().version, looks.get())
    };
    assert_eq!(ask(), (1, 1));
    usage.changed_in(Path::new("/h/known"));
    assert_eq!((ask(), ask()), ((2, 1), (2, 1)));
    usage.changed_in(Path::new("/h/new"));
    usage.changed_in(Path::new("/h/known"));
    assert_eq!(ask(), (3, 2));
    for n in 0..=MOST_FILES {
        usage.changed_in(Path::new(&format!("/h/{n}/known")));
    }
    assert_eq!(ask(), (4, 3), "too many to look at each");
}

#[test]
fn other_prices_make_other_sums_of_what_was_read() {
    let usage = Usage::new(Box::new(Growing::default()), Prices::new(None, &Overrides::default()).unwrap());
    usage.watched(true);
    let version = || usage.known(|| Ok(Scope::default())).unwrap().version;
    assert_eq!((version(), version()), (1, 1));
    assert!(!usage.set_prices(Prices::new(None, &Overrides::default()).unwrap()));
    assert_eq!(version(), 1, "the same prices");
    let own = crate::usage::pricing::Override { input: 5.0, ..Default::default() };
    assert!(usage.set_prices(Prices::new(None, &[("m".to_owned(), own)].into()).unwrap()));
    assert_eq!(version(), 2);
}
