//! What exists over HTTP only: the way in for a browser, and live events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, error::Failure, event::Event};

/// Makes a link that logs a browser in, once and soon.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpLoginLink")]
pub struct LoginLink {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// `http://127.0.0.1:8765/#login=...`; the part behind `#` is never sent to a server by itself.
    pub url: String,
    /// How long it is good, in seconds.
    pub seconds: u64,
}

// The link is a way in: not for logs.
impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[link]")
    }
}

impl Call for LoginLink {
    const NAME: &'static str = "http.login-link";
    const EFFECT: Effect = Effect::Once;
    type Reply = Link;
}

/// Body of `POST /api/v1/login`: what stood behind `#login=`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub token: String,
}

/// Body of every refusal and failure over HTTP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    pub error: Failure,
}

/// A client's text on `/ws`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ToServer {
    /// From here on, events whose topic begins with one of these; an empty text is all. Takes the place of the
    /// subscription before.
    Subscribe {
        topics: Vec<String>,
        /// What was seen last: events after it come first, or `resync`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Seen>,
    },
    /// Answered with `pong`, since a page cannot send a ping of the protocol's.
    Ping {},
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    pub epoch: String,
    pub seq: u64,
}

/// The daemon's text on `/ws`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FromServer {
    /// The first: the newest event there is.
    Hello(Seen),
    /// The subscription holds; the newest event there is.
    Subscribed(Seen),
    Event(Event),
    /// Events were missed: read again whatever is shown.
    Resync(Seen),
    Pong,
    /// What was sent is none of [`ToServer`].
    Error {
        message: String,
    },
}
