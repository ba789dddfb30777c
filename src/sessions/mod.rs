//! Room: session records.
//!
//! Owns `telemetry/sessions.jsonl`: a line when a session opens, when its process is known and when
//! it closes; the last line of an id is the record. A line that cannot be read is counted and kept.
//! Events (sent by flows): `session/started`, `session/ended`. Never: reports an exit nobody saw
//! as 0; rewrites the file; ends a process.

mod store;

pub use store::{Later, Sessions};
