//! What the service needs of whoever reads logs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{record::Tokens, row::Numbered};
use crate::{base::error::Result, wire::usage};

/// A home in which agents keep logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub home: PathBuf,
    /// `None`: the user's own.
    pub profile: Option<String>,
    /// The variables that move an agent's logs there.
    pub env: BTreeMap<String, String>,
    /// Only this agent keeps logs there.
    pub only: Option<String>,
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
pub trait Source: Numbered + Send + Sync {
    /// What is new there. Give all places each time.
    fn read(&self, places: &[Place]) -> Result<Read>;
    /// What is new in these files. `None`: only a look at all places can tell.
    fn read_files(&self, files: &[&Path]) -> Result<Option<Read>>;
    /// Reads one agent's logs at another place, once.
    fn import(&self, agent: &str, place: &Place) -> Result<Read>;
    /// What was known before is read once more with the next reading. Nothing that was told is forgotten.
    fn forget(&self) -> Result<()>;
    /// The same as `roots`, with what was found there.
    fn census(&self, places: &[Place]) -> Vec<usage::Collector>;
    /// Directories that are searched, by agent.
    fn roots(&self, places: &[Place]) -> Vec<(String, Place, PathBuf)>;
    fn limits(&self) -> Vec<usage::Window>;
    fn bills(&self) -> Vec<Billed>;
    /// All that could not be read, ever.
    fn troubles(&self) -> Vec<usage::Trouble>;
    /// The index itself: its path and size.
    fn file(&self) -> (PathBuf, u64);
}
