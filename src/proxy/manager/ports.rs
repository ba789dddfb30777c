//! Ports of instances: bound first, handed over then. Nobody looks whether one is free.

use std::net::{Ipv4Addr, TcpListener};

use crate::base::error::{Error, Result};

/// First and last, both in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub first: u16,
    pub last: u16,
}

/// The first port of the range that nobody listens at; `preferred` before all others.
pub(super) fn bind(range: Range, preferred: Option<u16>) -> Result<(TcpListener, u16)> {
    let mut other = None;
    let preferred = preferred.filter(|p| (range.first..=range.last).contains(p));
    for port in preferred.into_iter().chain(range.first..=range.last) {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|l| l.local_addr().map(|at| (l, at.port()))) {
            Ok(bound) => return Ok(bound),
            Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(e) => other = Some(e),
        }
    }
    let count = u32::from(range.last.saturating_sub(range.first)) + 1;
    let error = Error::conflict(format!("all {count} ports for proxies, {} to {}, are in use", range.first, range.last))
        .hint("choose other ports: clown config set proxy.last_port N, then proxy.first_port; or end the proxies: clown proxy stop-all");
    Err(match other {
        Some(cause) => error.cause(cause),
        None => error,
    })
}

/// This port and no other.
pub(super) fn bind_again(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|e| Error::conflict(format!("port {port} cannot be taken again")).cause(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_listens_at_is_skipped_and_a_full_range_is_an_error() {
        let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = foreign.local_addr().unwrap().port();
        let error = bind(Range { first: taken, last: taken }, None).unwrap_err().to_string();
        assert!(error.contains("all 1 ports") && error.contains(&taken.to_string()), "{error}");
        let range = Range { first: taken, last: taken.saturating_add(50) };
        let (_held, port) = bind(range, Some(taken)).unwrap();
        assert!(port != taken && port <= range.last);
        let (_second, other) = bind(range, Some(port)).unwrap();
        assert!(other != port && other != taken);
        // Somebody who takes all interfaces is in the way as well.
        let wide = TcpListener::bind("0.0.0.0:0").unwrap();
        let wide = wide.local_addr().unwrap().port();
        assert!(bind(Range { first: wide, last: wide }, None).is_err() || wide == 0);
    }
}
