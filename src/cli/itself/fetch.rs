//! Where a release comes from, and getting it.

use std::time::{Duration, Instant};

use crate::{
    base::{
        error::{Error, Result},
        fetch::SystemFetch,
        release::{self, Trust},
        seams::{Answer, Fetch, Get},
    },
    cli::{connect::Daemon, output::Output},
    wire::{
        config::List,
        error::Code,
        release::{INDEX, Program, Release, SIGNATURES},
    },
};

/// Says it for one command.
const URL_VAR: &str = "CLOWN_UPDATE_URL";
const LIST_LIMIT: Duration = Duration::from_secs(30);
const PROGRAM_LIMIT: Duration = Duration::from_secs(600);

pub(super) struct Source {
    /// Without a slash at its end.
    url: String,
    trust: Trust,
    fetch: SystemFetch,
}

impl Source {
    /// As the user set it up, else as the build says.
    pub(super) fn known(output: Output) -> Result<Self> {
        let built_in = release::built_in()?;
        let (set_url, keys) = match settings(output) {
            Ok(settings) => settings,
            // An update may be what mends the daemon.
            Err(error) if !built_in.keys.is_empty() => {
                output.warn(&format!("the settings cannot be read, those inside clown are used: {error}"));
                (String::new(), Vec::new())
            }
            Err(error) => return Err(error),
        };
        let trust = Trust::new(&keys, &built_in)?;
        let candidates = [std::env::var(URL_VAR).unwrap_or_default(), set_url, built_in.url];
        let url = candidates.into_iter().find(|url| !url.is_empty()).ok_or_else(|| {
            Error::invalid("no address of releases is known")
                .hint("set the one their publisher names: clown config set update.url https://...")
        })?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), trust, fetch: SystemFetch::default() })
    }

    /// The newest release, once it was found good.
    pub(super) fn release(&self) -> Result<Release> {
        let deadline = Instant::now() + LIST_LIMIT;
        let bytes = self.file(INDEX, release::LONGEST_INDEX, deadline)?;
        let signatures = self.file(SIGNATURES, release::LONGEST_INDEX, deadline)?;
        let read = release::read(&bytes, &String::from_utf8_lossy(&signatures), &self.trust);
        read.map_err(|error| error.or_hint("nothing was changed; if this stays so, ask whoever publishes clown"))
    }

    pub(super) fn program(&self, program: &Program) -> Result<Vec<u8>> {
        self.file(&program.file, program.length, Instant::now() + PROGRAM_LIMIT)
    }

    fn file(&self, name: &str, max: u64, deadline: Instant) -> Result<Vec<u8>> {
        let url = format!("{}/{name}", self.url);
        let get = Get { url: &url, home: &self.url, etag: None, max, deadline, ca_file: None };
        let got = self.fetch.get(&get).map_err(|error| match error.code() {
            Code::Io => error.hint("nothing was changed; try again when the network is there"),
            _ => error,
        })?;
        match got.answer {
            Answer::Body { bytes, .. } if bytes.len() as u64 > max => {
                Err(Error::refused(format!("{url} is longer than {max} bytes")).hint("nothing was changed"))
            }
            Answer::Body { bytes, .. } => Ok(bytes),
            Answer::Missing => {
                Err(Error::not_found(format!("{url} is not there"))
                    .hint("see the address: clown config get update.url; nothing was changed"))
            }
            Answer::NotModified => {
                Err(Error::refused(format!("the server says that {url} has not changed, without having been asked that")))
            }
        }
    }
}

/// `update.url` and `update.trusted_keys`.
fn settings(output: Output) -> Result<(String, Vec<String>)> {
    let listed = Daemon::needed(output)?.call(&List {})?;
    let value = |key: &str| listed.settings.iter().find(|s| s.key == key).map(|s| s.value.clone()).unwrap_or_default();
    let keys = value("update.trusted_keys").as_array().cloned().unwrap_or_default();
    Ok((
        value("update.url").as_str().unwrap_or_default().to_owned(),
        keys.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect(),
    ))
}
