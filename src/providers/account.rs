//! Where a provider tells of a key's models and of what is left, and what its answers mean. All of it comes from the manifest.

use serde_json::Value;

use crate::{
    base::secret::Secret,
    wire::{
        manifest::{AuthScheme, Balance, Endpoint, Figure, Format, ProviderManifest},
        providers::Left,
    },
};

/// Longest name of a model, in bytes.
const LONGEST_NAME: usize = 200;

/// The endpoint to ask for models in a region: vendors list them at their OpenAI endpoint first.
pub fn listing(provider: &ProviderManifest, region: Option<&str>) -> Option<Endpoint> {
    let order = [Format::OpenaiChat, Format::OpenaiResponses, Format::Anthropic, Format::Gemini];
    let there =
        |format: Format| provider.endpoints.iter().find(move |e| e.format == format && (region.is_none() || e.region.as_deref() == region));
    order.into_iter().find_map(there).cloned()
}

/// Where the models are listed; `None` where the manifest says that they are not.
pub fn models_url(provider: &ProviderManifest, endpoint: &Endpoint) -> Option<String> {
    match provider.probe.as_ref().and_then(|p| p.models.as_deref()) {
        Some("") => None,
        Some(path) => Some(at(endpoint, path)),
        None => {
            let usual = match endpoint.format {
                Format::Anthropic => "/v1/models?limit=1000",
                Format::OpenaiChat | Format::OpenaiResponses => "/models",
                Format::Gemini => "/v1beta/models?pageSize=1000",
            };
            Some(format!("{}{usual}", endpoint.base_url.trim_end_matches('/')))
        }
    }
}

/// What only a good key opens.
pub fn check_url(provider: &ProviderManifest, endpoint: &Endpoint) -> Option<String> {
    provider.probe.as_ref()?.check.as_deref().map(|path| at(endpoint, path))
}

/// A path on the endpoint's host and port.
pub fn at(endpoint: &Endpoint, path: &str) -> String {
    let base = &endpoint.base_url;
    let origin = base.match_indices('/').nth(2).map_or(base.as_str(), |(end, _)| &base[..end]);
    format!("{origin}{path}")
}

/// How a key travels to the endpoint.
pub fn headers(endpoint: &Endpoint, key: Option<&Secret>, bare: bool) -> Vec<(&'static str, Secret)> {
    let mut headers = vec![("accept", Secret::new("application/json".into()))];
    if endpoint.format == Format::Anthropic {
        headers.push(("anthropic-version", Secret::new("2023-06-01".into())));
    }
    let Some(key) = key else { return headers };
    let text = key.expose().to_owned();
    headers.extend(match endpoint.auth {
        _ if bare => Some(("authorization", Secret::new(text))),
        AuthScheme::Bearer => Some(("authorization", Secret::new(format!("Bearer {text}")))),
        AuthScheme::XApiKey => Some(("x-api-key", Secret::new(text))),
        AuthScheme::XGoogApiKey => Some(("x-goog-api-key", Secret::new(text))),
        AuthScheme::None => None,
    });
    headers
}

/// Names of a list of models, of any vendor's form. `None` when it is no such list.
pub fn models(body: &[u8]) -> Option<Vec<String>> {
    let whole: Value = serde_json::from_slice(body).ok()?;
    let list = ["/data", "/models", ""].iter().find_map(|at| whole.pointer(at)?.as_array())?;
    let name = |row: &Value| {
        let text = row.as_str().or_else(|| ["id", "name", "model"].iter().find_map(|field| row.get(field)?.as_str()))?;
        let text = text.strip_prefix("models/").unwrap_or(text);
        (text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)).then(|| text.to_owned())
    };
    let mut names: Vec<String> = list.iter().filter_map(name).collect();
    if names.is_empty() && !list.is_empty() {
        return None;
    }
    names.sort();
    names.dedup();
    Some(names)
}

/// Whether an answer says that the key is refused: some vendors do so with another status than 401 and 403.
pub fn key_refused(status: u16, body: &[u8]) -> bool {
    matches!(status, 401 | 403) || (status == 400 && memchr::memmem::find(body, b"API_KEY_INVALID").is_some())
}

