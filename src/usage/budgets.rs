//! The user's limits: `budgets.json`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::query::{Ledger, Span, total, zone};
use crate::{
    base::{
        error::{Error, Result},
        fsx, stored,
    },
    wire::{
        budgets::{Budget, Every, STORED_VERSION, State},
        usage::{Period, Select},
    },
};

/// Shares in percent at which the user is told.
const LEVELS: [u8; 3] = [100, 95, 80];

pub struct Budgets {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    budgets: Vec<Budget>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Budgets {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Those of a profile, or all.
    pub fn list(&self, profile: Option<&str>) -> Result<Vec<Budget>> {
        let mut budgets = self.read()?.budgets;
        budgets.retain(|budget| profile.is_none_or(|profile| profile == budget.profile));
        Ok(budgets)
    }

    /// Puts each in place of the one for the same profile and time.
    pub fn set(&self, new: &[Budget]) -> Result<()> {
        for budget in new {
            zone(&budget.timezone)?;
            let positive = budget.usd.is_none_or(|usd| usd.is_finite() && usd > 0.0) && budget.tokens != Some(0);
            if !positive || (budget.usd.is_none() && budget.tokens.is_none()) {
                return Err(Error::invalid("a budget needs an amount above 0").hint("like 20usd, or tokens like 5m"));
            }
        }
        self.change(|budgets| merge(budgets, new))
    }

    /// What the file would be with these, each in place of the one for the same profile and time.
    pub fn with(&self, new: &[Budget]) -> Result<Vec<u8>> {
        let mut stored = self.read()?;
        merge(&mut stored.budgets, new);
        encode(&stored)
    }

    /// Says how many there were.
    pub fn remove(&self, profile: &str, every: Option<Every>) -> Result<usize> {
        let mut removed = 0;
        self.change(|budgets| {
            let before = budgets.len();
            budgets.retain(|budget| budget.profile != profile || every.is_some_and(|every| every != budget.every));
            removed = before - budgets.len();
        })?;
        Ok(removed)
    }

    /// A profile has another name now.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        if self.list(Some(from))?.is_empty() {
            return Ok(());
        }
        self.change(|budgets| budgets.iter_mut().filter(|b| b.profile == from).for_each(|b| to.clone_into(&mut b.profile)))
    }

    fn read(&self) -> Result<Stored> {
        let Some(bytes) = fsx::read_optional(&self.path)? else {
            return Ok(Stored { version: STORED_VERSION, budgets: Vec::new(), rest: Map::new() });
        };
        let damaged = |why: String| {
            Error::corrupt(format!("{} cannot be read: {why}", self.path.display()))
                .hint("mend the file or move it away; clown leaves it as it is")
        };
        stored::parse(&bytes, |stored: &Stored| stored.version, STORED_VERSION, damaged)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Budget>)) -> Result<()> {
        let _lock = fsx::lock_beside(&self.path)?;
        let mut stored = self.read()?;
        change(&mut stored.budgets);
        fsx::write_atomic(&self.path, &encode(&stored)?, fsx::Mode::Private)
    }
}

fn merge(budgets: &mut Vec<Budget>, new: &[Budget]) {
    budgets.retain(|old| !new.iter().any(|new| (&new.profile, new.every) == (&old.profile, old.every)));
    budgets.extend(new.iter().cloned());
    budgets.sort_by(|a, b| (&a.profile, a.every == Every::Month).cmp(&(&b.profile, b.every == Every::Month)));
}

fn encode(stored: &Stored) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(stored).map_err(|e| Error::io("cannot encode budgets").cause(e))?;
    text.push(b'\n');
    Ok(text)
}

