//! The little that clown needs to know of a URL: who would receive a key.

/// Host of an http(s) URL with its port when one is written, lower case. `None` for anything that
/// could be read in two ways: another scheme, user information, white space, a backslash.
pub fn host(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    if !url.is_ascii() || url.contains(['\\', ' ', '\t', '\r', '\n', '@', '\0']) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let valid = !authority.is_empty() && authority.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    valid.then(|| authority.to_ascii_lowercase())
}

/// Whether a host as given by [`host`] is this machine.
pub fn is_loopback(host: &str) -> bool {
    let name = host.strip_prefix('[').and_then(|h| h.split(']').next()).unwrap_or_else(|| host.split(':').next().unwrap_or(host));
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether what is sent there crosses a network unencrypted.
pub fn is_open(url: &str) -> bool {
    url.starts_with("http://") && host(url).is_none_or(|host| !is_loopback(&host))
}

/// What approval is bound to. A port of this machine says nothing, so loopback is one host.
pub fn approval_host(url: &str) -> Option<String> {
    host(url).map(|h| if is_loopback(&h) { "localhost".to_owned() } else { h })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_urls_have_a_host() {
        assert_eq!(host("https://API.x.com/a?b").as_deref(), Some("api.x.com"));
        assert_eq!(host("http://127.0.0.1:8080").as_deref(), Some("127.0.0.1:8080"));
        for bad in ["ftp://x", "https://", "https://a@b", "https://a\\b", "https://é.com", "x", "https://a b", "//x"] {
            assert_eq!(host(bad), None, "{bad}");
        }
        assert!(is_loopback("localhost:1") && is_loopback("[::1]:1") && is_loopback("127.9.9.9"));
        assert!(!is_loopback("127.0.0.1.evil.com") && !is_loopback("localhost.evil.com"));
        assert!(is_open("http://x.com/a") && !is_open("https://x.com/a") && !is_open("http://[::1]:8/a"));
    }
}