/// What a balance document says. `Err`: the vendor's own sentence, or what is strange about it.
pub fn figures(balance: &Balance, body: &[u8]) -> Result<Vec<Left>, String> {
    let whole: Value = serde_json::from_slice(body).map_err(|_| "the answer is no JSON document".to_owned())?;
    if let Some(status) = &balance.status
        && word(&whole, &status.at).is_none_or(|word| word != status.ok)
    {
        let said = status.message.as_deref().and_then(|at| word(&whole, at)).filter(|text| !text.is_empty());
        return Err(said.unwrap_or_else(|| format!("the answer's {} is not {}", status.at, status.ok)));
    }
    let mut found = Vec::new();
    for figure in &balance.figures {
        let all = std::slice::from_ref(&whole);
        let rows: &[Value] = match &figure.each {
            Some(at) => whole.pointer(at).and_then(Value::as_array).map_or(&[], Vec::as_slice),
            None => all,
        };
        found.extend(rows.iter().filter_map(|row| one(figure, row)));
    }
    if found.is_empty() { Err("the answer has none of the figures that the manifest names".into()) } else { Ok(found) }
}

fn one(figure: &Figure, row: &Value) -> Option<Left> {
    if !figure.when.iter().all(|(at, wanted)| word(row, at).as_ref() == Some(wanted)) {
        return None;
    }
    let number = |at: &Option<String>| {
        let value = row.pointer(at.as_deref()?)?;
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|n| n.is_finite())?;
        Some(rounded(number / f64::from(figure.divide.unwrap_or(1))))
    };
    let unit = figure.unit_at.as_deref().and_then(|at| word(row, at)).or_else(|| figure.unit.clone());
    let used = number(&figure.used);
    let limit = number(&figure.limit).or_else(|| (unit.as_deref() == Some("%")).then_some(100.0));
    let left = number(&figure.left).or_else(|| Some(rounded(limit? - used?)));
    // A figure without any number is not for this key.
    (left.is_some() || used.is_some()).then(|| Left {
        name: match figure.of.as_deref().and_then(|at| word(row, at)) {
            Some(of) => format!("{of}: {}", figure.name),
            None => figure.name.clone(),
        },
        left,
        used,
        limit,
        unit,
        resets: figure.resets.as_deref().and_then(|at| time(row.pointer(at)?)),
    })
}

