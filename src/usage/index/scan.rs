//! Looks at all logs and reads what is new, the biggest first.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::book::Book;
use super::file::{Entry, Problems};
use super::find::{Found, Root, Search};
use super::lines::Lines;
use super::tail::{self, REVISION};
use crate::usage::collect::{Bill, Limit, Problem, Seen, Sink};

const WORKERS: usize = 2;

/// What a look at the logs brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub files_found: usize,
    pub files_read: usize,
    /// All that was read, fingerprints too.
    pub bytes_read: u64,
    /// What this look met. `Index::troubles` has all that is known.
    pub troubles: Vec<Trouble>,
    /// Those of them that are no log's: places that could not be searched.
    pub unsearched: Vec<Trouble>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    pub path: String,
    pub problem: Problem,
    pub count: u32,
}

/// A log to read, and its number in the book.
struct Job {
    found: Found,
    number: u32,
    known: Entry,
}

pub(super) fn scan(book: &mut Book, roots: &[Root]) -> Report {
    let Search { found, troubles, .. } = Search::all(roots);
    let report = Report { files_found: found.len(), troubles: troubles.clone(), unsearched: troubles, ..Report::default() };
    let jobs = jobs(book, found);
    work(book, jobs, report)
}

/// Only these logs, which are known and where they were. `None`: one is not.
pub(super) fn scan_known(book: &mut Book, paths: &[&Path]) -> Option<Report> {
    let mut jobs = Vec::new();
    for path in paths {
        let text = path.to_string_lossy();
        let mut same = (0..).zip(&book.files).filter(|(_, entry)| entry.path == text);
        let ((number, entry), None) = (same.next()?, same.next()) else { return None };
        let found = Found::known(path, entry)?;
        if entry.stamp != found.stamp || entry.revision != REVISION {
            jobs.push(Job { number, known: entry.clone(), found });
        }
    }
    Some(work(book, jobs, Report { files_found: book.files.len(), ..Report::default() }))
}

fn work(book: &mut Book, mut jobs: Vec<Job>, mut report: Report) -> Report {
    jobs.sort_by_key(|job| std::cmp::Reverse(job.found.stamp.size().saturating_sub(job.known.offset)));
    let next = AtomicUsize::new(0);
    let book = Mutex::new(book);
    let work = || {
        let mut own = Report::default();
        let mut lines = Lines::default();
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            run(job, &book, &mut lines, &mut own);
        }
        own
    };
    let reports = if jobs.len() < 2 {
        vec![work()]
    } else {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (1..WORKERS).map(|_| scope.spawn(work)).collect();
            let mut reports = vec![work()];
            // A collector that panicked lost its file for now, and no other.
            reports.extend(workers.into_iter().filter_map(|worker| worker.join().ok()));
            reports
        })
    };
    for own in reports {
        report.files_read += own.files_read;
        report.bytes_read += own.bytes_read;
        report.troubles.extend(own.troubles);
    }
    report.troubles.sort();
    report
}

/// What has to be read. A log that moved keeps its number, and what is known of it.
fn jobs(book: &mut Book, found: Vec<Found>) -> Vec<Job> {
    let key = |agent: &str, path: &str| (agent.to_owned(), path.to_owned());
    let numbered = || (0..).zip(&book.files);
    let paths: HashMap<(String, String), u32> = numbered().map(|(number, entry)| (key(&entry.agent, &entry.path), number)).collect();
    let there: HashSet<&Path> = found.iter().map(|found| found.path.as_path()).collect();
    let gone = numbered().filter(|(_, entry)| !there.contains(Path::new(&entry.path)));
    let mut moved: HashMap<(u64, u64), u32> = gone.filter_map(|(number, entry)| Some((entry.stamp.place()?, number))).collect();
    let mut jobs = Vec::new();
    for found in found {
        let path = found.path.to_string_lossy().into_owned();
        let agent = found.collector.word();
        let mut number = paths.get(&key(agent, &path)).copied();
        if number.is_none()
            && let Some(place) = found.stamp.place()
            && moved.get(&place).and_then(|number| book.file(*number)).is_some_and(|entry| entry.agent == agent && is_same(&found, entry))
        {
            number = moved.remove(&place);
        }
        let number = number.unwrap_or_else(|| {
            book.files.push(Entry { agent: agent.to_owned(), ..Entry::default() });
            u32::try_from(book.files.len() - 1).unwrap_or(u32::MAX)
        });
        let Some(entry) = book.files.get_mut(number as usize) else { continue };
        if entry.path != path || entry.profile != found.profile {
            if !entry.path.is_empty() && entry.profile != found.profile {
                // All its requests are another profile's now.
                book.touched.all();
            }
            entry.path = path;
            entry.profile.clone_from(&found.profile);
            book.news.files.push(number);
        }
        if entry.stamp != found.stamp || entry.revision != REVISION {
            jobs.push(Job { number, known: entry.clone(), found });
        }
    }
    jobs
}

