//! Who may ask: the token of the tree, links that log a browser in, and the cookies they buy.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::header::{self, HeaderMap};

use crate::base::{error::Result, fsx, os, paths::Paths, random, secret::Secret};

/// A link in a browser's history must soon be worth nothing.
pub const LINK_LIFE: Duration = Duration::from_secs(120);
const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// Whoever may ask for links may not fill the memory with them.
const MOST: usize = 64;

/// Everything that opens the door. Only hashes are kept, which compare in constant time.
pub struct Keys {
    token: blake3::Hash,
    cookie: String,
    /// Each is held for a look only.
    links: Mutex<Vec<(blake3::Hash, Instant)>>,
    sessions: Mutex<Vec<(blake3::Hash, Instant)>>,
}

/// What a request brought to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Token,
    Cookie,
}

impl Keys {
    /// With the tree's token, made at first need and kept: a Prometheus reads it from its file.
    pub fn open(paths: &Paths) -> Result<Self> {
        let path = paths.http_token_file();
        // One that others could read is known to others.
        let known = if os::only_ours(&path) { fsx::read_optional(&path)? } else { None };
        let known =
            known.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| text.trim().to_owned()).filter(|text| text.len() >= 32);
        let token = match known {
            Some(token) => Secret::new(token),
            None => {
                let token = Secret::new(random::hex()?);
                fsx::write_atomic(&path, token.expose().as_bytes(), fsx::Mode::Private)?;
                token
            }
        };
        Ok(Self {
            token: blake3::hash(token.expose().as_bytes()),
            // A cookie is sent to every port of a host: each tree has its own name for it.
            cookie: format!("clown-{}", paths.tag()),
            links: Mutex::default(),
            sessions: Mutex::default(),
        })
    }

    /// A secret for one login.
    pub fn link(&self) -> Result<Secret> {
        issue(&self.links, LINK_LIFE)
    }

    /// The cookie's line for a link's secret, which is then used up.
    pub(super) fn log_in(&self, secret: &str) -> Option<Result<String>> {
        take(&self.links, secret).then(|| {
            let session = issue(&self.sessions, SESSION_LIFE)?;
            Ok(self.cookie_line(session.expose(), SESSION_LIFE.as_secs()))
        })
    }

    /// Ends the session; gives the line that removes the cookie.
    pub(super) fn log_out(&self, headers: &HeaderMap) -> String {
        if let Some(session) = self.cookie_of(headers) {
            take(&self.sessions, session);
        }
        self.cookie_line("", 0)
    }

    fn cookie_line(&self, value: &str, seconds: u64) -> String {
        format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}", self.cookie)
    }

    /// A token stands alone and counts alone: a wrong one is not made good by a cookie.
    pub(super) fn proof(&self, headers: &HeaderMap) -> Option<Proof> {
        let mut tokens = headers.get_all(header::AUTHORIZATION).iter();
        match (tokens.next(), tokens.next()) {
            (Some(token), None) => {
                let (scheme, token) = token.to_str().ok()?.split_once(' ')?;
                let right = scheme.eq_ignore_ascii_case("bearer") && blake3::hash(token.as_bytes()) == self.token;
                right.then_some(Proof::Token)
            }
            (None, _) => {
                let session = blake3::hash(self.cookie_of(headers)?.as_bytes());
                let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
                sessions.iter().any(|(hash, until)| *hash == session && *until > Instant::now()).then_some(Proof::Cookie)
            }
            _ => None,
        }
    }

    /// The one cookie of ours; two of the name are none.
    fn cookie_of<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
        let mut ours = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == self.cookie);
        match (ours.next(), ours.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

fn issue(list: &Mutex<Vec<(blake3::Hash, Instant)>>, life: Duration) -> Result<Secret> {
    let secret = Secret::new(random::hex()?);
    let now = Instant::now();
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.retain(|(_, until)| *until > now);
    if list.len() >= MOST {
        list.remove(0);
    }
    list.push((blake3::hash(secret.expose().as_bytes()), now + life));
    Ok(secret)
}

/// Removes it; whether it was there and good.
fn take(list: &Mutex<Vec<(blake3::Hash, Instant)>>, secret: &str) -> bool {
    let hash = blake3::hash(secret.as_bytes());
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(at) = list.iter().position(|(known, _)| *known == hash) else { return false };
    let (_, until) = list.remove(at);
    until > Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (hyper::header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_link_opens_once_and_its_cookie_until_logout() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(&Paths::at(dir.path())).unwrap();
        let link = keys.link().unwrap();
        assert!(keys.log_in("x").is_none() && keys.log_in(&link.expose()[1..]).is_none());
        let line = keys.log_in(link.expose()).unwrap().unwrap();
        assert!(keys.log_in(link.expose()).is_none(), "a link opens once");
        assert!(line.contains("HttpOnly") && line.contains("SameSite=Strict"), "{line}");
        let pair = line.split(';').next().unwrap().to_owned();
        let with = |cookie: &str| keys.proof(&headers(&[("cookie", cookie.to_owned())]));
        assert_eq!(with(&format!("a=b; {pair}")), Some(Proof::Cookie));
        assert_eq!(with(&format!("{pair}; {pair}")), None);
        assert_eq!(with(&pair[..pair.len() - 1]), None);
        keys.log_out(&headers(&[("cookie", pair.clone())]));
        assert_eq!(with(&pair), None);
    }

    #[test]
    fn the_token_is_kept_and_counts_only_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::at(dir.path());
        let keys = Keys::open(&paths).unwrap();
        let token = std::fs::read_to_string(paths.http_token_file()).unwrap();
        let again = Keys::open(&paths).unwrap();
        assert_eq!(again.proof(&headers(&[("authorization", format!("Bearer {token}"))])), Some(Proof::Token));
        for wrong in [format!("Bearer  {token}"), format!("Bearer {token}x"), token.clone(), format!("Basic {token}"), "Bearer ".into()] {
            assert_eq!(keys.proof(&headers(&[("authorization", wrong)])), None);
        }
        let mut twice = headers(&[("authorization", format!("Bearer {token}"))]);
        twice.append("authorization", format!("Bearer {token}").parse().unwrap());
        assert_eq!(keys.proof(&twice), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_could_read_is_made_anew() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::at(dir.path());
        Keys::open(&paths).unwrap();
        let before = std::fs::read(paths.http_token_file()).unwrap();
        std::fs::set_permissions(paths.http_token_file(), std::fs::Permissions::from_mode(0o644)).unwrap();
        Keys::open(&paths).unwrap();
        assert_ne!(std::fs::read(paths.http_token_file()).unwrap(), before);
    }
}