/// A text, number or boolean as text.
fn word(value: &Value, at: &str) -> Option<String> {
    match value.pointer(at)? {
        Value::String(text) => Some(text.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// Without the noise of a difference.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// RFC 3339, of a text that is it, or of seconds or milliseconds since 1970.
fn time(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str()
        && text.parse::<jiff::Timestamp>().is_ok()
    {
        return Some(text.to_owned());
    }
    /// Seconds reach it in the year 5138, milliseconds did in 1973.
    const MILLISECONDS: i64 = 100_000_000_000;
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok()).filter(|n| *n > 0)?;
    let at = if number >= MILLISECONDS { jiff::Timestamp::from_millisecond(number) } else { jiff::Timestamp::from_second(number) };
    at.ok().map(|t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(id: &str) -> ProviderManifest {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("manifests/providers/{id}.toml"));
        toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    fn shown(id: &str, number: usize, body: &str) -> Vec<String> {
        let text = |n: Option<f64>| n.map_or("-".to_owned(), |n| n.to_string());
        figures(&manifest(id).balance[number], body.as_bytes())
            .map(|all| {
                all.iter().map(|f| format!("{} {} {} {}", f.name, text(f.left), text(f.limit), f.unit.as_deref().unwrap_or("?"))).collect()
            })
            .unwrap_or_else(|why| vec![why])
    }

    /// The vendors' documents, by their own pages and by those who read them daily.
    #[test]
    fn each_vendors_document_is_read_by_its_manifest() {
        let deepseek = r#"{"is_available":true,"balance_infos":[{"currency":"CNY","total_balance":"110.00","granted_balance":"10.00"}]}"#;
        assert_eq!(shown("deepseek", 0, deepseek), ["balance 110 - CNY"]);
        let moonshot = r#"{"code":0,"data":{"available_balance":49.58894,"cash_balance":3},"scode":"0x0","status":true}"#;
        assert_eq!(shown("moonshot", 0, moonshot), ["balance 49.58894 - USD"]);
        assert_eq!(shown("moonshot", 1, moonshot), ["balance 49.58894 - CNY"]);
        let key = r#"{"data":{"label":"x","limit":5,"usage":0.1,"limit_remaining":4.9}}"#;
        assert_eq!(shown("openrouter", 0, key), ["limit of this key 4.9 5 USD"]);
        assert_eq!(shown("openrouter", 0, &key.replace(":5", ":null").replace("4.9", "null")), ["limit of this key - - USD"]);
        assert_eq!(shown("openrouter", 1, r#"{"data":{"total_credits":20,"total_usage":12.3}}"#), ["credits 7.7 20 USD"]);
        let minimax = r#"{"base_resp":{"status_code":0},"model_remains":[{"model_name":"general","end_time":1790000000000,
            "current_interval_remaining_percent":92,"current_weekly_remaining_percent":98}]}"#;
        assert_eq!(shown("minimax", 0, minimax), ["general: this interval 92 100 %", "general: week 98 100 %"]);
        assert_eq!(shown("minimax", 0, r#"{"base_resp":{"status_code":1004,"status_msg":"no plan"}}"#), ["no plan"]);
        let zai = r#"{"code":200,"data":{"limits":[{"type":"TIME_LIMIT","unit":5,"percentage":2},{"type":"TOKENS_LIMIT","unit":3,
            "percentage":12,"nextResetTime":1774091383998},{"type":"TOKENS_LIMIT","unit":6,"percentage":59}]}}"#;
        assert_eq!(shown("zai", 0, zai), ["5 hours 88 100 %", "week 41 100 %"]);
        assert_eq!(shown("zai", 0, "<html>"), ["the answer is no JSON document"]);
        assert_eq!(shown("zai", 0, r#"{"code":200}"#), ["the answer has none of the figures that the manifest names"]);
    }

    #[test]
    fn a_time_is_told_in_any_of_its_forms() {
        for (value, wanted) in [
            (serde_json::json!(1_774_091_383_998_i64), Some("2026-03-21T11:09:43Z")),
            (serde_json::json!(1_774_091_383), Some("2026-03-21T11:09:43Z")),
            (serde_json::json!("2026-03-21T11:09:43Z"), Some("2026-03-21T11:09:43Z")),
            (serde_json::json!("soon"), None),
            (serde_json::json!(0), None),
        ] {
            assert_eq!(time(&value).as_deref(), wanted, "{value}");
        }
    }

    #[test]
    fn models_are_asked_for_where_the_vendor_lists_them() {
        let url = |id: &str, region: Option<&str>| {
            let manifest = manifest(id);
            models_url(&manifest, &listing(&manifest, region).unwrap()).unwrap()
        };
        assert_eq!(url("anthropic", None), "https://api.anthropic.com/v1/models?limit=1000");
        assert_eq!(url("deepseek", None), "https://api.deepseek.com/models");
        assert_eq!(url("zai", Some("coding")), "https://api.z.ai/api/coding/paas/v4/models");
        assert_eq!(url("gemini", None), "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000");
        let open = manifest("openrouter");
        assert_eq!(check_url(&open, &listing(&open, None).unwrap()).unwrap(), "https://openrouter.ai/api/v1/key");
        for body in [r#"{"data":[{"id":"b"},{"id":"a"}]}"#, r#"{"models":[{"name":"models/a"},{"name":"b"}]}"#, r#"["a","b"]"#] {
            assert_eq!(models(body.as_bytes()).unwrap(), ["a", "b"]);
        }
        assert_eq!(models(br#"{"data":[]}"#), Some(Vec::new()));
        assert!(models(b"<html>").is_none() && models(br#"{"error":1}"#).is_none() && models(br#"[1]"#).is_none());
    }
}
