//! The proxy's process: `clown ultrallm serve --config FILE`.
//!
//! `life` listens and ends; `service` takes a request from its head (`gate`, `inbound`) over the choice of a
//! target to `attempt`, which asks one upstream after another; `outgoing` is what they are sent, `flow` what
//! the client gets; `tap` reads along, `meter` keeps the count.

mod answer;
mod attempt;
mod decode;
mod edit;
mod fail;
mod flow;
mod frames;
mod gate;
mod inbound;
mod life;
mod log;
mod meter;
mod models;
mod outgoing;
mod reply;
mod respond;
mod rest;
mod service;
mod signals;
mod state;
mod tap;
mod times;
mod upstream;

#[cfg(test)]
mod tests;

pub use life::{Listener, check, serve};
