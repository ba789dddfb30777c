//! Getting a file from a server that nobody trusts: the seam.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::base::error::{Error, Result};

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

pub trait Fetch: Send + Sync {
    /// Blocks; call it off the async runtime. Errors: `Refused` for an address or answer that is not accepted, `Io` when the server
    /// cannot be reached or does not answer in time, `InvalidInput` for an unusable URL or CA file.
    fn get(&self, get: &Get<'_>) -> Result<Got>;

    /// Posts JSON to an address the user set up, within the limit; blocks. An answer other than 2xx is an error.
    fn post_json(&self, url: &str, _body: &[u8], _limit: Duration) -> Result<()> {
        Err(Error::unsupported(format!("nothing is sent to {url} here")))
    }
}
