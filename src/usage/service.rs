//! What is known, kept fresh: reads when somebody asks and something may have changed, and sums once for many questions.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    pricing::Prices,
    query::{Ledger, Terms},
    row::Changes,
    side::{Log, Sides},
    source::{Place, Read, Source},
};
use crate::base::error::Result;

/// With more of them than this the places are searched anew.
const MOST_FILES: usize = 64;

/// Where to look, as the rooms know it at the moment.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub places: Vec<Place>,
    /// Logs of proxies.
    pub sides: Vec<Log>,
    /// Profiles and who serves them.
    pub providers: std::collections::BTreeMap<String, String>,
}

pub struct Usage {
    source: Box<dyn Source>,
    /// Held for a moment only.
    prices: Mutex<Arc<Prices>>,
    /// What may have changed since the last reading. Emptied before a reader looks, so that nothing is missed. Held for a moment only.
    unread: Mutex<Unread>,
    /// Whether changes are told; else every question looks.
    watched: AtomicBool,
    /// The sums, and what they were made of. Held while reading, so that it is done once.
    state: Mutex<State>,
}

/// Where something may be that was not read yet.
#[derive(Debug, PartialEq, Eq)]
enum Unread {
    Anywhere,
    /// In these files, or nowhere.
    In(BTreeSet<PathBuf>),
}

#[derive(Default)]
struct State {
    ledger: Option<Arc<Ledger>>,
    /// What the sums were priced by.
    prices: Option<Arc<Prices>>,
    sides: Sides,
    /// Rows that a proxy's log tells of too, and a mark of which of its lines that is.
    amends: HashMap<u32, u64>,
    /// As it was at the last look at all of it.
    scope: Scope,
    read: Read,
    /// Counts changes of the sums.
    version: u64,
}

/// Sums as of now.
#[derive(Clone)]
pub struct Known {
    pub ledger: Arc<Ledger>,
    /// Other sums have another number.
    pub version: u64,
}

impl Usage {
    pub fn new(source: Box<dyn Source>, prices: Prices) -> Self {
        let (prices, unread) = (Mutex::new(Arc::new(prices)), Mutex::new(Unread::Anywhere));
        Self { source, prices, unread, watched: AtomicBool::new(false), state: Mutex::default() }
    }

    pub fn prices(&self) -> Arc<Prices> {
        Arc::clone(&self.prices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these hold, for what was used before as well. Says whether they are other ones.
    pub fn set_prices(&self, prices: Prices) -> bool {
        if prices.hash() == self.prices().hash() {
            return false;
        }
        *self.prices.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(prices);
        self.changed();
        true
    }

    pub fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// Something happened where logs are.
    pub fn changed(&self) {
        *self.unread() = Unread::Anywhere;
    }

    /// This file has other content, and nothing else happened.
    pub fn changed_in(&self, file: &Path) {
        let mut unread = self.unread();
        if let Unread::In(files) = &mut *unread {
            if files.len() >= MOST_FILES {
                *unread = Unread::Anywhere;
            } else if !files.contains(file) {
                files.insert(file.to_owned());
            }
        }
    }

    /// From now on changes are told, or not any more.
    pub fn watched(&self, watched: bool) {
        self.watched.store(watched, Ordering::SeqCst);
    }

    pub fn is_watched(&self) -> bool {
        self.watched.load(Ordering::SeqCst)
    }

    /// The sums, read again where that may change them. `scope` is asked only when all of it is looked at.
    pub fn known(&self, scope: impl FnOnce() -> Result<Scope>) -> Result<Known> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_watched() || state.ledger.is_none() {
            self.changed();
        }
        self.reading(|unread| {
            let done = match unread {
                Unread::In(files) if files.is_empty() => true,
                Unread::In(files) => self.refresh_files(&mut state, &files)?,
                Unread::Anywhere => false,
            };
            if done { Ok(()) } else { self.refresh(&mut state, scope()?) }
        })?;
        Ok(state.known())
    }

    /// Reads every log from its start, whatever is known.
    pub fn rescan(&self, scope: Scope) -> Result<(Known, Read)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.source.forget()?;
        self.reading(|_| self.refresh(&mut state, scope))?;
        Ok((state.known(), state.read.clone()))
    }

