//! Getting a file from a server that nobody trusts: the seam.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::base::{
    error::{Error, Result},
    secret::Secret,
};

/// One file to get.
#[derive(Clone, Copy, Debug)]
pub struct Get<'a> {
    pub url: &'a str,
    /// The address the user set up. `http`, this machine and private networks are for its own host and port only.
    pub home: &'a str,
    /// Sent as `If-None-Match`.
    pub etag: Option<&'a str>,
    /// Longest body that is of use, in bytes.
    pub max: u64,
    /// When to give up, body included.
    pub deadline: Instant,
    /// PEM file of a certificate authority, trusted besides the system's.
    pub ca_file: Option<&'a Path>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// At most `max + 1` bytes: reading stops there, so that the asker sees a body that is too long.
    Body { bytes: Vec<u8>, etag: Option<String> },
    /// The server says that what the etag names is still right.
    NotModified,
    /// 404 or 410.
    Missing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub answer: Answer,
    /// Redirects included.
    pub requests: u64,
}

/// A question to a provider, with a key in its headers.
pub struct Asking<'a> {
    /// Its host is one that the key's owner agreed to.
    pub url: &'a str,
    pub headers: Vec<(&'static str, Secret)>,
    /// Longest body that is of use, in bytes.
    pub max: u64,
    /// For all of it.
    pub limit: Duration,
}

/// An answer of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub status: u16,
    /// At most `max + 1` bytes.
    pub body: Vec<u8>,
    /// Until the answer began.
    pub elapsed: Duration,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The name is not found.
    Name,
    /// There is no way to the host.
    Route,
    /// Nobody takes the connection, or it was cut.
    Connection,
    Tls,
    Slow,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    pub why: Why,
    /// A sentence without its full stop, for people.
    pub message: String,
}

pub trait Fetch: Send + Sync {
    /// Blocks; call it off the async runtime. Errors: `Refused` for an address or answer that is not accepted, `Io` when the server
    /// cannot be reached or does not answer in time, `InvalidInput` for an unusable URL or CA file.
    fn get(&self, get: &Get<'_>) -> Result<Got>;

    /// Asks once, follows nowhere; blocks.
    fn ask(&self, asking: &Asking<'_>) -> std::result::Result<Told, Unreached> {
        Err(Unreached { why: Why::Other, message: format!("nothing is asked of {} here", asking.url) })
    }

    /// Posts JSON to an address the user set up, within the limit; blocks. An answer other than 2xx is an error.
    fn post_json(&self, url: &str, _body: &[u8], _limit: Duration) -> Result<()> {
        Err(Error::unsupported(format!("nothing is sent to {url} here")))
    }
}
