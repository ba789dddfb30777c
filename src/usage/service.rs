//! What is known, kept fresh: reads when somebody asks and something may have changed, and sums once for many questions.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use super::{
    pricing::Prices,
    query::Ledger,
    side::{Log, Sides},
    source::{Place, Read, Source},
};
use crate::base::error::Result;

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
    /// Guards which prices are in force, for the moment of a look or a change.
    prices: RwLock<Arc<Prices>>,
    /// Something may have changed since the last reading. Set before a reader looks, so that nothing is missed.
    dirty: AtomicBool,
    /// Whether changes are told; else every question looks.
    watched: AtomicBool,
    /// The sums, and what they were made of. Held while reading, so that it is done once.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ledger: Option<Arc<Ledger>>,
    sides: Sides,
    providers: std::collections::BTreeMap<String, String>,
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
        Self {
            source,
            prices: RwLock::new(Arc::new(prices)),
            dirty: AtomicBool::new(true),
            watched: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    pub fn prices(&self) -> Arc<Prices> {
        Arc::clone(&self.prices.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these hold, for what was used before as well. Says whether they are other ones.
    pub fn set_prices(&self, prices: Prices) -> bool {
        let differs = prices.hash() != self.prices().hash();
        // Sums are made under this lock, so none of the old prices comes after the new ones.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *self.prices.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(prices);
        if differs {
            state.ledger = None;
        }
        differs
    }

    pub fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// Something happened where logs are.
    pub fn changed(&self) {
        self.dirty.store(true, Ordering::SeqCst);
    }

    /// From now on changes are told, or not any more.
    pub fn watched(&self, watched: bool) {
        self.watched.store(watched, Ordering::SeqCst);
    }

    pub fn is_watched(&self) -> bool {
        self.watched.load(Ordering::SeqCst)
    }

    /// The sums, read again where that may change them. `scope` is asked only then.
    pub fn known(&self, scope: impl FnOnce() -> Result<Scope>) -> Result<Known> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = self.is_watched() && !self.dirty.load(Ordering::SeqCst);
        if !fresh || state.ledger.is_none() {
            self.refresh(&mut state, &scope()?)?;
        }
        Ok(state.known())
    }

    /// Reads now, whatever is known.
    pub fn rescan(&self, scope: &Scope) -> Result<(Known, Read)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut state, scope)?;
        Ok((state.known(), state.read.clone()))
    }

    /// Takes in another place once; says how many requests are new.
    pub fn import(&self, scope: &Scope, agent: &str, place: &Place) -> Result<(u64, Read)> {
        let before = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.refresh(&mut state, scope)?;
            self.count()
        };
        let read = self.source.import(agent, place)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ledger = None;
        self.refresh(&mut state, scope)?;
        Ok((self.count().saturating_sub(before), read))
    }

    /// Every row, those of proxies too.
    pub fn rows<T>(&self, use_them: impl FnOnce(&dyn super::row::Rows) -> T) -> T {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        use_them(&state.sides.beside(&*self.source))
    }

    pub fn count(&self) -> u64 {
        let mut count = 0;
        super::row::Rows::each(&*self.source, &mut |_| count += 1);
        count
    }

    fn refresh(&self, state: &mut State, scope: &Scope) -> Result<()> {
        // Before reading: what happens meanwhile must be seen the next time.
        self.dirty.store(false, Ordering::SeqCst);
        let done = self.source.read(&scope.places).and_then(|read| Ok((state.sides.read(&scope.sides)?, read)));
        let (sides, read) = done.inspect_err(|_| self.dirty.store(true, Ordering::SeqCst))?;
        if read.changed || sides || state.ledger.is_none() || state.providers != scope.providers {
            state.providers.clone_from(&scope.providers);
            let provider = |alias: &str| state.providers.get(alias).map(String::as_str);
            state.ledger = Some(Arc::new(Ledger::of(&state.sides.beside(&*self.source), &self.prices(), provider)));
            state.version += 1;
        }
        state.read = read;
        Ok(())
    }
}

impl State {
    fn known(&self) -> Known {
        Known { ledger: self.ledger.clone().unwrap_or_default(), version: self.version }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::usage::{
        pricing::Overrides,
        record::{Bill, Record, Tokens},
        row::{Row, Rows},
    };

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

    impl Source for Growing {
        fn read(&self, _places: &[Place]) -> Result<Read> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            Ok(Read { changed: true, ..Read::default() })
        }
        fn import(&self, _agent: &str, _place: &Place) -> Result<Read> {
            self.reads.fetch_add(5, Ordering::SeqCst);
            Ok(Read::default())
        }
        fn roots(&self, _places: &[Place]) -> Vec<(String, Place, std::path::PathBuf)> {
            Vec::new()
        }
        fn limits(&self) -> Vec<crate::wire::usage::Window> {
            Vec::new()
        }
        fn bills(&self) -> Vec<super::super::source::Billed> {
            Vec::new()
        }
        fn troubles(&self) -> Vec<crate::wire::usage::Trouble> {
            Vec::new()
        }
        fn file(&self) -> (std::path::PathBuf, u64) {
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

    #[test]
    fn an_import_says_what_is_new() {
        let usage = Usage::new(Box::new(Growing::default()), Prices::new(None, &Overrides::default()).unwrap());
        let (new, _) = usage.import(&Scope::default(), "claude", &Place::default()).unwrap();
        assert_eq!(new, 6);
    }

    #[test]
    fn a_failed_reading_is_tried_again() {
        let usage = Usage::new(Box::new(Growing::default()), Prices::new(None, &Overrides::default()).unwrap());
        usage.watched(true);
        assert!(usage.known(|| Err(crate::base::error::Error::io("no"))).is_err());
        assert_eq!(usage.known(|| Ok(Scope::default())).unwrap().version, 1);
    }
}
