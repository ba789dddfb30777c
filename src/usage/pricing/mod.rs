//! What a request costs, as LiteLLM would say: its price table, its calculation, and our own rule for which entry a name means.
//!
//! A model nobody knows has no price. That is `None`, and never 0.

mod check;
mod entry;
mod money;
mod names;
mod off_peak;
mod overrides;
mod price;
mod prices;
mod seller;
mod table;

pub use check::{MAX_TABLE, PricesChecked, check_table};
pub use money::Money;
pub use names::{Match, MatchKind, Rewrite};
pub use overrides::{Override, Overrides};
pub use price::{Cost, ModelPrice};
pub use prices::{Found, Prices};
pub use table::Table;

#[cfg(test)]
mod tests;