    /// Takes in another place once; says how many requests are new.
    pub fn import(&self, scope: Scope, agent: &str, place: &Place) -> Result<(u64, Read)> {
        let before = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.refresh(&mut state, scope.clone())?;
            self.count()
        };
        let read = self.source.import(agent, place)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut state, scope)?;
        Ok((self.count().saturating_sub(before), read))
    }

    /// Every row, those of proxies too.
    pub fn rows<T>(&self, use_them: impl FnOnce(&dyn super::row::Rows) -> T) -> T {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        use_them(&state.sides.beside(&*self.source))
    }

    /// What was found in proxies' logs.
    pub fn census_of_sides(&self) -> Vec<crate::wire::usage::Collector> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).sides.census()
    }

    pub fn count(&self) -> u64 {
        let mut count = 0;
        super::row::Rows::each(&*self.source, &mut |_| count += 1);
        count
    }

    fn unread(&self) -> std::sync::MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is unread; it is unread again where reading fails.
    fn reading(&self, read: impl FnOnce(Unread) -> Result<()>) -> Result<()> {
        // Before reading: what happens meanwhile must be seen the next time.
        let unread = std::mem::replace(&mut *self.unread(), Unread::In(BTreeSet::new()));
        read(unread).inspect_err(|_| self.changed())
    }

    /// A look at all of it.
    fn refresh(&self, state: &mut State, scope: Scope) -> Result<()> {
        let read = self.source.read(&scope.places)?;
        let sides = state.sides.read(&scope.sides)?;
        let others = state.scope.providers != scope.providers;
        state.sides.sold_by(&scope.providers);
        state.scope = scope;
        let changed = read.changed || sides;
        state.read = read;
        if others {
            state.ledger = None;
        }
        self.sum(state, changed);
        Ok(())
    }

    /// A look at these files. Says whether that was enough.
    fn refresh_files(&self, state: &mut State, files: &BTreeSet<PathBuf>) -> Result<bool> {
        let logs: Vec<&Path> = files.iter().map(PathBuf::as_path).filter(|file| !state.sides.has(file)).collect();
        let Some(read) = self.source.read_files(&logs)? else { return Ok(false) };
        let sides = logs.len() < files.len() && state.sides.read(&state.scope.sides)?;
        self.sum(state, read.changed || sides);
        Ok(true)
    }

    /// Brings the sums up to date with what was read.
    fn sum(&self, state: &mut State, changed: bool) {
        let State { ledger, sides, amends, scope, version, prices: before, .. } = state;
        let prices = self.prices();
        if before.as_ref().is_none_or(|before| !Arc::ptr_eq(before, &prices)) {
            *ledger = None;
        }
        let prices = &**before.insert(prices);
        let terms = Terms { prices, provider: &|alias| scope.providers.get(alias).map(String::as_str) };
        let changes = self.source.changes();
        let nothing = ledger.is_some() && !changed && changes == Changes::Rows(Vec::new());
        if nothing {
            return;
        }
        let together = sides.beside(&*self.source);
        // A row is another one too where a proxy's log now tells of it, or no longer does.
        let amended = together.amended();
        let other = std::mem::replace(amends, amended);
        match (ledger.as_mut(), changes) {
            (Some(ledger), Changes::Rows(mut rows)) => {
                let differs = |(row, side): (&u32, &u64), there: &HashMap<u32, u64>| (there.get(row) != Some(side)).then_some(*row);
                rows.extend(amends.iter().filter_map(|one| differs(one, &other)));
                rows.extend(other.iter().filter_map(|one| differs(one, amends)));
                // Somebody may still read the sums as they were.
                Arc::make_mut(ledger).update(&together, &rows, &terms);
            }
            _ => {
                // First, so that there are never two of them.
                *ledger = None;
                *ledger = Some(Arc::new(Ledger::of(&together, &terms)));
            }
        }
        if let Some(ledger) = ledger.as_mut().map(Arc::make_mut) {
            ledger.set_sides(&together.alone(), &terms);
        }
        *version += 1;
    }
}

impl State {
    fn known(&self) -> Known {
        Known { ledger: self.ledger.clone().unwrap_or_default(), version: self.version }
    }
}

#[cfg(test)]
mod tests;
