//! What the service needs of whoever reads logs.

use std::{collections::BTreeMap, path::PathBuf};

use super::{record::Tokens, row::Rows};
use crate::{base::error::Result, wire::usage};

/// A home in which agents keep logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub home: PathBuf,
    /// `None`: the user's own.
    pub profile: Option<String>,
    /// The variables that move an agent's logs there.
    pub env: BTreeMap<String, String>,
}

/// What reading again came to.
#[derive(Clone, Debug, Default)]
pub struct Read {
    pub files: u64,
    pub bytes: u64,
    /// Whether rows may be other ones than before.
    pub changed: bool,
    pub problems: Vec<usage::Trouble>,
}

/// What an agent says a session used of one model.
#[derive(Clone, Debug, Default)]
pub struct Billed {
    pub agent: String,
    pub session: String,
    pub model: String,
    pub tokens: Tokens,
    pub cost_usd: f64,
    /// The agent knew no price.
    pub partial: bool,
}

/// Reads logs and remembers what they told.
pub trait Source: Rows + Send + Sync {
    /// What is new there; with `all` everything again.
    fn read(&self, places: &[Place], all: bool) -> Result<Read>;
    /// Reads one agent's logs at another place, once.
    fn import(&self, agent: &str, place: &Place) -> Result<Read>;
    /// Directories that are searched, by agent.
    fn roots(&self, places: &[Place]) -> Vec<(String, Place, PathBuf)>;
    fn limits(&self) -> Vec<usage::Window>;
    fn bills(&self) -> Vec<Billed>;
    /// Files known below a root, and the index itself: its path and size.
    fn files(&self, root: &std::path::Path) -> u64;
    fn file(&self) -> (PathBuf, u64);
}

/// No logs at all.
pub struct Nowhere;

impl Rows for Nowhere {
    fn each(&self, _visit: &mut dyn FnMut(super::row::Row<'_>)) {}
}

impl Source for Nowhere {
    fn read(&self, _places: &[Place], _all: bool) -> Result<Read> {
        Ok(Read::default())
    }

    fn import(&self, _agent: &str, _place: &Place) -> Result<Read> {
        Ok(Read::default())
    }

    fn roots(&self, _places: &[Place]) -> Vec<(String, Place, PathBuf)> {
        Vec::new()
    }

    fn limits(&self) -> Vec<usage::Window> {
        Vec::new()
    }

    fn bills(&self) -> Vec<Billed> {
        Vec::new()
    }

    fn files(&self, _root: &std::path::Path) -> u64 {
        0
    }

    fn file(&self) -> (PathBuf, u64) {
        Default::default()
    }
}
