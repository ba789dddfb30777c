//! Sending figures to a collector that the user set up.

use std::time::Duration;

use ureq::{Agent, http::header, tls::RootCerts};

use super::{plain, words};
use crate::base::error::{Error, Result};

/// One connection for one message: it is sent once a minute. No redirect is followed.
pub(super) fn json(url: &str, body: &[u8], limit: Duration) -> Result<()> {
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(Error::invalid(format!("{url:?} is not an address of http or https")));
    }
    let config = plain(RootCerts::PlatformVerifier).timeout_global(Some(limit)).build();
    let response = Agent::new_with_config(config)
        .post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .send(body)
        .map_err(|e| words::failed(url, e))?;
    match response.status().as_u16() {
        200..=299 => Ok(()),
        status => Err(words::status(url, status)),
    }
}
