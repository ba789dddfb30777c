//! What every HTTP server of ours on loopback asks of a request's head, before it looks at anything else.

use std::net::IpAddr;

use hyper::{
    header::{self, HeaderMap, HeaderValue},
    http::request::Parts,
};

use super::error::Error;

/// Why nothing of ours listens where other machines could ask.
pub fn beyond(address: IpAddr) -> Error {
    Error::refused(format!("http.bind is {address}: clown serves other machines only with TLS, which it has not"))
        .hint("use 127.0.0.1, and a tunnel (ssh -L) from elsewhere: clown config set http.bind 127.0.0.1")
}

/// Exactly one Host, naming loopback and our port; an absolute target must name the same. Keeps out a page whose own name was
/// made to resolve to loopback.
pub fn names_us(parts: &Parts, port: u16) -> bool {
    let ours = |host: &str| {
        let Some((name, given)) = host.rsplit_once(':') else { return false };
        // Only the one way to write a number.
        let plain = !given.starts_with(['0', '+']);
        plain && given.parse() == Ok(port) && ["127.0.0.1", "localhost", "[::1]"].iter().any(|n| name.eq_ignore_ascii_case(n))
    };
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.to_str().is_ok_and(ours) && parts.uri.authority().is_none_or(|target| ours(target.as_str()))
}

/// Whether a web page sent it.
pub fn from_page(headers: &HeaderMap) -> bool {
    let own_site = |value: &HeaderValue| value == "none" || value == "same-origin";
    headers.contains_key(header::ORIGIN) || !headers.get_all("sec-fetch-site").iter().all(own_site)
}

/// Every credential there is; `None` stands for one that is no text or of another scheme.
pub fn tokens(headers: &HeaderMap) -> impl Iterator<Item = Option<&str>> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let keys = ["x-api-key", "x-goog-api-key"].into_iter().flat_map(|name| headers.get_all(name)).map(|value| value.to_str().ok());
    bearer.chain(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_written_in_one_way_only() {
        let named = |host: &str| names_us(&hyper::Request::builder().header("host", host).body(()).unwrap().into_parts().0, 8080);
        assert!(named("localhost:8080") && named("[::1]:8080"));
        for odd in ["localhost:08080", "localhost:+8080", "localhost:", "localhost: 8080", "localhost:73616", "localhost"] {
            assert!(!named(odd), "{odd}");
        }
    }
}
