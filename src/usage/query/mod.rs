//! Questions about requests, answered from sums in memory.
//!
//! `ledger` holds the sums: by quarter of an hour, agent, profile, provider, model, project and session. A quarter, because days
//! of every zone begin on one. `span` says which days are meant, `select` which requests, `report` and `blocks` make lines of them.
//! Sums are merged exactly, so that lines always add up to their totals; where rows change, only the sums they are in are made anew.

mod blocks;
mod calendar;
mod ledger;
mod line;
mod names;
mod report;
mod rows;
mod select;
mod span;
mod summary;
mod sums;

pub use ledger::{Ledger, Terms};
pub use report::report;
pub use rows::export;
pub use span::{Span, zone};
pub use summary::{statusline, summary};

pub(crate) use line::figures;
pub(crate) use select::{chosen, chosen_rows};
pub(crate) use summary::total;

#[cfg(test)]
pub(crate) mod tests;
