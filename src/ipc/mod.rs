//! Face: the local socket. Calls by nng request/reply, events by nng pub/sub.
//!
//! The only user of the messaging library, which is never exposed: a listener of our own (`front`)
//! checks uid, handshake and frame length and passes whole frames on, because the library can be
//! stopped or aborted by a stranger's bytes. The command line speaks the same framing directly (`sp`),
//! which saves the library's start-up; any nng client works as well. Owns the socket files and
//! `daemon-endpoint`. Never: uses a bare connect as a sign of life; resends by itself.

mod bridge;
pub mod client;
pub mod endpoint;
#[cfg(unix)]
mod front;
mod publish;
pub mod server;
pub mod sp;
pub mod watch;
