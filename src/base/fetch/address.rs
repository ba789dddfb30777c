//! Where a request may go. The address the user set up may be anywhere; what a server names may not be inside.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use crate::base::{
    error::{Error, Result},
    url,
};

/// Host and port of the address the user set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    host: String,
    port: u16,
    /// `http`, which is for this machine only.
    plain: bool,
}

impl Home {
    pub(super) fn parse(address: &str) -> Result<Self> {
        let (host, port, plain) = parts(address).ok_or_else(|| Error::invalid(format!("{address:?} is not the address of a server")))?;
        if plain && !url::is_loopback(&host) {
            return Err(Error::invalid(format!("{address} is not encrypted")).hint("use https; http is for servers on this machine only"));
        }
        Ok(Self { host, port, plain })
    }

    fn is(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port == port
    }
}

/// Host in lower case, port, and whether it is `http`. `None` for anything that could be read in two ways.
fn parts(address: &str) -> Option<(String, u16, bool)> {
    let authority = url::host(address)?;
    let plain = address.starts_with("http://");
    let uri: Uri = address.parse().ok()?;
    let host = uri.host()?.to_ascii_lowercase();
    // Both readers agree on who is meant.
    let port = match authority.strip_prefix(&host)? {
        "" if plain => 80,
        "" => 443,
        written => written.strip_prefix(':')?.parse().ok().filter(|p| *p != 0)?,
    };
    Some((host, port, plain))
}

/// The URL, if it may be asked for.
pub(super) fn allowed(address: &str, home: &Home) -> Result<String> {
    let refuse = |why: &str| Err(Error::refused(format!("{} is not asked for: {why}", address.escape_debug())));
    let Some((host, port, plain)) = parts(address) else { return refuse("it is not a plain https address") };
    if plain && !home.is(&host, port) {
        return refuse("it is not encrypted");
    }
    if plain != home.plain {
        return refuse("it is of another scheme than the address that was set up");
    }
    Ok(address.to_owned())
}

/// Where a redirect leads.
pub(super) fn redirected(from: &str, to: &str, home: &Home) -> Result<String> {
    let to = to.split('#').next().unwrap_or_default();
    let scheme = to.split(['/', '?']).next().is_some_and(|first| first.contains(':'));
    let (origin, path) = match from.match_indices('/').nth(2) {
        Some((at, _)) => from.split_at(at),
        None => (from, "/"),
    };
    let next = if to.is_empty() {
        return Err(Error::refused(format!("{from} leads elsewhere without saying where")));
    } else if scheme {
        to.to_owned()
    } else if to.starts_with("//") {
        format!("{}{to}", from.split_inclusive(':').next().unwrap_or_default())
    } else if to.starts_with('/') {
        format!("{origin}{to}")
    } else {
        let dir = path.split('?').next().and_then(|p| p.rsplit_once('/')).map_or("", |(dir, _)| dir);
        format!("{origin}{dir}/{to}")
    };
    allowed(&next, home).map_err(|e| Error::refused(format!("{from} leads to a place that is not followed")).cause(e))
}

/// Whether an address is on this machine, in a private network, or nobody's: no place a server may send us to.
fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_inside_v4(v4),
        IpAddr::V6(v6) => is_inside_v6(v6),
    }
}

fn is_inside_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // carriers' own
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b)) // for benchmarks
}

fn is_inside_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let embedded = |high: u16, low: u16| is_inside_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match (a, b, c, d, e, f) {
        // Unspecified, loopback, and the old form of an IPv4 address.
        (0, 0, 0, 0, 0, 0) => true,
        // Mapped, and two forms of translated IPv4.
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => embedded(g, h),
        (0x64, 0xff9b, 1, ..) => true,
        (0x2002, ..) => embedded(b, c),
        // Teredo, and documentation.
        (0x2001, 0 | 0xdb8, ..) => true,
        _ => {
            let top = a >> 8;
            ip.is_multicast() || (top & 0xfe) == 0xfc || (a & 0xffc0) == 0xfe80 || (a & 0xffc0) == 0xfec0
        }
    }
}

/// A resolver that gives no address a server may not send us to. The connection goes to what it gives, so a name cannot mean one place
/// here and another there.
pub(super) struct Guarded {
    home: Home,
    system: DefaultResolver,
}

impl Guarded {
    pub(super) fn new(home: Home) -> Self {
        Self { home, system: DefaultResolver::default() }
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}

/// What the resolver says when it gives no address.
#[derive(Debug)]
pub(super) struct Inside(pub(super) IpAddr);

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is at {}, on this machine or in a private network", self.0)
    }
}

