//! A request of the target's own format without what the target refuses.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::proxy::route::Target;

/// The first system text of Claude Code, which changes and so spoils other vendors' prompt caches.
const BILLING: &str = "x-anthropic-billing-header:";

/// The body without what the target refuses, and under another model's name. None: it is no JSON object.
pub(super) fn edited(body: &[u8], target: &Target, model: Option<&str>) -> Option<Vec<u8>> {
    let fields: Fields<'_> = serde_json::from_slice(body).ok()?;
    let dropped: Vec<&str> = target.quirks.dropped().collect();
    let mut out = Vec::with_capacity(body.len() + 64);
    out.push(b'{');
    for (key, value) in &fields.0 {
        if dropped.contains(&key.as_ref()) {
            continue;
        }
        if out.len() > 1 {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, key).ok()?;
        out.push(b':');
        match (key.as_ref(), model) {
            ("model", Some(model)) => serde_json::to_writer(&mut out, model).ok()?,
            ("system", _) if target.quirks.strips_billing() => system(value, &mut out),
            _ => out.extend_from_slice(value.get().as_bytes()),
        }
    }
    out.push(b'}');
    Some(out)
}

fn system(value: &RawValue, out: &mut Vec<u8>) {
    #[derive(Deserialize)]
    struct Block<'b> {
        #[serde(borrow, default)]
        text: Cow<'b, str>,
    }
    let Ok(blocks) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else { return out.extend_from_slice(value.get().as_bytes()) };
    let kept = blocks.iter().filter(|b| !serde_json::from_str::<Block<'_>>(b.get()).is_ok_and(|b| b.text.starts_with(BILLING)));
    out.push(b'[');
    for (n, block) in kept.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(block.get().as_bytes());
    }
    out.push(b']');
}

/// An object's fields in their order.
struct Fields<'b>(Vec<(Cow<'b, str>, &'b RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Visit)
    }
}
