//! One visit to a server: every request of a call, under one deadline, counted.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::{
    base::{
        error::{Error, Result},
        seams::{Answer, Fetch, Get},
        url,
    },
    wire::error::Code,
};

use super::roots;

/// For all requests of a call together.
const LONGEST_VISIT: Duration = Duration::from_secs(30);

pub(super) struct Visit<'a> {
    fetch: &'a dyn Fetch,
    home: String,
    ca_file: Option<&'a Path>,
    pub(super) deadline: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// An address without the slashes at its end.
pub(super) fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

impl<'a> Visit<'a> {
    pub(super) fn new(fetch: &'a dyn Fetch, home: &str, ca_file: Option<&'a Path>) -> Result<Self> {
        let host = url::host(home).filter(|_| !home.contains(['?', '#']));
        match host {
            Some(host) if home.starts_with("https://") || url::is_loopback(&host) => {}
            Some(_) => {
                return Err(Error::invalid(format!("{home} is not encrypted")).hint("use https; http is for servers on this machine only"));
            }
            None => return Err(Error::invalid(format!("{home:?} is not the address of a server")).hint("write it as https://host/path")),
        }
        Ok(Self {
            fetch,
            home: trimmed(home),
            ca_file,
            deadline: Instant::now() + LONGEST_VISIT,
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// The address all this is below.
    pub(super) fn home(&self) -> &str {
        &self.home
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Of bodies.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Asks for a URL. A body longer than `max` is refused.
    pub(super) fn ask(&self, url: &str, max: u64, etag: Option<&str>) -> Result<Answer> {
        let get = Get { url, home: &self.home, etag, max, deadline: self.deadline, ca_file: self.ca_file };
        let got = self.fetch.get(&get).map_err(|e| match e.code() {
            Code::Io => e.hint("what is here works without the network: clown registry sync --offline"),
            _ => e,
        })?;
        self.requests.fetch_add(got.requests, Ordering::Relaxed);
        match &got.answer {
            Answer::Body { bytes, .. } => {
                self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                if bytes.len() as u64 > max {
                    return Err(Error::refused(format!("{url} is longer than {max} bytes")));
                }
            }
            Answer::NotModified if etag.is_none() => {
                return Err(Error::refused(format!("the server says that {url} has not changed, without having been asked that")));
            }
            _ => {}
        }
        Ok(got.answer)
    }

    /// A file below the address. `None` when it is not there.
    pub(super) fn file(&self, path: &str, max: u64) -> Result<Option<Vec<u8>>> {
        match self.ask(&format!("{}/{path}", self.home), max, None)? {
            Answer::Body { bytes, .. } => Ok(Some(bytes)),
            Answer::Missing | Answer::NotModified => Ok(None),
        }
    }

    /// The signatures of a file. A missing one is none.
    pub(super) fn signatures(&self, path: &str) -> Result<String> {
        let bytes = self.file(&format!("{path}.minisig"), roots::LONGEST)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
