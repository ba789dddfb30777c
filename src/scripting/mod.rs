//! Room: runs an agent's set-up script, which nobody here trusts.
//!
//! A script is a pure function from context to files, environment and arguments. It runs in a child
//! process (`clown __script`) with ceilings on memory, processor time, files and wall clock, sees
//! placeholders instead of keys, and its result is checked as data by `check`. The only user of Rhai.
//! Owns `approvals.json` and `approvals/`: what of the registry the user agreed to.
//! Events: none. Never: writes what a script says, runs a script in the daemon's own process,
//! lets a script's text reach the daemon's output.

mod approvals;
mod check;
mod child;
mod engine;
mod run;

pub use approvals::Approvals;
pub use check::check as check_output;
pub use child::{CHILD_COMMAND, child};
pub use run::{Scripts, example_context};
