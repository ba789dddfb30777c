//! What the index knows, one billed request at a time.

use super::record::Record;

/// A request, and where it was found.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The collector's word: `claude`, `codex`, ...
    pub agent: &'a str,
    /// The profile whose home the log is in. `None`: the user's own home.
    pub profile: Option<&'a str>,
    /// The log that owns the request. It may be gone by now.
    pub file: &'a str,
    pub record: Record<'a>,
}

/// Anything that has rows: the index, and what tests make.
pub trait Rows {
    /// Every request once, in no order to rely on.
    fn each(&self, visit: &mut dyn FnMut(Row<'_>));
}
