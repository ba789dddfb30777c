//! One question to an address that a key's owner agreed to. No redirect is followed: a key goes nowhere else.

use std::{
    io::{ErrorKind, Read},
    net::ToSocketAddrs,
    time::Instant,
};

use ureq::{Agent, Timeout, tls::RootCerts};

use super::{CONNECT, plain, words};
use crate::base::seams::{Asking, Told, Unreached, Why};

pub(super) fn ask(asking: &Asking<'_>) -> Result<Told, Unreached> {
    let config = plain(RootCerts::PlatformVerifier)
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(asking.limit))
        .build();
    let mut request = Agent::new_with_config(config).get(asking.url);
    for (name, value) in &asking.headers {
        request = request.header(*name, value.expose());
    }
    let start = Instant::now();
    let unreached = |e: ureq::Error| match why(&e) {
        Why::Connection if !has_address(asking.url) => {
            let message = format!("{} is not found: there is no such name, or no name server answers", words::host(asking.url));
            Unreached { why: Why::Name, message }
        }
        why => Unreached { why, message: words::failed(asking.url, e).to_string() },
    };
    let response = request.call().map_err(unreached)?;
    let elapsed = start.elapsed();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let mut reader = response.into_body().into_with_config().limit(u64::MAX).reader().take(asking.max.saturating_add(1));
    reader.read_to_end(&mut body).map_err(|e| unreached(e.into()))?;
    Ok(Told { status, body, elapsed })
}

/// Looked for again, since the library does not tell a failed look-up from others.
fn has_address(url: &str) -> bool {
    let host = words::host(url);
    let bare = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host.as_str(), |(name, _)| name);
    (bare.trim_matches(['[', ']']), 443).to_socket_addrs().is_ok_and(|mut found| found.next().is_some())
}

fn why(error: &ureq::Error) -> Why {
    match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => Why::Name,
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => Why::Tls,
        ureq::Error::Timeout(Timeout::Connect) => Why::Connection,
        ureq::Error::Timeout(_) => Why::Slow,
        ureq::Error::Io(e) if e.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => Why::Tls,
        ureq::Error::Io(e) => match e.kind() {
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => Why::Route,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Why::Slow,
            _ => Why::Connection,
        },
        _ => Why::Other,
    }
}
