//! A client's request as its target wants it.

use std::{borrow::Cow, fmt::Write as _};

use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Uri,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
};
use serde::Deserialize;

use super::{edit::edited, fail::Failure, inbound::Kind, upstream::Pieces};
use crate::{
    proxy::{
        route::{Key, Shape, Target},
        stream::convert::Extra,
        translate::{
            names::Names, read_anthropic, read_chat, read_gemini, read_responses, request, text::Str, write_anthropic, write_chat,
            write_gemini, write_responses,
        },
    },
    wire::manifest::{AuthScheme, Format},
};

/// Of one connection only, or ours to say, or a credential; also whatever `Connection` names.
const STAYS: &[&str] = &[
    "host",
    "content-length",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "proxy-authenticate",
    "proxy-authorization",
    // A client's credentials: never for anybody behind us.
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "cookie",
    "x-api-token",
    // The reply is read along, and loopback gains nothing by it.
    "accept-encoding",
    "content-encoding",
];
const ANTHROPIC_VERSION: &str = "2023-06-01";
/// What our own requests to Anthropic itself make use of.
const ANTHROPIC_BETAS: &str = "interleaved-thinking-2025-05-14,effort-2025-11-24,mid-conversation-system-2026-04-07";
const AGENT: &str = concat!("clown/", env!("CARGO_PKG_VERSION"));

/// A client's request, read as far as was needed.
pub(super) struct Call {
    pub(super) kind: Kind,
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    /// As the client called it.
    pub(super) model: String,
    /// Where the model's name stands in the body.
    pub(super) model_at: Option<std::ops::Range<usize>>,
}

impl Call {
    pub(super) fn new(kind: Kind, parts: Parts, body: Bytes) -> Result<Self, Failure> {
        let (model, model_at) = match &kind.path {
            Some((model, _)) => (model.clone(), None),
            None => match crate::proxy::route::of_body(&body) {
                Some(Shape { model, at }) => (model.into_owned(), at),
                None => return Err(Failure::new(400, why_unreadable(&kind, &body))),
            },
        };
        Ok(Self { kind, parts, body, model, model_at })
    }

    pub(super) fn read(&self) -> Result<request::Request<'_>, Failure> {
        read(&self.kind, &self.body).map_err(|e| Failure::new(400, e.to_string()))
    }

    pub(super) fn extra(&self, estimate: u64) -> Extra {
        Extra { estimate, include_usage: self.kind.format == Format::OpenaiChat && include_usage(&self.body) }
    }
}

fn read<'b>(kind: &Kind, body: &'b [u8]) -> Result<request::Request<'b>, request::Unreadable> {
    match kind.format {
        Format::Anthropic => read_anthropic::read(body),
        Format::OpenaiChat => read_chat::read(body),
        Format::OpenaiResponses => read_responses::read(body),
        Format::Gemini => {
            let (model, stream) = kind.path.as_ref().map_or(("", false), |(m, s)| (m.as_str(), *s));
            read_gemini::read(body, model, stream)
        }
    }
}

fn why_unreadable(kind: &Kind, body: &[u8]) -> String {
    match read(kind, body) {
        Err(why) => why.to_string(),
        Ok(_) => "the request names no model".to_owned(),
    }
}

fn include_usage(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body {
        stream_options: Option<Options>,
    }
    #[derive(Deserialize)]
    struct Options {
        #[serde(default)]
        include_usage: Option<bool>,
    }
    memchr::memmem::find(body, b"include_usage").is_some()
        && serde_json::from_slice::<Body>(body).ok().and_then(|b| b.stream_options?.include_usage).unwrap_or(false)
}

/// What to send, and the names to undo in the reply.
pub(super) struct Outgoing {
    path: String,
    body: Pieces,
    pub(super) names: Names,
    same: bool,
}

/// The client's own bytes, changed only where the target's model has another name or its quirks ask for it.
pub(super) fn pass(call: &Call, target: &Target, model: Option<&str>, count: bool) -> Outgoing {
    let asked = model.filter(|m| *m != call.model);
    // A name that is written with escapes has no bytes of its own to replace.
    let renamed_by_hand = asked.is_some() && call.model_at.is_none() && call.kind.path.is_none();
    let whole = (target.quirks.edits() || renamed_by_hand).then(|| edited(&call.body, target, asked)).flatten();
    let body = match (whole, asked, &call.model_at) {
        (Some(edited), _, _) => edited.into(),
        (None, Some(name), Some(at)) => {
            let name = Bytes::from(Str::quote(name).raw().to_owned());
            Pieces::of([call.body.slice(..at.start), name, call.body.slice(at.end..)])
        }
        _ => Pieces::of([call.body.clone()]),
    };
    let path = match (&call.kind.path, target.format) {
        (Some((own, stream)), _) if count => write_gemini::path(model.unwrap_or(own), *stream).replace(":generateContent", ":countTokens"),
        (Some((own, stream)), _) => {
            let path = write_gemini::path(model.unwrap_or(own), *stream);
            // The client says itself how it wants the stream.
            path.split('?').next().unwrap_or_default().to_owned()
        }
        (None, Format::Anthropic) if count => "/v1/messages/count_tokens".into(),
        (None, format) => plain_path(format).into(),
    };
    let query: Vec<&str> = call.parts.uri.query().into_iter().flat_map(|q| q.split('&')).filter(|p| !p.starts_with("key=")).collect();
    let path = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    Outgoing { path, body, names: Names::default(), same: true }
}

