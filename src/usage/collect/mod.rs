//! The agents' logs, one small file for each agent. A collector knows where its agent keeps them and what one line tells; it opens
//! nothing and remembers nothing but its [`State`], so that a tail can be read alone.

pub mod agent;
mod amp;
mod claude;
mod codex;
mod copilot;
mod droid;
mod gemini;
mod grok;
pub(crate) mod json;
mod kimi;
mod opencode;
mod pi;
mod qwen;
pub mod sink;
pub mod state;
pub(crate) mod time;
mod tokens;

pub use agent::{Collector, Home, Shape, collector, collectors};
pub use sink::{Bill, Limit, ModelBill, Problem, Seen, Sink, Window};
pub use state::State;

#[cfg(test)]
mod tests;
