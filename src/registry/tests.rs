//! The room against a publisher in memory. Attacks are named as in the table that the project keeps of them.

mod attacks;
mod disk;
mod publisher;
mod roots;
mod syncs;