/// A request of another format.
pub(super) fn translated(call: &Call, request: &request::Request<'_>, target: &Target, model: &str) -> Outgoing {
    let mut names = Names::of(request);
    let (size, quirks) = (call.body.len(), &target.quirks);
    let body = match target.format {
        Format::Anthropic => write_anthropic::write(request, model, quirks.anthropic(), &mut names, size),
        Format::OpenaiChat => write_chat::write(request, model, quirks.chat(), &mut names, size),
        Format::OpenaiResponses => write_responses::write(request, model, quirks.responses(), &mut names, size),
        Format::Gemini => write_gemini::write(request, write_gemini::Dialect::of(model), &mut names, size),
    };
    let path = match target.format {
        Format::Gemini => write_gemini::path(model, request.stream),
        format => plain_path(format).into(),
    };
    Outgoing { path, body: body.into(), names, same: false }
}

fn plain_path(format: Format) -> &'static str {
    match format {
        Format::Anthropic => "/v1/messages",
        Format::OpenaiChat => "/chat/completions",
        Format::OpenaiResponses => "/responses",
        Format::Gemini => "/v1beta/models",
    }
}

impl Outgoing {
    pub(super) fn request(&self, call: &Call, target: &Target, key: Option<&Key>) -> Result<Request<Pieces>, Failure> {
        // People write the version at the end of an address, or leave it out.
        let base = match target.format {
            Format::Anthropic => target.base.strip_suffix("/v1").unwrap_or(&target.base),
            Format::Gemini => target.base.strip_suffix("/v1beta").unwrap_or(&target.base),
            Format::OpenaiChat | Format::OpenaiResponses => &target.base,
        };
        let mut address = String::with_capacity(base.len() + self.path.len());
        let _ = write!(address, "{base}{}", self.path);
        let uri: Uri = address.parse().map_err(|_| Failure::new(500, format!("the address of {} cannot be used", target.name)))?;
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = if self.same { forwarded(&call.parts.headers) } else { own(target) };
        if let Some(key) = key {
            authorize(request.headers_mut(), target.auth, key)?;
        }
        Ok(request)
    }
}

/// All of a client's headers, except what is of this connection only and what opens doors.
fn forwarded(from: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(from.len() + 1);
    let named = |name: &HeaderName| {
        let values = from.get_all(header::CONNECTION).iter().filter_map(|v| v.to_str().ok());
        values.flat_map(|v| v.split(',')).any(|n| n.trim().eq_ignore_ascii_case(name.as_str()))
    };
    let connection = from.contains_key(header::CONNECTION);
    for (name, value) in from {
        if !(STAYS.contains(&name.as_str()) || connection && named(name)) {
            headers.append(name, value.clone());
        }
    }
    headers
}

fn own(target: &Target) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    if target.format == Format::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static(ANTHROPIC_VERSION));
        if target.quirks.native_claude() {
            headers.insert("anthropic-beta", HeaderValue::from_static(ANTHROPIC_BETAS));
        }
    }
    headers
}

