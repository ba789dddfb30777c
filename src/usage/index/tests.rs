//! The collectors and the index together: what a person sees who has these logs.

mod claude;
mod codex;
mod disk;
mod forks;
mod measure;
mod others;
#[cfg(unix)]
mod places;
mod properties;

use std::fs;
use std::path::{Path, PathBuf};

use super::{Index, Report, Root, roots};
use crate::usage::collect::Home;
use crate::usage::record::{Record, Tokens};
use crate::usage::row::Rows;

/// A home with logs, and an index beside it.
pub(super) struct Logs {
    dir: tempfile::TempDir,
}

/// One row, as text where that is easier to compare.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) agent: String,
    pub(super) profile: Option<String>,
    pub(super) file: String,
    pub(super) record: Record<'static>,
}

impl Logs {
    pub(super) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(super) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    pub(super) fn index_file(&self) -> PathBuf {
        self.dir.path().join("index/usage.index")
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(super) fn append(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, text.as_ref()).unwrap();
        self
    }

    pub(super) fn roots(&self) -> Vec<Root> {
        roots_of(&self.home(), None)
    }

    pub(super) fn open(&self) -> Index {
        Index::open(&self.dir.path().join("index")).unwrap()
    }

    pub(super) fn look(&self) -> (Index, Report) {
        let mut index = self.open();
        let report = index.scan(&self.roots()).unwrap();
        (index, report)
    }

    pub(super) fn rows(&self) -> Vec<Seen> {
        rows(&self.look().0)
    }

    /// How many requests there are, and their tokens.
    pub(super) fn sum(&self) -> (usize, Tokens) {
        sum(&self.rows())
    }
}

pub(super) fn roots_of(home: &Path, profile: Option<&str>) -> Vec<Root> {
    let words: Vec<&str> = crate::usage::collect::collectors().iter().map(|collector| collector.word()).collect();
    roots(&Home { path: home, profile, env: &|_| None }, &words)
}

/// Sorted by key.
pub(super) fn rows(index: &dyn Rows) -> Vec<Seen> {
    let mut rows = Vec::new();
    index.each(&mut |row| {
        let text = |text: &std::borrow::Cow<'_, str>| std::borrow::Cow::Owned(text.to_string());
        let record = row.record;
        rows.push(Seen {
            agent: row.agent.to_owned(),
            profile: row.profile.map(str::to_owned),
            file: Path::new(row.file).file_name().unwrap_or_default().to_string_lossy().into_owned(),
            record: Record {
                key: text(&record.key),
                session: text(&record.session),
                parent_session: record.parent_session.as_ref().map(text),
                project: record.project.as_ref().map(text),
                agent_id: record.agent_id.as_ref().map(text),
                provider: record.provider.as_ref().map(text),
                model: text(&record.model),
                bill: record.bill,
                sidechain: record.sidechain,
                aborted: record.aborted,
                sub_request: record.sub_request,
                source_cost: record.source_cost,
            },
        });
    });
    rows.sort_by(|a, b| a.record.key.cmp(&b.record.key));
    rows
}

pub(super) fn sum(rows: &[Seen]) -> (usize, Tokens) {
    let mut tokens = Tokens::default();
    rows.iter().for_each(|row| tokens += row.record.bill.tokens);
    (rows.len(), tokens)
}

/// A file of `tests/fixtures/usage`.
pub(super) fn fixture(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/usage").join(name)).unwrap()
}

/// All orders of these.
pub(super) fn orders<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for at in 0..of.len() {
        let mut rest = of.to_vec();
        let first = rest.remove(at);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

/// `RULES.md` names a test for each rule; one that is renamed or gone leaves a rule that nobody checks.
#[test]
fn every_rule_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut todo, mut text) = (vec![root.join("src/usage"), root.join("tests/it/usage")], String::new());
    while let Some(dir) = todo.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            match path.extension().is_some_and(|ending| ending == "rs") {
                true => text += &fs::read_to_string(path).unwrap(),
                false if path.is_dir() => todo.push(path),
                false => {}
            }
        }
    }
    let rules = fs::read_to_string(root.join("src/usage/RULES.md")).unwrap();
    let tests: Vec<&str> = rules.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit('`').next()).collect();
    assert!(tests.len() > 80, "{}", tests.len());
    for test in tests {
        assert!(text.contains(&format!("fn {test}(")), "{test}");
    }
}
