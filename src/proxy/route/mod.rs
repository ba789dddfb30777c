//! Where a request goes: targets, rules, what is known of each target's health, and the choice.

mod choose;
mod explain;
mod facts;
mod health;
mod quirks;
mod table;

pub use choose::{Choice, Ground, NoModel, Pick};
pub use explain::{Explained, Step, explain};
pub use facts::{Shape, estimate, of_body, of_request};
pub use health::Health;
pub use quirks::Quirks;
pub(in crate::proxy) use table::find;
pub use table::{Key, Price, Rule, Table, Target, Times};
