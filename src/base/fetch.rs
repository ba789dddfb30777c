//! The [`Fetch`] seam over the network, with `ureq`. The only user of it.
//!
//! A server is not trusted: it cannot send us to a place inside, make us wait, fill the memory or unpack anything. No proxy is taken from
//! the environment, no cookie is kept, nothing is sent but the name of a file.

mod address;
mod asking;
mod post;
mod words;

use std::{
    io::Read,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ureq::{
    Agent, Body,
    config::ConfigBuilder,
    http::{HeaderMap, Response, header},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
    typestate::AgentScope,
    unversioned::transport::{Connector, RustlsConnector, TcpConnector},
};

use self::address::{Guarded, Home};
use super::{
    error::{Error, Result},
    fsx,
    seams::{Answer, Asking, Fetch, Get, Got, Told, Unreached},
};

const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for the next bytes.
const SILENCE: Duration = Duration::from_secs(10);
const MOST_REDIRECTS: u64 = 3;
/// Connections kept for the next request to the same host.
const KEPT: usize = 6;
/// Longest etag that is remembered, in bytes.
const LONGEST_ETAG: usize = 256;

#[derive(Default)]
pub struct SystemFetch {
    /// The client for the address and authorities of the last request, with its open connections.
    client: Mutex<Option<Client>>,
}

#[derive(Clone)]
struct Client {
    home: Home,
    /// The PEM file's bytes.
    authorities: Option<Vec<u8>>,
    agent: Agent,
}

impl Fetch for SystemFetch {
    fn get(&self, get: &Get<'_>) -> Result<Got> {
        let home = Home::parse(get.home)?;
        let agent = self.agent(&home, get.ca_file)?;
        let mut url = address::allowed(get.url, &home)?;
        let mut requests = 0;
        loop {
            requests += 1;
            let response = ask(&agent, &url, get)?;
            let status = response.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                return Ok(Got { answer: answer(response, &url, get)?, requests });
            }
            if requests > MOST_REDIRECTS {
                return Err(Error::refused(format!("{} leads on more than {MOST_REDIRECTS} times", get.url)));
            }
            let to = text(response.headers(), header::LOCATION).unwrap_or_default();
            url = address::redirected(&url, to, &home)?;
        }
    }

    fn ask(&self, asking: &Asking<'_>) -> std::result::Result<Told, Unreached> {
        asking::ask(asking)
    }

    fn post_json(&self, url: &str, body: &[u8], limit: Duration) -> Result<()> {
        post::json(url, body, limit)
    }
}

impl SystemFetch {
    fn agent(&self, home: &Home, ca_file: Option<&Path>) -> Result<Agent> {
        let read = |path: &Path| {
            let missing = || Error::invalid(format!("the certificate file {} is not there", path.display()));
            fsx::read_optional(path)?.ok_or_else(missing)
        };
        let authorities = ca_file.map(read).transpose()?;
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = kept.as_ref().filter(|c| c.home == *home && c.authorities == authorities) {
            return Ok(client.agent.clone());
        }
        let agent = agent(home, authorities.as_deref().zip(ca_file))?;
        *kept = Some(Client { home: home.clone(), authorities, agent: agent.clone() });
        Ok(agent)
    }
}

/// What all our clients are: no redirect by themselves, no proxy of the environment, a status is an answer.
fn plain(roots: RootCerts) -> ConfigBuilder<AgentScope> {
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("clown/", env!("CARGO_PKG_VERSION")))
}

fn agent(home: &Home, authorities: Option<(&[u8], &Path)>) -> Result<Agent> {
    let roots = authorities.map_or(Ok(RootCerts::PlatformVerifier), |(pem, path)| with_own(pem, path))?;
    let config = plain(roots)
        .accept_encoding("identity")
        .timeout_connect(Some(CONNECT))
        .timeout_resolve(Some(CONNECT))
        .timeout_per_read(Some(SILENCE))
        .max_idle_connections_per_host(KEPT)
        .build();
    // The usual chain has proxies in it.
    let connector = TcpConnector::default().chain(RustlsConnector::default());
    Ok(Agent::with_parts(config, connector, Guarded::new(home.clone())))
}

/// The system's authorities and those of a PEM file.
fn with_own(pem: &[u8], path: &Path) -> Result<RootCerts> {
    let unusable = || Error::invalid(format!("{} is not a file of certificates in PEM form", path.display()));
    let mut all = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|e| unusable().cause(e))? {
            all.push(certificate);
        }
    }
    if all.is_empty() {
        return Err(unusable());
    }
    all.extend(rustls_native_certs::load_native_certs().certs.iter().map(|c| Certificate::from_der(c).to_owned()));
    Ok(RootCerts::new_with_certs(&all))
}

fn ask(agent: &Agent, url: &str, get: &Get<'_>) -> Result<Response<Body>> {
    let left = get.deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(words::too_slow(url));
    }
    let mut request = agent.get(url);
    if let Some(etag) = get.etag.filter(|e| is_plain(e)) {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    request.config().timeout_global(Some(left)).build().call().map_err(|e| words::failed(url, e))
}

fn answer(response: Response<Body>, url: &str, get: &Get<'_>) -> Result<Answer> {
    match response.status().as_u16() {
        200 => {}
        304 => return Ok(Answer::NotModified),
        404 | 410 => return Ok(Answer::Missing),
        status => return Err(words::status(url, status)),
    }
    if let Some(coding) = response.headers().get(header::CONTENT_ENCODING) {
        return Err(Error::refused(format!(
            "{url} came packed ({}), which was not asked for",
            coding.to_str().unwrap_or("?").escape_debug()
        )));
    }
    let etag = text(response.headers(), header::ETAG).filter(|e| is_plain(e)).map(str::to_owned);
    let mut bytes = Vec::new();
    // One byte more than is of use tells the asker that there is more.
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader().take(get.max.saturating_add(1));
    body.read_to_end(&mut bytes).map_err(|e| words::failed(url, e.into()))?;
    Ok(Answer::Body { bytes, etag })
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// Whether it may stand in a header and a file as it is.
fn is_plain(etag: &str) -> bool {
    !etag.is_empty() && etag.len() <= LONGEST_ETAG && etag.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
