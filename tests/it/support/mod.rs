//! A home of its own for each test, the program to run in it, and upstreams that record.

mod fake;
mod fake_agent;
mod home;
mod peer;
mod process;
mod python;
mod real;
mod registry;
mod storm;
mod strace;
mod terminal;
mod tree;
mod upstream;

pub use fake_agent::FakeAgent;
pub use home::{Cmd, Out, Running, TestHome, contains, wait_until};
pub use peer::{Endpoint, Peer, push, raw, request};
pub use process::{clown_program, is_optimised, is_zombie, kill, peak_rss_kib, root_for, rss_kib, snapshot, stop};
pub use python::python;
pub use real::agents_dir;
pub use storm::{Kept, at_once};
pub use strace::Strace;
pub use tree::Tree;
pub use upstream::{Recorded, Upstream};
