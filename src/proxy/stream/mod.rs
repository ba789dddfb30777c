//! Streamed replies of one format as those of another, piece by piece.
//!
//! Bytes go through [`sse`] into events, a reader of the upstream's format makes neutral
//! [`event::Event`]s of them, [`order`] makes those regular (one block at a time, each closed, one
//! end), and a writer makes the client's frames. Each step keeps its state, so the output does not
//! depend on how the input was cut. [`convert`] puts the four together for any pair.

pub mod convert;
pub mod event;
pub mod order;
pub mod read_anthropic;
pub mod read_chat;
pub mod read_gemini;
pub mod read_responses;
pub mod sse;
pub mod write_anthropic;
pub mod write_chat;
pub mod write_gemini;
pub mod write_responses;
