//! What a client asks, told by method and path.

use hyper::{Method, http::request::Parts};

use crate::wire::manifest::Format;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// A model's answer.
    Generate(Kind),
    /// How many tokens a request has.
    Count(Kind),
    /// The models there are, in a format's own words.
    Models(Format),
    Health,
    Spend,
    /// A look whether anybody is there.
    Hello,
    /// Codex tries a WebSocket first: 426 makes it post at once.
    WebSocket,
    Unknown,
}

/// The client's format; Gemini says model and streaming in the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) format: Format,
    pub(super) path: Option<(String, bool)>,
}

impl Kind {
    fn of(format: Format) -> Self {
        Self { format, path: None }
    }
}

pub(super) fn ask(parts: &Parts) -> Ask {
    let path = parts.uri.path();
    let path = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
    let upgrade = parts.headers.get(hyper::header::UPGRADE).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if upgrade {
        return Ask::WebSocket;
    }
    let short = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    match (&parts.method, short) {
        (&Method::HEAD, "/") | (&Method::GET | &Method::HEAD, "/api/hello") => Ask::Hello,
        (&Method::GET | &Method::HEAD, "/health" | "/health/liveliness" | "/health/readiness") => Ask::Health,
        (&Method::GET, "/spend/analytics") => Ask::Spend,
        (&Method::GET, "/responses") => Ask::WebSocket,
        (&Method::GET, "/models") if parts.headers.contains_key("anthropic-version") => Ask::Models(Format::Anthropic),
        (&Method::GET, "/models") => Ask::Models(Format::OpenaiChat),
        (&Method::GET, "/v1beta/models") => Ask::Models(Format::Gemini),
        (&Method::POST, "/messages") => Ask::Generate(Kind::of(Format::Anthropic)),
        (&Method::POST, "/messages/count_tokens") => Ask::Count(Kind::of(Format::Anthropic)),
        (&Method::POST, "/chat/completions") => Ask::Generate(Kind::of(Format::OpenaiChat)),
        (&Method::POST, "/responses") => Ask::Generate(Kind::of(Format::OpenaiResponses)),
        (&Method::POST, path) => gemini(path).unwrap_or(Ask::Unknown),
        _ => Ask::Unknown,
    }
}

fn gemini(path: &str) -> Option<Ask> {
    let path = path.strip_prefix("/v1beta").or_else(|| path.strip_prefix("/v1alpha")).unwrap_or(path);
    let (model, verb) = path.strip_prefix("/models/")?.rsplit_once(':')?;
    let kind = |stream| Kind { format: Format::Gemini, path: Some((decoded(model), stream)) };
    match verb {
        "generateContent" => Some(Ask::Generate(kind(false))),
        "streamGenerateContent" => Some(Ask::Generate(kind(true))),
        "countTokens" => Some(Ask::Count(kind(false))),
        _ => None,
    }
}

/// Percent signs undone; what is no UTF-8 then is left as it was.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, path: &str) -> Ask {
        ask(&hyper::Request::builder().method(method).uri(path).body(()).unwrap().into_parts().0)
    }

    #[test]
    fn paths_with_and_without_version_and_query() {
        for path in ["/v1/messages", "/messages", "/v1/messages?beta=true", "/v1/messages/"] {
            assert_eq!(asked("POST", path), Ask::Generate(Kind::of(Format::Anthropic)), "{path}");
        }
        assert_eq!(asked("POST", "/v1/messages/count_tokens?beta=true"), Ask::Count(Kind::of(Format::Anthropic)));
        assert_eq!(asked("POST", "/chat/completions"), Ask::Generate(Kind::of(Format::OpenaiChat)));
        assert_eq!(asked("POST", "/v1/responses"), Ask::Generate(Kind::of(Format::OpenaiResponses)));
        assert_eq!(asked("GET", "/v1/responses"), Ask::WebSocket);
        let kind = |model: &str, stream| Kind { format: Format::Gemini, path: Some((model.into(), stream)) };
        assert_eq!(asked("POST", "/v1beta/models/g-1:streamGenerateContent?alt=sse"), Ask::Generate(kind("g-1", true)));
        assert_eq!(asked("POST", "/v1beta/models/up%2Fm:generateContent"), Ask::Generate(kind("up/m", false)));
        assert_eq!(asked("POST", "/models/up/m:countTokens"), Ask::Count(kind("up/m", false)));
        assert_eq!(asked("HEAD", "/"), Ask::Hello);
        for (method, path) in [("GET", "/"), ("POST", "/v1beta/models/x:embed"), ("PUT", "/v1/messages"), ("POST", "/v2/messages")] {
            assert_eq!(asked(method, path), Ask::Unknown, "{path}");
        }
    }
}
