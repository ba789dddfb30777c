//! The prices in force: the user's, then the table's.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::check::{PricesChecked, check_table};
use super::names::{Match, MatchKind, candidates};
use super::overrides::Overrides;
use super::price::ModelPrice;
use super::table::Table;
use super::{Cost, Money, entry};
use crate::base::fsx;
use crate::usage::record::Record;

/// Names remembered. Logs hold a few dozen; a hostile one may hold any number.
const REMEMBERED: usize = 1024;

/// By model and then provider, as they were asked for.
type Known = HashMap<Box<str>, Vec<(Option<Box<str>>, Option<Arc<Found>>)>>;

/// A model's price, and which entry it is.
#[derive(Debug)]
pub struct Found {
    pub matched: Match,
    pub price: ModelPrice,
}

/// The table is read when the first model is looked up, and an entry of it when it is first asked for.
pub struct Prices {
    file: Option<PathBuf>,
    table: OnceLock<(Table, Option<String>)>,
    overrides: BTreeMap<String, ModelPrice>,
    /// Of the overrides, for the hash.
    overrides_text: String,
    /// Guards what each provider and model was found to be.
    known: Mutex<Known>,
}

impl Prices {
    /// `file` (`registry/litellm-pricing.json`) is used where it is there and can be read; else the copy inside the program. The
    /// error names an override that is no price.
    pub fn new(file: Option<&Path>, overrides: &Overrides) -> Result<Self, String> {
        let mut prices = BTreeMap::new();
        let mut overrides_text = String::new();
        for (model, own) in overrides {
            prices.insert(model.clone(), own.price().map_err(|err| format!("usage.prices.\"{model}\": {err}"))?);
            overrides_text.push_str(&format!("{model:?} {own:?}\n"));
        }
        let file = file.map(Path::to_owned);
        Ok(Self { file, table: OnceLock::new(), overrides: prices, overrides_text, known: Mutex::default() })
    }

    /// What this model costs. `None`: nobody knows, or the table knows the model and no price of it.
    pub fn find(&self, provider: Option<&str>, model: &str) -> Option<Arc<Found>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_model = known.get(model).map(Vec::as_slice).unwrap_or_default();
        if let Some((_, found)) = of_model.iter().find(|(asked, _)| asked.as_deref() == provider) {
            return found.clone();
        }
        // A model of many providers is no model either.
        if known.len() >= REMEMBERED || of_model.len() >= REMEMBERED {
            known.clear();
        }
        let found = self.look_up(provider, model).map(Arc::new);
        known.entry(model.into()).or_default().push((provider.map(Box::from), found.clone()));
        found
    }

    /// What a request costs.
    pub fn cost(&self, record: &Record<'_>) -> Option<Cost> {
        self.find(record.provider.as_deref(), &record.model).map(|found| found.price.cost(&record.bill))
    }

    /// The same in one sum.
    pub fn total(&self, record: &Record<'_>) -> Option<Money> {
        self.cost(record).map(|cost| cost.total())
    }

    /// The same for prices that are the same: of the table, and of the user's overrides where there are any.
    pub fn hash(&self) -> blake3::Hash {
        let table = self.table().0.hash();
        if self.overrides_text.is_empty() {
            return table;
        }
        let mut hash = blake3::Hasher::new();
        hash.update(table.as_bytes()).update(self.overrides_text.as_bytes()).finalize()
    }

    /// Why the file is not used although it is there.
    pub fn problem(&self) -> Option<&str> {
        self.table().1.as_deref()
    }

    /// A table from outside, against the one in force.
    pub fn check(&self, bytes: &[u8]) -> Result<PricesChecked, String> {
        check_table(bytes, Some(&self.table().0))
    }

    /// Models in the table.
    pub fn count(&self) -> usize {
        self.table().0.names().count()
    }

    fn look_up(&self, provider: Option<&str>, model: &str) -> Option<Found> {
        let (table, _) = self.table();
        let of_user = |key: &str| {
            let price = self.overrides.get(key)?.clone();
            Some(Found { matched: Match { key: key.to_owned(), kind: MatchKind::Override }, price })
        };
        let as_it_is = provider.and_then(|provider| of_user(&format!("{provider}/{model}"))).or_else(|| of_user(model));
        if as_it_is.is_some() {
            return as_it_is;
        }
        for candidate in candidates(provider, model) {
            if let Some(found) = of_user(&candidate.key) {
                return Some(found);
            }
            if let Some(json) = table.get(&candidate.key) {
                let price = entry::read(&candidate.key, json)?;
                return Some(Found { matched: Match { key: candidate.key, kind: candidate.kind }, price });
            }
        }
        None
    }

    fn table(&self) -> &(Table, Option<String>) {
        self.table.get_or_init(|| {
            let Some(file) = &self.file else { return (Table::built_in(), None) };
            let read = fsx::read_optional(file).map_err(|err| err.to_string());
            match read.and_then(|json| json.map(|json| Table::of_litellm(&json)).transpose()) {
                Ok(Some(table)) => (table, None),
                Ok(None) => (Table::built_in(), None),
                Err(problem) => (Table::built_in(), Some(format!("{}: {problem}", file.display()))),
            }
        })
    }
}
