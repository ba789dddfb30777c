//! Who may ask: decided on the head of a request, before its body is read.

use hyper::http::request::Parts;

use crate::{
    base::loopback,
    proxy::token::{Holder, Master},
};

/// Why a request is not served. Statuses and words are constant: they tell a stranger nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Host,
    Page,
    Token,
}

impl Refusal {
    pub(super) fn words(self) -> (u16, &'static str) {
        match self {
            Self::Host => (421, "this proxy answers only to its own loopback address"),
            Self::Page => (403, "requests from web pages are refused"),
            Self::Token => (401, "the token is missing or is not of a session of this proxy"),
        }
    }
}

/// Host and Origin: a web page must not even learn that there are tokens.
pub(super) fn place(parts: &Parts, port: u16) -> Result<(), Refusal> {
    if !loopback::names_us(parts, port) {
        return Err(Refusal::Host);
    }
    if loopback::from_page(&parts.headers) {
        return Err(Refusal::Page);
    }
    Ok(())
}

/// The session, empty for the owner. Every credential there is must be good: a second, foreign one means
/// that the request was not made for this proxy.
pub(super) fn session(parts: &Parts, master: &Master) -> Result<String, Refusal> {
    let mut session = None;
    // Google's clients may put it into the address.
    let asked = parts.uri.query().into_iter().flat_map(|q| q.split('&')).filter_map(|pair| pair.strip_prefix("key=")).map(Some);
    for token in loopback::tokens(&parts.headers).chain(asked) {
        session = match token.and_then(|t| master.holder(t)) {
            None => return Err(Refusal::Token),
            Some(Holder::Owner) => Some(String::new()),
            Some(Holder::Session(id)) => Some(id.to_owned()),
        };
    }
    session.ok_or(Refusal::Token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = hyper::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_our_own_address_is_answered_and_no_page() {
        for host in ["127.0.0.1:8080", "LocalHost:8080", "[::1]:8080"] {
            assert_eq!(place(&parts("/", &[("host", host)]), 8080), Ok(()), "{host}");
        }
        for host in ["127.0.0.1", "127.0.0.1:8081", "evil.example:8080", "127.0.0.1:8080.evil.example", "[::1]", ""] {
            assert_eq!(place(&parts("/", &[("host", host)]), 8080), Err(Refusal::Host), "{host}");
        }
        assert_eq!(place(&parts("/", &[]), 8080), Err(Refusal::Host));
        assert_eq!(place(&parts("/", &[("host", "localhost:8080"), ("host", "localhost:8080")]), 8080), Err(Refusal::Host));
        assert_eq!(place(&parts("http://evil.example/", &[("host", "localhost:8080")]), 8080), Err(Refusal::Host));
        let page = [("host", "localhost:8080"), ("origin", "http://localhost:8080")];
        assert_eq!(place(&parts("/", &page), 8080), Err(Refusal::Page));
        assert_eq!(place(&parts("/", &[("host", "localhost:8080"), ("sec-fetch-site", "cross-site")]), 8080), Err(Refusal::Page));
    }

    #[test]
    fn every_credential_must_be_good() {
        let master = Master::new(Secret::new("the master".into()));
        let token = master.token("0193aaaabbbb7ccc8dddeeeeffff0000");
        let bearer = format!("Bearer {token}");
        let of = |headers: &[(&str, &str)]| session(&parts("/", headers), &master);
        assert_eq!(of(&[("authorization", &bearer)]).unwrap(), "0193aaaabbbb7ccc8dddeeeeffff0000");
        assert_eq!(of(&[("x-api-key", "the master")]).unwrap(), "");
        assert_eq!(of(&[("authorization", &bearer), ("x-api-key", &token)]).unwrap(), "0193aaaabbbb7ccc8dddeeeeffff0000");
        assert!(session(&parts(&format!("/?alt=sse&key={token}"), &[]), &master).is_ok());
        let wrong: [&[(&str, &str)]; 4] =
            [&[], &[("authorization", &token)], &[("authorization", &bearer), ("x-api-key", "sk-foreign")], &[("x-api-key", "")]];
        for headers in wrong {
            assert_eq!(of(headers), Err(Refusal::Token));
        }
    }
}
