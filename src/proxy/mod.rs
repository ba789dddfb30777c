//! Room: routing, translation and metering of model requests.
//!
//! `config` is an instance's file; `route` decides where a request goes; `translate` and `stream` turn
//! one format into another; `engine` is the process that serves it all; `token` are its clients' keys.
//!
//! Owns on disk what the manager names: `.ultrallm/` in a profile's home. Never: gives a client's own
//! credential to another vendor, writes a key to any file, or holds back a byte that is ready.

pub mod condition;
pub mod config;
pub mod engine;
pub mod generate;
pub mod manager;
pub mod route;
pub mod stream;
pub mod token;
pub mod translate;
