//! Room: what was used, and what it cost.
//!
//! `record` is one billed request, as every agent's log is told here; `row` says whose it was; `pricing` what it costs. `source` is
//! whoever reads logs; `side` adds what only proxies saw; `query` answers questions about many requests; `service` keeps what is known
//! fresh, and `watch` tells it when to look. `budgets` holds the user's limits.
//!
//! Reads `registry/litellm-pricing.json`, where there is one, and the proxies' `usage.jsonl`. Owns `budgets.json`. Events: the flows
//! send `usage/updated` and `budget/reached`.
//! Never: keeps a word of what was said; takes a model nobody knows for a free one; prices by likeness of names; wakes up while
//! nothing happens.

pub mod budgets;
pub mod pricing;
pub mod query;
pub mod record;
pub mod row;
pub mod service;
pub mod side;
pub mod source;
pub mod watch;