fn is_same(found: &Found, entry: &Entry) -> bool {
    entry.offset > 0
        && found.stamp.size() >= entry.offset
        && File::open(&found.path).and_then(|mut file| tail::holds(&mut file, entry, &mut 0)).unwrap_or(false)
}

fn run(job: &Job, book: &Mutex<&mut Book>, lines: &mut Lines, report: &mut Report) {
    let mut telling = Telling { book, job, problems: Problems::default() };
    let outcome = tail::read(&job.found, &job.known, lines, &mut telling);
    let mut problems = telling.problems;
    match outcome {
        Ok(mut reading) => {
            report.files_read += 1;
            report.bytes_read += reading.bytes;
            // Whether it can be read is known anew each time.
            reading.entry.problems[UNREADABLE] = 0;
            for (all, new) in reading.entry.problems.iter_mut().zip(problems) {
                *all = all.saturating_add(new);
            }
            let mut book = locked(book);
            if let Some(entry) = book.files.get_mut(job.number as usize) {
                *entry = reading.entry;
                book.news.files.push(job.number);
            }
        }
        // It went away meanwhile.
        Err(err) if err.kind() == ErrorKind::NotFound => {}
        Err(_) => {
            add(&mut problems, Problem::Unreadable);
            let mut book = locked(book);
            if let Some(entry) = book.files.get_mut(job.number as usize).filter(|entry| entry.problems[UNREADABLE] == 0) {
                entry.problems[UNREADABLE] = 1;
                book.news.files.push(job.number);
            }
        }
    }
    report.troubles.extend(troubles(&job.found.path.to_string_lossy(), problems));
}

/// Its place among them.
const UNREADABLE: usize = 3;

/// New kinds go to the end: the index has counts by place.
pub(super) const PROBLEMS: [Problem; 7] =
    [Problem::NotJson, Problem::TooLong, Problem::Incomplete, Problem::Unreadable, Problem::Half, Problem::NotText, Problem::Version];

pub(super) fn troubles(path: &str, counts: Problems) -> impl Iterator<Item = Trouble> + '_ {
    let met = PROBLEMS.into_iter().zip(counts).filter(|(_, count)| *count > 0);
    met.map(|(problem, count)| Trouble { path: path.to_owned(), problem, count })
}

fn add(problems: &mut Problems, problem: Problem) {
    for (count, _) in problems.iter_mut().zip(PROBLEMS).filter(|(_, kind)| *kind == problem) {
        *count = count.saturating_add(1);
    }
}

fn locked<'a, 'b>(book: &'a Mutex<&'b mut Book>) -> MutexGuard<'a, &'b mut Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries what a collector tells into the book, which both workers write to.
struct Telling<'a, 'b> {
    book: &'a Mutex<&'b mut Book>,
    job: &'a Job,
    problems: Problems,
}

impl Sink for Telling<'_, '_> {
    fn request(&mut self, seen: Seen<'_>) {
        locked(self.book).tell(self.job.found.collector.word(), self.job.number, &seen);
    }

    fn limit(&mut self, limit: Limit) {
        locked(self.book).limit(self.job.found.collector.word(), self.job.found.profile.as_deref(), limit);
    }

    fn bill(&mut self, bill: Bill) {
        locked(self.book).bill(self.job.found.collector.word(), bill);
    }

    fn problem(&mut self, problem: Problem) {
        add(&mut self.problems, problem);
    }
}
