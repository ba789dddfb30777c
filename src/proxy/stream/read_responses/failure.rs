//! Errors as upstreams of this format tell them.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::proxy::{
    stream::event::{ErrorKind, Event},
    translate::text::Str,
};

/// The upstream's own words, whatever shape they come in.
pub(super) fn error_of(json: &[u8]) -> Event<'_> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow, default)]
        message: Option<&'a RawValue>,
        #[serde(borrow, default)]
        r#type: Option<&'a RawValue>,
        #[serde(borrow, default)]
        code: Option<&'a RawValue>,
    }
    let text = || Str::quote(&String::from_utf8_lossy(json));
    let Ok(body) = serde_json::from_slice::<Body<'_>>(json) else {
        let message = serde_json::from_slice::<&RawValue>(json).ok().and_then(Str::of);
        return Event::Error { kind: ErrorKind::Api, message: message.unwrap_or_else(text) };
    };
    let words = [body.code, body.r#type].map(|v| v.map(RawValue::get).unwrap_or_default()).concat();
    let signs = [
        ("rate_limit", ErrorKind::RateLimit),
        ("insufficient_quota", ErrorKind::RateLimit),
        ("overloaded", ErrorKind::Overloaded),
        ("slow_down", ErrorKind::Overloaded),
        ("auth", ErrorKind::Authentication),
        ("api_key", ErrorKind::Authentication),
        ("invalid", ErrorKind::Invalid),
        ("context_length", ErrorKind::Invalid),
    ];
    let kind = signs.into_iter().find(|(sign, _)| words.contains(sign)).map_or(ErrorKind::Api, |(_, kind)| kind);
    Event::Error { kind, message: body.message.and_then(Str::of).unwrap_or_else(text) }
}
