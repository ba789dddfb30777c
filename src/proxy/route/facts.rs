//! What rules can ask about a request.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use crate::proxy::{
    condition::Facts,
    translate::request::{Part, Request, Thinking, ToolKind},
};

/// Characters of JSON for a token, about; good enough to choose by.
const BYTES_PER_TOKEN: usize = 4;

/// Names of small models, which agents use for titles and summaries.
const SMALL: &[&str] = &["haiku", "mini", "nano", "lite", "small"];
/// A call without tools that wants no more than this is a side call.
const SIDE_CALL: u64 = 1024;

/// The model that a body asks for, found without reading the rest where it comes first.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape<'b> {
    pub model: Cow<'b, str>,
    /// Where its text stands in the body, without quotes; none when it is written with escapes.
    pub at: Option<std::ops::Range<usize>>,
}

/// `None`: no JSON object, or it names no model.
pub fn of_body(body: &[u8]) -> Option<Shape<'_>> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_slice(body);
    // Ends with an error on purpose as soon as the model is known.
    let _ = reader.deserialize_map(Find(&mut found));
    let model = found?;
    let at = match &model {
        Cow::Borrowed(text) => (text.as_ptr() as usize).checked_sub(body.as_ptr() as usize).map(|start| start..start + text.len()),
        Cow::Owned(_) => None,
    };
    Some(Shape { model, at })
}

struct Find<'f, 'b>(&'f mut Option<Cow<'b, str>>);

impl<'b> Visitor<'b> for Find<'_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key<'b>>()? {
            if key.0 == "model" {
                *self.0 = Some(map.next_value::<Key<'b>>()?.0);
                return Err(A::Error::custom("found"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'b>(#[serde(borrow)] Cow<'b, str>);

/// Input tokens of a body of this many bytes, about.
pub fn estimate(bytes: usize) -> u64 {
    (bytes / BYTES_PER_TOKEN) as u64
}

pub fn of_request(request: &Request<'_>, bytes: usize) -> Facts {
    let model = request.model.plain().into_owned();
    let parts = || request.turns.iter().flat_map(|t| &t.parts);
    // Pictures are long and cost little.
    let media: usize = parts().map(media_bytes).sum();
    let tools = request.tools.iter().filter(|t| !matches!(t.kind, ToolKind::WebSearch)).count() as u64;
    let small = SMALL.iter().any(|word| model.contains(word));
    let side = tools == 0 && request.max_tokens.is_some_and(|max| max <= SIDE_CALL);
    Facts {
        tokens: estimate(bytes.saturating_sub(media)),
        tools,
        max_tokens: request.max_tokens.unwrap_or(0),
        thinking: !matches!(request.thinking, Thinking::Unsaid | Thinking::Off),
        background: small || side,
        web_search: request.tools.iter().any(|t| matches!(t.kind, ToolKind::WebSearch)),
        image: parts().any(has_image),
        model,
    }
}

fn has_image(part: &Part<'_>) -> bool {
    match part {
        Part::Image(_) => true,
        Part::Result { parts, .. } => parts.iter().any(has_image),
        _ => false,
    }
}

fn media_bytes(part: &Part<'_>) -> usize {
    use crate::proxy::translate::request::Media::Base64;
    match part {
        Part::Image(Base64 { data, .. }) | Part::Document { media: Base64 { data, .. }, .. } => data.raw().len(),
        Part::Result { parts, .. } => parts.iter().map(media_bytes).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::translate::{read_anthropic, read_chat};

    #[test]
    fn the_model_is_found_with_its_place() {
        for (body, want) in [
            (r#"{"model":"m1","messages":[{"model":"no"}"#, Some(("m1", Some(10..12)))),
            (r#"{ "messages" : [{"model":"no","x":"\"model\":"}], "model" : "é" }"#, Some(("é", Some(61..63)))),
            (r#"{"model":"a\u0062"}"#, Some(("ab", None))),
            (r#"{"m\u006fdel":"x"}"#, Some(("x", Some(15..16)))),
            (r#"{"messages":[]}"#, None),
            (r#"{"messages":[}"#, None),
            (r#"{"model":3}"#, None),
            (r#"[1]"#, None),
            ("", None),
        ] {
            let shape = of_body(body.as_bytes());
            assert_eq!(shape.as_ref().map(|s| (s.model.as_ref(), s.at.clone())), want, "{body}");
            if let Some(Shape { at: Some(at), model }) = shape {
                assert_eq!(&body[at], model);
            }
        }
    }

    #[test]
    fn facts_of_a_request() {
        let image = "A".repeat(4000);
        let body = format!(
            r#"{{"model":"claude-opus-5","max_tokens":500,"thinking":{{"type":"adaptive"}},"tools":[{{"name":"t","input_schema":{{}}}},{{"type":"web_search_20250305","name":"web_search"}}],
            "messages":[{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"x","content":[{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{image}"}}}}]}}]}}]}}"#
        );
        let facts = of_request(&read_anthropic::read(body.as_bytes()).unwrap(), body.len());
        assert_eq!((facts.tools, facts.web_search, facts.image, facts.thinking, facts.max_tokens), (1, true, true, true, 500));
        assert!(facts.tokens < 150, "a picture is not counted by its letters: {}", facts.tokens);
        assert!(!facts.background);
        let title = br#"{"model":"gpt-6-luna","max_completion_tokens":100,"messages":[{"role":"user","content":"title?"}]}"#;
        assert!(of_request(&read_chat::read(title).unwrap(), title.len()).background);
        let small = br#"{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"x"}]}"#;
        assert!(of_request(&read_chat::read(small).unwrap(), small.len()).background);
    }
}
