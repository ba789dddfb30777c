//! `bench proxy`.
mod http;
mod load;
mod mock;
mod poll;
mod wire;
