//! The index as others use it.

use std::fs::File;
use std::path::Path;

use super::book::Book;
use super::file::Problems;
use super::find::Root;
use super::scan::{self, Report, Trouble};
use super::segment::Segment;
use crate::base::error::{Error, Result};
use crate::base::fsx;
use crate::usage::collect::{Bill, Limit, Problem};
use crate::usage::row::{Changes, Row, Rows};

/// The index's file in its directory.
const FILE: &str = "usage.index";

/// All requests any log ever told of.
pub struct Index {
    book: Book,
    segment: Segment,
    /// Held while this process may write. `None`: another one does, and what is read here stays in memory.
    lock: Option<File>,
    foreign: bool,
    /// Places the last look could not search.
    unsearched: Vec<Trouble>,
}

/// What is known of one log.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    pub agent: &'a str,
    pub profile: Option<&'a str>,
    pub path: &'a str,
    /// Whole lines read of it; 0 for a database.
    pub lines: u64,
    problems: &'a Problems,
}

impl Log<'_> {
    pub fn problems(&self) -> impl Iterator<Item = (Problem, u32)> {
        scan::PROBLEMS.into_iter().zip(*self.problems)
    }
}

impl Index {
    /// Opens the index in this directory, which is made where it is missing. What another program wrote there is set aside.
    pub fn open(dir: &Path) -> Result<Self> {
        fsx::create_private_dir(dir)?;
        let path = dir.join(FILE);
        let lock = fsx::open_lock(&dir.join(format!("{FILE}.lock")))?;
        let lock = lock.try_lock().is_ok().then_some(lock);
        let (segment, book, foreign) = Segment::open(&path, lock.is_some())?;
        Ok(Self { book, segment, lock, foreign, unsearched: Vec::new() })
    }

    /// Reads what is new below these roots. Give all of them each time: a log that is not found any more is taken for gone, which costs
    /// nothing, and its requests stay.
    pub fn scan(&mut self, roots: &[Root]) -> Result<Report> {
        let report = scan::scan(&mut self.book, roots);
        self.unsearched.clone_from(&report.unsearched);
        self.segment.append(&mut self.book).map_err(|err| Error::io("the usage index cannot be written").cause(err))?;
        Ok(report)
    }

    /// Reads what is new in these logs only. `None`: one of them is not known yet, or not a log that grows in its place, so all roots must
    /// be searched.
    pub fn scan_known(&mut self, paths: &[&Path]) -> Result<Option<Report>> {
        let Some(report) = scan::scan_known(&mut self.book, paths) else { return Ok(None) };
        self.segment.append(&mut self.book).map_err(|err| Error::io("the usage index cannot be written").cause(err))?;
        Ok(Some(report))
    }

    /// Waits until the disk has what was read. Without it a power cut costs a second reading of logs that still exist.
    pub fn sync(&self) -> Result<()> {
        self.segment.sync().map_err(|err| Error::io("the usage index cannot be written").cause(err))
    }

    /// Writes the file anew without what is stale in it, which happens by itself when that is half of it.
    pub fn rewrite(&mut self) -> Result<()> {
        if !self.is_writer() {
            return Ok(());
        }
        self.segment.rewrite(&self.book).map_err(|err| Error::io("the usage index cannot be written").cause(err))
    }

    /// False where another process writes the index.
    #[must_use]
    pub fn is_writer(&self) -> bool {
        self.lock.is_some()
    }

    /// Whether something unknown stood in the index's place when it was opened.
    #[must_use]
    pub fn was_foreign(&self) -> bool {
        self.foreign
    }

    /// The latest state of each limit an agent was told: agent, profile, limit.
    pub fn limits(&self) -> impl Iterator<Item = (&str, Option<&str>, &Limit)> {
        self.book.limits.iter().map(|((agent, profile, _), limit)| (agent.as_str(), profile.as_deref(), limit))
    }

    /// Sessions' own bills: agent, bill.
    pub fn bills(&self) -> impl Iterator<Item = (&str, &Bill)> {
        self.book.bills.iter().map(|((agent, _), bill)| (agent.as_str(), bill))
    }

    /// What could not be read in all logs that were ever read.
    pub fn troubles(&self) -> impl Iterator<Item = Trouble> + '_ {
        let of_logs = self.book.files.iter().flat_map(|file| scan::troubles(&file.path, file.problems));
        of_logs.chain(self.unsearched.iter().cloned())
    }

    /// All logs that were ever read, those that are gone too.
    pub fn logs(&self) -> impl Iterator<Item = Log<'_>> {
        self.book.files.iter().filter(|file| file.revision > 0 || file.problems != Problems::default()).map(|file| Log {
            agent: &file.agent,
            profile: file.profile.as_deref(),
            path: &file.path,
            lines: file.lines,
            problems: &file.problems,
        })
    }

    /// Has the next look read every log from its start, as if none was known. What was told of logs that are gone stays.
    pub fn forget(&mut self) {
        self.book.files.iter_mut().for_each(|file| file.revision = 0);
    }
}

impl Index {
    /// Which rows may be other ones than when this was asked last.
    pub fn changes(&mut self) -> Changes {
        self.book.changes()
    }

    /// Every row with its number, which it keeps.
    pub fn each_numbered(&self, visit: &mut dyn FnMut(u32, Row<'_>)) {
        self.book.numbers().for_each(|at| {
            if let Some(row) = self.book.numbered(at) {
                visit(at, row);
            }
        });
    }

    /// The row of a number. `None`: it is none, or none any more.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Option<Row<'_>> {
        self.book.numbered(number)
    }
}

impl Rows for Index {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        self.book.each(visit);
    }
}
