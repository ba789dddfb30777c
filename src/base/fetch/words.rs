//! What went wrong with a server, in a user's words.

use std::io::{self, ErrorKind};

use rustls::CertificateError as Bad;
use ureq::Timeout;

use super::address::Inside;
use crate::base::{error::Error, url};

pub(super) fn too_slow(url: &str) -> Error {
    Error::io(format!("{} takes too long", host(url)))
}

pub(super) fn status(url: &str, status: u16) -> Error {
    let why = match status {
        401 | 403 => "it does not let us have it",
        429 => "it was asked too often",
        500.. => "it has trouble of its own",
        _ => "nobody expects that of a file",
    };
    Error::io(format!("{url} was answered with status {status}: {why}"))
}

pub(super) fn failed(url: &str, error: ureq::Error) -> Error {
    let host = host(url);
    match error {
        ureq::Error::Io(e) => failed_io(url, &host, e),
        ureq::Error::Rustls(e) => failed_tls(&host, &e),
        ureq::Error::Timeout(Timeout::Connect) => Error::io(format!("{host} cannot be reached: it does not answer")),
        ureq::Error::Timeout(Timeout::Resolve) => Error::io(format!("{host} cannot be reached: its name is not found in time")),
        ureq::Error::Timeout(Timeout::PerRead) => Error::io(format!("{host} stopped in the middle of {url}")),
        ureq::Error::Timeout(_) => too_slow(url),
        ureq::Error::HostNotFound => Error::io(format!("{host} cannot be reached: there is no such name")),
        e @ ureq::Error::Protocol(_) => Error::io(format!("{host} does not speak HTTP as it should")).cause(e),
        e => Error::io(format!("{url} could not be fetched")).cause(e),
    }
}

fn failed_io(url: &str, host: &str, error: io::Error) -> Error {
    let inner = error.get_ref();
    if let Some(inside) = inner.and_then(|e| e.downcast_ref::<Inside>()) {
        return Error::refused(format!("{url} is not asked for: {inside}"));
    }
    if let Some(tls) = inner.and_then(|e| e.downcast_ref::<rustls::Error>()) {
        return failed_tls(host, tls);
    }
    let why = match error.kind() {
        ErrorKind::ConnectionRefused => "nobody listens there",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "it does not answer",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            "there is no way to it; is the network there?"
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => "it closed the connection",
        ErrorKind::UnexpectedEof => "it ended before everything was there",
        _ => return Error::io(format!("{host} cannot be reached")).cause(error),
    };
    Error::io(format!("{host} cannot be reached: {why}"))
}

fn failed_tls(host: &str, error: &rustls::Error) -> Error {
    let rustls::Error::InvalidCertificate(bad) = error else {
        return Error::io(format!("{host} has no encryption that can be used")).cause(error.clone());
    };
    let why = match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => "it has expired".to_owned(),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "it is not valid yet; is the clock of this machine right?".into(),
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => format!("it is not valid for {host}"),
        Bad::UnknownIssuer => "nobody this machine trusts has signed it (is it self-signed?)".into(),
        Bad::Revoked => "it was revoked".into(),
        other if other.to_string().contains("CaUsedAsEndEntity") => "it is a self-signed one".into(),
        other => other.to_string(),
    };
    Error::refused(format!("the certificate of {host} is not accepted: {why}"))
        .hint("if the server is your own, name its authority's PEM file: clown config set registry.ca_file FILE")
}

pub(super) fn host(url: &str) -> String {
    url::host(url).unwrap_or_else(|| url.to_owned())
}
