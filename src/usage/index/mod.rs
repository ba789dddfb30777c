//! What was read of the agents' logs, so that only what is new is read again.
//!
//! `book` holds the requests, `merge` brings together what several lines and files tell of one; both depend on what was told and never
//! on its order. `segment` keeps the book in one file that grows by whole frames. `scan` finds logs (`find`), reads their tails (`tail`)
//! and hands them to collectors.
//!
//! A request stays when its log is gone. A log that comes back, moves, is packed or copied adds nothing: its requests are known.

mod book;
mod changes;
mod codec;
mod file;
mod find;
mod lines;
mod merge;
mod open;
mod packed;
mod scan;
mod segment;
mod slot;
mod slots;
mod strings;
mod tail;

pub use find::{Root, roots};
pub use open::{Index, Log};
pub use scan::{Report, Trouble};

#[cfg(test)]
mod tests;
