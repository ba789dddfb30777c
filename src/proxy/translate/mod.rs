//! Requests and replies of one wire format as those of another.
//!
//! Text is never decoded on its way: a [`text::Str`] is a slice of the client's own JSON, still
//! escaped, and is copied into the upstream's. One neutral request stands between four readers and
//! four writers. Field names and their meaning: the vendors' API references and SDKs, 2026-11.

pub mod json;
pub mod names;
pub mod read_anthropic;
pub mod read_chat;
pub mod read_gemini;
pub mod read_responses;
pub mod request;
pub mod schema;
pub mod seal;
pub mod text;
pub mod write_anthropic;
pub mod write_chat;
pub mod write_gemini;
pub mod write_responses;
