//! A home of its own for each test, the program to run in it, and upstreams that record.

mod fake;
mod home;
mod terminal;
mod tree;
mod upstream;

pub use home::{Cmd, Out, TestHome, agents_dir, contains, is_zombie, kill, wait_until};
pub use tree::Tree;
pub use upstream::{Recorded, Upstream};