/// How far a limit is used.
#[expect(clippy::cast_precision_loss, reason = "a share in percent")]
pub fn state(ledger: &Ledger, budget: Budget, now: Timestamp) -> Result<State> {
    let period = match budget.every {
        Every::Day => Period::Today,
        Every::Month => Period::Month,
    };
    let select =
        Select { period: Some(period), timezone: budget.timezone.clone(), profiles: vec![budget.profile.clone()], ..Select::default() };
    let span = Span::of(&select, now)?;
    let used = total(ledger, &select, &span);
    let share = |used: f64, limit: f64| if limit > 0.0 { used / limit * 100.0 } else { 0.0 };
    let of_money = budget.usd.map(|limit| share(used.cost_usd.unwrap_or(0.0), limit));
    let of_tokens = budget.tokens.map(|limit| share(used.total_tokens as f64, limit as f64));
    let percent = of_money.into_iter().chain(of_tokens).fold(0.0, f64::max);
    Ok(State {
        since: span.slice().since.unwrap_or_default(),
        resets_at: span.next(budget.every == Every::Month),
        used_usd: used.cost_usd,
        used_tokens: used.total_tokens,
        partial: used.partial,
        percent,
        level: LEVELS.into_iter().find(|level| percent >= f64::from(*level)).unwrap_or(0),
        budget,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{usage::query::tests::*, wire::budgets::Action};

    fn budget(every: Every, tokens: u64) -> Budget {
        let timezone = "Europe/Berlin".into();
        Budget { profile: "work".into(), every, usd: None, tokens: Some(tokens), action: Action::Refuse, timezone }
    }

    #[test]
    fn limits_are_kept_changed_and_removed_and_what_is_unknown_survives() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("budgets.json");
        std::fs::write(&path, r#"{"version":1,"budgets":[],"later":7}"#).unwrap();
        let budgets = Budgets::new(path.clone());
        budgets.set(&[budget(Every::Day, 5), budget(Every::Month, 50)]).unwrap();
        budgets.set(&[budget(Every::Day, 7)]).unwrap();
        assert_eq!(budgets.list(Some("work")).unwrap(), [budget(Every::Day, 7), budget(Every::Month, 50)]);
        assert!(std::fs::read_to_string(&path).unwrap().contains("\"later\": 7"));
        budgets.rename("work", "play").unwrap();
        assert_eq!((budgets.remove("work", None).unwrap(), budgets.remove("play", Some(Every::Day)).unwrap()), (0, 1));
        assert_eq!(budgets.list(None).unwrap().len(), 1);
    }

    #[test]
    fn a_limit_of_nothing_and_a_newer_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("budgets.json");
        let budgets = Budgets::new(path.clone());
        assert!(budgets.set(&[budget(Every::Day, 0)]).is_err());
        assert!(budgets.set(&[Budget { tokens: None, ..budget(Every::Day, 1) }]).is_err());
        assert!(budgets.set(&[Budget { timezone: "Mars".into(), ..budget(Every::Day, 1) }]).is_err());
        std::fs::write(&path, r#"{"version":9,"budgets":[]}"#).unwrap();
        assert!(budgets.set(&[budget(Every::Day, 1)]).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), r#"{"version":9,"budgets":[]}"#);
    }

    #[test]
    fn a_limit_counts_its_profile_and_its_day() {
        let work = One { profile: Some("work"), ..One::default() };
        let before = One { at: "2026-11-21T22:59:00Z", ..work.clone() };
        let ledger = ledger(&[work, before, One::default()]);
        let of = |every, tokens| {
            let state = state(&ledger, budget(every, tokens), at(NOW)).unwrap();
            (state.used_tokens, state.level, state.resets_at)
        };
        let midnight = "2026-11-22T23:00:00.000Z".to_owned();
        assert_eq!(of(Every::Day, 1376), (1100, 0, midnight.clone()), "just below 80 %");
        assert_eq!(of(Every::Day, 1375).1, 80);
        assert_eq!(of(Every::Day, 1150).1, 95);
        assert_eq!(of(Every::Day, 1100).1, 100);
        assert_eq!(of(Every::Month, 2200), (2200, 100, "2026-11-30T23:00:00.000Z".to_owned()));
    }
}
