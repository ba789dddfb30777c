//! A home of its own for each test, the program to run in it, and upstreams that record.

mod home;
mod upstream;

pub use home::{Cmd, Out, Running, TestHome, agents_dir, contains, is_zombie, kill, snapshot, wait_until};
pub use upstream::{Recorded, Upstream};
