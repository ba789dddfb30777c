//! The agents' logs through the index.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    collect::{Home, Problem, collectors},
    index::{Index, Report, Root, Trouble, roots},
    row::{Changes, Numbered, Row, Rows},
    source::{Billed, Place, Read, Source},
};
use crate::{
    base::error::{Error, Result},
    wire::usage,
};

pub struct Logs {
    dir: PathBuf,
    /// Opened with the first question. Held while reading and while rows are walked.
    index: Mutex<Option<Index>>,
}

impl Logs {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, index: Mutex::new(None) }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Index) -> Result<T>) -> Result<T> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if index.is_none() {
            *index = Some(Index::open(&self.dir)?);
        }
        index.as_mut().map_or_else(|| Err(Error::defect("the usage index is closed")), use_it)
    }

    /// Nothing before the first reading.
    fn look<T: Default>(&self, look: impl FnOnce(&Index) -> T) -> T {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(look).unwrap_or_default()
    }
}

fn words() -> Vec<&'static str> {
    collectors().iter().map(|collector| collector.word()).collect()
}

fn roots_of(place: &Place, words: &[&str]) -> Vec<Root> {
    let words: Vec<&str> = words.iter().copied().filter(|word| place.only.as_deref().is_none_or(|only| only == *word)).collect();
    roots(&Home { path: &place.home, profile: place.profile.as_deref(), env: &|name| place.env.get(name).cloned() }, &words)
}

impl Rows for Logs {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        self.look(|index| index.each(visit));
    }
}

impl Numbered for Logs {
    fn changes(&self) -> Changes {
        self.with(|index| Ok(index.changes())).unwrap_or(Changes::All)
    }

    fn each_numbered(&self, visit: &mut dyn FnMut(u32, Row<'_>)) {
        self.look(|index| index.each_numbered(visit));
    }

    fn some(&self, numbers: &[u32], visit: &mut dyn FnMut(u32, Row<'_>)) {
        self.look(|index| {
            for number in numbers {
                if let Some(row) = index.numbered(*number) {
                    visit(*number, row);
                }
            }
        });
    }
}

impl Source for Logs {
    fn read(&self, places: &[Place]) -> Result<Read> {
        let words = words();
        let roots: Vec<Root> = places.iter().flat_map(|place| roots_of(place, &words)).collect();
        self.scan(&roots)
    }

    fn read_files(&self, files: &[&Path]) -> Result<Option<Read>> {
        self.with(|index| Ok(index.scan_known(files)?.map(read)))
    }

    fn import(&self, agent: &str, place: &Place) -> Result<Read> {
        self.scan(&roots_of(place, &[agent]))
    }

    fn roots(&self, places: &[Place]) -> Vec<(String, Place, PathBuf)> {
        let words = words();
        let of = |place: &Place| {
            let named = |root: Root| (root.agent, place.clone(), root.path);
            roots_of(place, &words).into_iter().map(named).collect::<Vec<_>>()
        };
        places.iter().flat_map(of).collect()
    }

    fn forget(&self) -> Result<()> {
        self.with(|index| {
            index.forget();
            Ok(())
        })
    }

    fn census(&self, places: &[Place]) -> Vec<usage::Collector> {
        let mut found: Vec<usage::Collector> = Vec::new();
        let mut by: HashMap<(String, Option<String>), Vec<usize>> = HashMap::new();
        for (agent, place, root) in self.roots(places) {
            by.entry((agent.clone(), place.profile.clone())).or_default().push(found.len());
            let root = root.display().to_string();
            found.push(usage::Collector { agent, profile: place.profile, root, ..usage::Collector::default() });
        }
        self.look(|index| {
            for log in index.logs() {
                let of = by.get(&(log.agent.to_owned(), log.profile.map(str::to_owned))).into_iter().flatten();
                let Some(at) = of.copied().find(|at| found.get(*at).is_some_and(|place| Path::new(log.path).starts_with(&place.root)))
                else {
                    continue;
                };
                if let Some(place) = found.get_mut(at) {
                    place.files += 1;
                    place.lines += log.lines;
                    log.problems().for_each(|(problem, count)| count_in(&mut place.skipped, problem, count));
                }
            }
        });
        found
    }

    fn limits(&self) -> Vec<usage::Window> {
        self.look(|index| {
            let mut windows = Vec::new();
            for (agent, profile, limit) in index.limits() {
                windows.extend(limit.windows.iter().map(|window| usage::Window {
                    agent: agent.to_owned(),
                    profile: profile.map(str::to_owned),
                    name: Some(limit.id.clone()).filter(|name| !name.is_empty()),
                    minutes: window.minutes,
                    used_percent: window.used_percent,
                    resets_at: (window.resets_ms != 0).then(|| rfc3339(window.resets_ms)),
                    seen_at: rfc3339(limit.ts_ms),
                }));
            }
            windows
        })
    }

    fn bills(&self) -> Vec<Billed> {
        self.look(|index| {
            let mut bills = Vec::new();
            for (agent, bill) in index.bills() {
                bills.extend(bill.models.iter().map(|model| Billed {
                    agent: agent.to_owned(),
                    session: bill.session.clone(),
                    model: model.model.clone(),
                    tokens: model.tokens,
                    cost_usd: model.cost_usd,
                    partial: bill.partial,
                }));
            }
            bills
        })
    }

    fn troubles(&self) -> Vec<usage::Trouble> {
        self.look(|index| index.troubles().map(told).collect())
    }

    fn file(&self) -> (PathBuf, u64) {
        let files = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let size = files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum();
        (self.dir.clone(), size)
    }
}

impl Logs {
    fn scan(&self, roots: &[Root]) -> Result<Read> {
        self.with(|index| index.scan(roots).map(read))
    }
}

fn read(report: Report) -> Read {
    Read {
        files: report.files_found as u64,
        bytes: report.bytes_read,
        changed: report.files_read > 0,
        problems: report.troubles.into_iter().map(told).collect(),
    }
}

fn told(trouble: Trouble) -> usage::Trouble {
    let what = match trouble.problem {
        Problem::NotJson => "a line is no JSON",
        Problem::Half => "a line is only half there",
        Problem::NotText => "a line is neither JSON nor UTF-8 text",
        Problem::Version => "a line is of a later version than this build knows",
        Problem::TooLong => "a line is too long to tell of usage",
        Problem::Incomplete => "a request has no identity, time or model",
        Problem::Unreadable => "it cannot be read, or a part of it",
    };
    usage::Trouble { file: Path::new(&trouble.path).display().to_string(), what: what.to_owned(), count: u64::from(trouble.count) }
}

fn count_in(skipped: &mut usage::Skipped, problem: Problem, count: u32) {
    let place = match problem {
        Problem::NotJson => &mut skipped.garbage,
        Problem::Half => &mut skipped.half,
        Problem::NotText => &mut skipped.not_text,
        Problem::Version => &mut skipped.unknown_version,
        Problem::TooLong => &mut skipped.too_long,
        Problem::Unreadable => &mut skipped.unreadable,
        // Counted as far as told.
        Problem::Incomplete => return,
    };
    *place += u64::from(count);
}

fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
