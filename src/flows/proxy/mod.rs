//! Proxies of profiles: planned from manifests and settings, run, changed and explained.

mod change;
mod house;
mod keys;
mod look;
mod plan;
mod requests;
mod run;

pub use change::{add_route, remove_alias, remove_route, set, set_alias};
pub use house::{Rooms, adopt};
pub use keys::{add_key, remove_key};
pub use look::{config, explain, routing, status};
pub(crate) use plan::{check, check_target};
pub use requests::requests;
pub use run::{keys, start, stop};
pub(crate) use run::{open, refresh};
