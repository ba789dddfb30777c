//! Every type that crosses a process border: calls, replies, events, manifests and stored records.
//!
//! Serde and schemars only. Nothing here imports another module of clown, so a client in any language can be
//! written from these files. A call is a type; its reply type follows from it (`Call::Reply`).

pub mod agents;
pub mod audit;
pub mod bindings;
pub mod budgets;
pub mod complete;
pub mod config;
pub mod daemon;
pub mod doctor;
pub mod envelope;
pub mod error;
pub mod event;
pub mod hooks;
pub mod http;
pub mod ids;
pub mod launchers;
pub mod manifest;
pub mod mcp;
pub mod metrics;
pub mod moving;
pub mod plugins;
pub mod profiles;
pub mod providers;
pub mod proxy;
pub mod registry;
pub mod release;
pub mod runs;
pub mod scripts;
pub mod secret;
pub mod sessions;
pub mod setup;
pub mod templates;
pub mod usage;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// Wire protocol number. It changes only when an old peer would misread a new one.
pub const PROTOCOL: u32 = 1;

/// Largest message either side accepts, in bytes.
pub const MAX_MESSAGE: usize = 1 << 20;

/// For calls that read and write as much as a user has.
pub const LONG: Duration = Duration::from_secs(3600);

/// What a call does to the daemon's state, which decides whether a client may send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing; may be sent any number of times.
    Read,
    /// Sending it twice has the effect of sending it once.
    Idempotent,
    /// Must run once; the daemon remembers its request id and answers a resend from memory.
    Once,
}

/// One operation of the daemon. Implemented by the request type.
pub trait Call: Serialize + DeserializeOwned + JsonSchema + Send + 'static {
    /// `noun.verb`, unique; the key in the router and in `PROTOCOL.md`.
    const NAME: &'static str;
    const EFFECT: Effect;
    /// How long a client waits for the answer. The longest of the usual calls wait for a keychain's dialog or look at every agent.
    const LIMIT: Duration = Duration::from_secs(180);
    type Reply: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
}

/// The reply of calls that have nothing to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
pub struct Done {}
