//! Runs of agents and their records.

mod records;
mod run;
