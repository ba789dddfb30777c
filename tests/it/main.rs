//! The program from outside: one binary, so that it links once.

mod agents;
mod bad_input;
mod canary;
mod daemon;
mod help;
mod hostile_peers;
mod keychain;
mod profiles;
mod sessions;
mod support;
