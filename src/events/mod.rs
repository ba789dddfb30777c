//! Room: the event bus.
//!
//! Owns the sequence number and a ring buffer of the last events. Owns no file.
//! Sends what others hand it, after they have committed. Never: carries values or secrets; waits
//! for a slow reader.

mod bus;

pub use bus::Bus;