fn authorize(headers: &mut HeaderMap, auth: AuthScheme, key: &Key) -> Result<(), Failure> {
    let key = key.secret.expose();
    let (name, text) = match auth {
        AuthScheme::None => return Ok(()),
        AuthScheme::Bearer => (header::AUTHORIZATION, Cow::Owned(format!("Bearer {key}"))),
        AuthScheme::XApiKey => (HeaderName::from_static("x-api-key"), Cow::Borrowed(key)),
        AuthScheme::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), Cow::Borrowed(key)),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| Failure::new(500, "the key does not fit into a header"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;
    use crate::{base::secret::Secret, proxy::route::Quirks};

    fn target(format: Format, base: &str, quirks: &[&str]) -> Target {
        Target {
            name: "up/m".into(),
            provider: "up".into(),
            model: None,
            format,
            auth: AuthScheme::Bearer,
            base: base.into(),
            keys: vec![Key { secret: Secret::new("sk-real".into()), health: Default::default() }],
            quirks: Quirks::new(&quirks.iter().map(|q| (*q).to_owned()).collect::<Vec<_>>()),
            price: None,
            health: Default::default(),
        }
    }

    fn call(format: Format, path: &str, body: &str, headers: &[(&str, &str)]) -> Call {
        let mut request = Request::builder().method("POST").uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Call::new(Kind { format, path: None }, request.body(()).unwrap().into_parts().0, Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    async fn sent(out: &Outgoing, call: &Call, target: &Target) -> (Parts, String) {
        let (parts, body) = out.request(call, target, target.keys.first()).unwrap().into_parts();
        (parts, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    const BODY: &str = r#"{ "model" :"claude-x","unknown":{"a":[1, 2]},"context_management":{},"system":[{"type":"text","text":"x-anthropic-billing-header: cc"},{"type":"text","text":"be kind"}]}"#;

    #[tokio::test]
    async fn bytes_pass_untouched_and_only_the_credential_and_the_host_change() {
        let headers = [
            ("x-api-key", "clown-token"),
            ("authorization", "Bearer clown-token"),
            ("anthropic-beta", "a,b"),
            ("x-claude-code-session-id", "s"),
            ("host", "127.0.0.1:1"),
            ("cookie", "c"),
            ("connection", "x-odd"),
            ("x-odd", "1"),
        ];
        let call = call(Format::Anthropic, "/v1/messages?beta=true&key=clown-token", BODY, &headers);
        let target = target(Format::Anthropic, "https://up.example/anthropic", &[]);
        let (parts, body) = sent(&pass(&call, &target, None, false), &call, &target).await;
        assert_eq!(body, BODY);
        assert_eq!(parts.uri.to_string(), "https://up.example/anthropic/v1/messages?beta=true");
        assert_eq!(parts.headers["authorization"], "Bearer sk-real");
        assert_eq!(
            (&parts.headers["anthropic-beta"], &parts.headers["x-claude-code-session-id"]),
            (&"a,b".parse().unwrap(), &"s".parse().unwrap())
        );
        for gone in ["x-api-key", "cookie", "host", "x-odd", "connection"] {
            assert!(!parts.headers.contains_key(gone), "{gone}");
        }
    }

    #[tokio::test]
    async fn another_name_of_the_model_replaces_its_own_bytes_only() {
        let call = call(Format::Anthropic, "/v1/messages", BODY, &[]);
        let target = target(Format::Anthropic, "https://up.example/v1", &[]);
        let (parts, body) = sent(&pass(&call, &target, Some("m-\"2"), false), &call, &target).await;
        assert_eq!(body, BODY.replace("claude-x", "m-\\\"2"));
        assert_eq!(parts.uri.path(), "/v1/messages", "an address that ends with its version is understood");
    }

    /// openai/codex#12626: "builder error", since base and path were joined wrongly.
    #[tokio::test]
    async fn bug_26_an_address_and_a_path_are_joined_however_the_address_ends() {
        for (format, base, want) in [
            (Format::OpenaiResponses, "http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/responses"),
            (Format::OpenaiChat, "https://up.example/a/v4", "https://up.example/a/v4/chat/completions"),
            (Format::Anthropic, "https://up.example", "https://up.example/v1/messages"),
            (Format::Anthropic, "https://up.example/v1", "https://up.example/v1/messages"),
        ] {
            let call = call(format, "/x", r#"{"model":"m"}"#, &[]);
            let target = target(format, base, &[]);
            let (parts, _) = sent(&pass(&call, &target, None, false), &call, &target).await;
            assert_eq!(parts.uri.to_string(), want);
        }
    }

    #[tokio::test]
    async fn quirks_take_out_what_a_strict_gateway_refuses() {
        let call = call(Format::Anthropic, "/v1/messages", BODY, &[]);
        let target = target(Format::Anthropic, "https://up.example", &["drop:context_management", "strip-billing-header"]);
        let (_, body) = sent(&pass(&call, &target, Some("m2"), false), &call, &target).await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body, json!({"model": "m2", "unknown": {"a": [1, 2]}, "system": [{"type": "text", "text": "be kind"}]}));
    }

    #[test]
    fn a_body_without_a_model_or_without_sense_is_told() {
        let parts = || Request::builder().uri("/").body(()).unwrap().into_parts().0;
        for (body, says) in [("{\"messages\":[]}", "model"), ("{broken", "key must be a string"), ("", "EOF"), ("[1]", "")] {
            let failure = Call::new(Kind { format: Format::OpenaiChat, path: None }, parts(), Bytes::from(body)).err().unwrap();
            assert_eq!(failure.status, 400);
            assert!(failure.message.contains(says), "{}", failure.message);
        }
    }
}
