//! Room: what was used, and what it cost.
//!
//! `record` is one billed request, as every agent's log is told here; `row` says whose it was; `pricing` what it costs. `collect`
//! reads the agents' logs and `index` remembers what was read; `logs` is both behind `source`. `side` adds what only proxies saw;
//! `query` answers questions about many requests; `service` keeps what is known fresh, and `watch` tells it when to look. `budgets`
//! holds the user's limits.
//!
//! Reads the agents' logs, the proxies' `usage.jsonl`, and `registry/litellm-pricing.json` where there is one. Owns
//! `telemetry/usage/` and `budgets.json`. Events: the flows send `usage/updated`, `budget/changed` and `budget/reached`.
//! Never: keeps a word of what was said; writes into an agent's directory; forgets a request because its log is gone; counts one
//! twice because its log was copied; takes a model nobody knows for a free one; prices by likeness of names; wakes up while nothing
//! happens.

pub mod budgets;
pub mod collect;
pub mod index;
pub mod logs;
pub mod pricing;
pub mod query;
pub mod record;
pub mod row;
pub mod service;
pub mod side;
pub mod source;
pub mod watch;
