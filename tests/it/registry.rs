//! `clown registry` against a publisher and servers of our own, honest ones and others.

mod attacks;
mod crash;
mod prices;
pub mod server;
mod sync;
mod tls;
pub mod world;

use super::support::*;