impl std::error::Error for Inside {}

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.system.resolve(uri, config, timeout)?;
        let (host, port, plain) = parts(&uri.to_string()).ok_or_else(|| ureq::Error::BadUri(uri.to_string()))?;
        let may = |ip: IpAddr| if plain { ip.is_loopback() } else { self.home.is(&host, port) || !is_inside(ip) };
        let mut kept = self.empty();
        let mut inside = None;
        for address in &found {
            if may(address.ip()) { kept.push(*address) } else { inside = Some(address.ip()) }
        }
        match inside {
            Some(ip) if kept.is_empty() => Err(ureq::Error::Io(io::Error::other(Inside(ip)))),
            _ => Ok(kept),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(address: &str) -> Home {
        Home::parse(address).unwrap()
    }

    #[test]
    fn a_home_is_encrypted_or_on_this_machine() {
        for good in
            ["https://r.example.com/x", "https://10.0.0.1", "http://127.0.0.1:80", "http://localhost:1/r", "http://[::1]:9", "HTTPS://x.y"]
        {
            assert_eq!(Home::parse(good).is_ok(), !good.starts_with("HTTPS"), "{good}");
        }
        for bad in [
            "http://r.example.com",
            "http://127.0.0.1.evil.com",
            "ftp://x",
            "https://u@h",
            "https://h:0",
            "https://h:99999",
            "https://",
            "x",
        ] {
            assert!(Home::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn attack_19_a_redirect_stays_encrypted_and_outside_of_files() {
        let home = home("https://r.example.com/x");
        let from = "https://r.example.com/x/stable/registry.json?a";
        for (to, url) in [
            ("https://cdn.example.net/f", "https://cdn.example.net/f"),
            ("/y", "https://r.example.com/y"),
            ("other.json#part", "https://r.example.com/x/stable/other.json"),
            ("//cdn.example.net/f", "https://cdn.example.net/f"),
            ("a?b=c:d", "https://r.example.com/x/stable/a?b=c:d"),
        ] {
            assert_eq!(redirected(from, to, &home).unwrap(), url);
        }
        for bad in [
            "http://r.example.com/x",
            "http://127.0.0.1/x",
            "file:///etc/passwd",
            "ftp://x/y",
            "gopher:x",
            "https://u:p@h/x",
            "https://h\\@evil/",
            "//u@h/x",
            "",
            "https://h/a b",
            "data:,x",
        ] {
            assert!(redirected(from, bad, &home).is_err(), "{bad}");
        }
    }

    #[test]
    fn attack_19_a_plain_server_on_this_machine_leads_to_itself_only() {
        let home = home("http://127.0.0.1:8000/r");
        let from = "http://127.0.0.1:8000/r/a";
        assert!(redirected(from, "/b", &home).is_ok());
        for bad in ["http://127.0.0.1:8001/r/a", "http://localhost:8000/r/a", "https://127.0.0.1:8000/a", "http://169.254.169.254/"] {
            assert!(redirected(from, bad, &home).is_err(), "{bad}");
        }
    }

    #[test]
    fn attack_19_addresses_inside_are_known_in_every_writing() {
        for ip in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "240.0.0.1",
            "198.18.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(is_inside(ip.parse().unwrap()), "{ip}");
        }
        for ip in
            ["1.1.1.1", "172.32.0.1", "100.128.0.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
        {
            assert!(!is_inside(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn attack_19_a_name_that_resolves_inside_is_for_the_home_only() {
        let resolve = |home: &str, url: &str| {
            let config = ureq::Agent::config_builder().build();
            Guarded::new(Home::parse(home).unwrap()).resolve(&url.parse().unwrap(), &config, NextTimeout::default()).is_ok()
        };
        assert!(resolve("https://localhost:444/x", "https://localhost:444/y"));
        assert!(resolve("http://localhost:444/x", "http://localhost:444/y"));
        assert!(!resolve("https://localhost:444/x", "https://localhost:445/y"));
        assert!(!resolve("https://r.example.com", "https://localhost/y"));
        assert!(!resolve("https://r.example.com", "https://127.1/y"));
        assert!(!resolve("https://r.example.com", "https://[::ffff:127.0.0.1]/y"));
        assert!(!resolve("https://r.example.com", "https://169.254.169.254/latest"));
    }
}
