//! What a streamed reply says, in no vendor's words.

use crate::proxy::translate::{seal::Seal, text::Str};

/// Tokens of a reply. The four input kinds are disjoint: their sum is the whole prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Neither read from nor written to a cache.
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// Includes `reasoning`.
    pub output: u64,
    pub reasoning: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    End,
    MaxTokens,
    ToolUse,
    StopSequence,
    Refusal,
}

/// A block by the upstream's own numbering; unique within a reply.
pub type Key = u32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// First, once: the reply's id and the model that answers.
    Start {
        id: Str<'a>,
        model: Str<'a>,
    },
    Text(Str<'a>),
    Thought(Str<'a>),
    /// Proves the thought just given to its vendor; without one, it is thinking nobody else can read.
    Seal(Seal<'a>),
    Call {
        key: Key,
        id: Str<'a>,
        name: Str<'a>,
    },
    /// More of a call's arguments: a piece of JSON inside a JSON string.
    Arguments {
        key: Key,
        piece: Str<'a>,
    },
    Usage(Usage),
    /// The upstream said why it ended.
    Stop(Stop),
    /// Something failed after the reply began.
    Error {
        kind: ErrorKind,
        message: Str<'a>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    Invalid,
    Authentication,
    RateLimit,
    Overloaded,
    /// Ended in the middle, or cannot be understood.
    Broken,
    Api,
}
