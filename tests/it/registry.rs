//! `clown registry` against a publisher and servers of our own, honest ones and others.

mod attacks;
mod crash;
pub mod server;
mod sync;
mod tls;
pub mod world;

use super::support::*;
