//! The daemon is unharmed by any peer at any moment.

mod flood;
mod frames;
mod library;
