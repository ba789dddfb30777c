//! The built-in `offline` provider: a fake model, so that everything can be tried without a key.
//!
//! Owns: one answer per request in three wire formats (Anthropic Messages, OpenAI Chat Completions,
//! OpenAI Responses), streamed or whole, with usage. Markers in the prompt steer it, see `markers`.
//!
//! Must never: read a clock, a file, the environment or a socket, or draw a random number. The same
//! request bytes give the same reply bytes; only `created` fields follow `Request::now`.

mod brain;
mod chat;
mod frames;
mod markers;
mod messages;
mod responses;
mod responses_events;
mod route;
mod tools;

use bytes::Bytes;

pub use route::answer;

/// Models the provider lists. Any other name is accepted too and echoed back.
pub const MODELS: &[&str] = &["offline-1", "offline-mini"];

/// One HTTP request, already authorised and read.
pub struct Request<'a> {
    pub method: &'a str,
    /// Path without the query. Any prefix is accepted: `/x/v1/messages` is `/v1/messages`.
    pub path: &'a str,
    pub body: &'a [u8],
    /// Unix seconds for `created` fields.
    pub now: u64,
}

/// What to send back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Body,
}

/// A whole body, or SSE frames that each end with a blank line and are flushed one by one.
#[derive(Debug)]
pub enum Body {
    Full(Bytes),
    Events(Vec<Bytes>),
}
