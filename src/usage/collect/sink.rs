//! What collectors tell.

use crate::usage::record::{Record, Tokens};

/// A request as one line told of it. Lines about the same request are brought together by the index, in any order, by the rules
/// written at each field.
#[derive(Clone, Debug, Default)]
pub struct Seen<'a> {
    pub record: Record<'a>,
    /// Of several tellings the highest counts, whole; between equal ones the greater total. `None`: the output, so that the last of
    /// growing snapshots wins wherever it stands.
    pub rank: Option<u64>,
    /// Another name of the request, empty where it has none. Two tellings under one key are two requests when both have such a name and
    /// neither that nor the prompt is the same: some proxies give every answer the same id.
    pub other_id: &'a [u8],
    /// A copy of somebody else's request. It counts only as long as nobody tells of the original.
    pub copy: bool,
    /// Told under another key as well; this one counts nothing and makes copies under it count nothing.
    pub elsewhere: bool,
}

/// Takes what is told.
pub trait Sink {
    fn request(&mut self, seen: Seen<'_>);
    fn limit(&mut self, limit: Limit);
    fn bill(&mut self, bill: Bill);
    fn problem(&mut self, problem: Problem);
}

/// Why something in a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Problem {
    /// A line that is no JSON object.
    NotJson,
    /// A line that begins as one and ends too early, or the other way round: what a crash leaves.
    Half,
    /// A line that is no JSON object and no UTF-8 either. (Such bytes inside of an object hide nothing.)
    NotText,
    /// A line of a later form than this build knows, by its own word.
    Version,
    /// A line longer than anything that tells of usage.
    TooLong,
    /// A request without what it needs: an identity, a time or a model. It is counted as far as told.
    Incomplete,
    /// The file, or a part of it, could not be read.
    Unreadable,
}

/// The state of an account's limits, as the vendor told the agent.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Limit {
    /// The vendor's name for the limit.
    pub id: String,
    pub plan: Option<String>,
    /// When it was told.
    pub ts_ms: i64,
    pub windows: Vec<Window>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Window {
    pub used_percent: f64,
    /// 300 is the five-hour window, 10080 the weekly one.
    pub minutes: u64,
    /// Milliseconds since 1970; 0 where it was not told.
    pub resets_ms: i64,
}

/// What an agent itself says a session used. To compare with; never a second source.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bill {
    pub session: String,
    /// The last one of a session counts, which is the one with the highest rank.
    pub rank: u64,
    pub cost_usd: f64,
    /// The agent knew no price for one of its models.
    pub partial: bool,
    pub models: Vec<ModelBill>,
}

#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ModelBill {
    pub model: String,
    pub tokens: Tokens,
    pub web_searches: u64,
    pub cost_usd: f64,
}
