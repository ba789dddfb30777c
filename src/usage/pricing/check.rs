//! A price table from outside, before it is kept: what prices tokens, as numbers and a few plain words, and nothing else of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::money::{Factor, Money};
use super::table::{NO_MODEL, TALKS, Table, says_a_price};
use crate::base::json::unambiguous;
use crate::wire::registry::PriceMove;

/// No table is larger: today's is 3 MiB.
pub const MAX_TABLE: usize = 16 << 20;
/// No model costs a dollar a token, and no search a hundred.
const MOST_A_TOKEN: &str = "1";
const MOST_A_SEARCH: &str = "100";
/// As a factor of a price.
const MOST_TIMES: &str = "100";
/// Longer lists are no price list.
const MOST_ITEMS: usize = 64;
/// More moves than anybody reads; the largest come first.
const MOST_MOVES: usize = 200;

/// A table as it may be kept.
#[derive(Debug)]
pub struct PricesChecked {
    /// For the file of prices: an entry a line, in the order of names.
    pub file: Vec<u8>,
    pub models: u64,
    /// Entries left out for a price that is none, or a name or word that is no plain one.
    pub left_out: u64,
    /// Prices more than ten times, or less than a tenth of, what they were.
    pub moved: Vec<PriceMove>,
}

/// Reads LiteLLM's table as it is published. `old`: the table in force, else the one inside the program. The error says why nothing of it
/// is used.
pub fn check_table(bytes: &[u8], old: Option<&Table>) -> Result<PricesChecked, String> {
    if bytes.len() > MAX_TABLE {
        return Err(format!("it is larger than {} MiB", MAX_TABLE >> 20));
    }
    unambiguous(bytes).map_err(|e| match bytes.trim_ascii_start().first() {
        Some(b'<') => "it is a web page".to_owned(),
        _ => format!("it is no JSON that can be read in one way only: {e}"),
    })?;
    let entries: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).map_err(|e| format!("it is no object of models: {e}"))?;
    let mut kept = BTreeMap::new();
    let mut left_out = 0;
    for (name, entry) in &entries {
        if NO_MODEL.contains(&name.as_str()) {
            continue;
        }
        match normal(name, entry.get()) {
            Ok(Some(text)) => {
                kept.insert(name.as_str(), text);
            }
            // Of a kind that no agent talks to.
            Ok(None) => {}
            Err(Wrong) => left_out += 1,
        }
    }
    let built_in = Table::built_in();
    let fewest = built_in.names().count() / 2;
    if kept.len() < fewest {
        return Err(format!("it has prices of {} models, and fewer than {fewest} cannot be right", kept.len()));
    }
    let mut file = String::from("{");
    for (at, (name, entry)) in kept.iter().enumerate() {
        file.push_str(if at == 0 { "\n" } else { ",\n" });
        file.push_str(&serde_json::to_string(name).map_err(|e| e.to_string())?);
        file.push(':');
        file.push_str(entry);
    }
    file.push_str("\n}\n");
    let models = kept.len() as u64;
    let new = Table::of_litellm(file.as_bytes())?;
    let moved = moved(old.unwrap_or(&built_in), &new);
    Ok(PricesChecked { file: file.into_bytes(), models, left_out, moved })
}

/// What is in an entry is not what may stand there.
struct Wrong;

type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// An entry with its prices alone; `None` for one of a kind that is not priced.
fn normal(name: &str, entry: &str) -> Result<Option<String>, Wrong> {
    let fields: Fields<'_> = serde_json::from_str(entry).map_err(|_| Wrong)?;
    if !fields.get("mode").is_none_or(|mode| TALKS.contains(&mode.get())) {
        return Ok(None);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+* ".contains(c);
    if name.is_empty() || name.len() > 200 || !name.chars().all(plain) || name.contains("://") {
        return Err(Wrong);
    }
    let mut kept = BTreeMap::new();
    for (field, value) in fields.iter().filter(|(_, value)| value.get() != "null") {
        let text = match &**field {
            "mode" => Some(value.get().to_owned()),
            field if says_a_price(field) => priced(field, value)?,
            _ => None,
        };
        if let Some(text) = text {
            kept.insert(field.as_ref(), text);
        }
    }
    Ok(Some(object(kept)))
}

fn priced(field: &str, value: &RawValue) -> Result<Option<String>, Wrong> {
    if !is_word(field) {
        return Err(Wrong);
    }
    match field {
        "litellm_provider" | "web_search_billing_unit" => word(value).map(Some),
        "search_context_cost_per_query" => {
            let sizes = ["search_context_size_low", "search_context_size_medium", "search_context_size_high"];
            chosen(value, |field| sizes.contains(&field), |_, value| number(value, MOST_A_SEARCH)).map(Some)
        }
        // Other vendors keep other things there.
        "provider_specific_entry" => chosen(value, |field| ["fast", "us", "eu"].contains(&field), |_, value| factor(value)).map(Some),
        "tiered_pricing" => {
            let span = |value: &RawValue| {
                chosen(
                    value,
                    |field| field == "range" || is_rate(field),
                    |field, value| match field {
                        "range" => list(value, plain_number),
                        _ => number(value, MOST_A_TOKEN),
                    },
                )
            };
            list(value, span).map(Some)
        }
        "off_peak_pricing" => off_peak(value).map(Some),
        _ if field.contains("uplift_multiplier") => factor(value).map(Some),
        _ => number(value, MOST_A_TOKEN).map(Some),
    }
}

fn off_peak(value: &RawValue) -> Result<String, Wrong> {
    let times = |value: &RawValue| text(value, |text| text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit() || b":- ".contains(&b)));
    let hours = |value: &RawValue| if value.get().starts_with('[') { list(value, times) } else { times(value) };
    let day = |value: &RawValue| if value.get().starts_with('"') { word(value) } else { plain_number(value) };
    let window = |value: &RawValue| {
        chosen(
            value,
            |field| field == "hours_utc" || field == "weekdays",
            |field, value| match field {
                "hours_utc" => hours(value),
                _ => list(value, day),
            },
        )
    };
    let known = |field: &str| matches!(field, "hours_utc" | "windows" | "weekday_timezone") || is_rate(field);
    chosen(value, known, |field, value| match field {
        "hours_utc" => hours(value),
        "windows" => list(value, window),
        "weekday_timezone" => word(value),
        _ => number(value, MOST_A_TOKEN),
    })
}

fn is_rate(field: &str) -> bool {
    is_word(field) && says_a_price(field) && field.contains("cost") && !field.starts_with("search_")
}

fn is_word(field: &str) -> bool {
    !field.is_empty() && field.len() <= 100 && field.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// An object of the fields that are known, each as `of` makes it.
fn chosen(value: &RawValue, known: impl Fn(&str) -> bool, of: impl Fn(&str, &RawValue) -> Result<String, Wrong>) -> Result<String, Wrong> {
    let fields: Fields<'_> = serde_json::from_str(value.get()).map_err(|_| Wrong)?;
    let mut kept = BTreeMap::new();
    for (field, value) in fields.iter().filter(|(field, value)| known(field) && value.get() != "null") {
        kept.insert(field.as_ref(), of(field, value)?);
    }
    Ok(object(kept))
}

fn object(fields: BTreeMap<&str, String>) -> String {
    // Names of fields are words here.
    let fields: Vec<String> = fields.into_iter().map(|(field, text)| format!("\"{field}\":{text}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn list(value: &RawValue, of: impl Fn(&RawValue) -> Result<String, Wrong>) -> Result<String, Wrong> {
    let items: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| Wrong)?;
    if items.len() > MOST_ITEMS {
        return Err(Wrong);
    }
    Ok(format!("[{}]", items.into_iter().map(of).collect::<Result<Vec<_>, _>>()?.join(",")))
}

/// A price: a number from 0 to `most`, also one written as a string. As it was written, since prices are exact.
fn number(value: &RawValue, most: &str) -> Result<String, Wrong> {
    let text = unquoted(value);
    let usd = Money::of_usd_text(text).ok_or(Wrong)?;
    if usd > Money::of_usd_text(most).unwrap_or_default() { Err(Wrong) } else { as_number(text) }
}

fn factor(value: &RawValue) -> Result<String, Wrong> {
    let text = unquoted(value);
    let in_range = Factor::of_text(text).is_some() && Money::of_usd_text(text) <= Money::of_usd_text(MOST_TIMES);
    if in_range { as_number(text) } else { Err(Wrong) }
}

/// Of tokens, or a day of the week.
fn plain_number(value: &RawValue) -> Result<String, Wrong> {
    let number: f64 = serde_json::from_str(value.get()).map_err(|_| Wrong)?;
    if (0.0..=1e15).contains(&number) { Ok(value.get().to_owned()) } else { Err(Wrong) }
}

/// Only as JSON itself writes numbers.
fn as_number(text: &str) -> Result<String, Wrong> {
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Wrong),
    }
}

fn unquoted(value: &RawValue) -> &str {
    let text = value.get();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim()
}

fn word(value: &RawValue) -> Result<String, Wrong> {
    text(value, |text| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./+".contains(&b)))
}

fn text(value: &RawValue, allowed: impl Fn(&str) -> bool) -> Result<String, Wrong> {
    let text: String = serde_json::from_str(value.get()).map_err(|_| Wrong)?;
    if allowed(&text) { serde_json::to_string(&text).map_err(|_| Wrong) } else { Err(Wrong) }
}

/// Rates of a model, those in its lists aside.
fn rates(entry: &str) -> BTreeMap<String, f64> {
    let fields: Fields<'_> = serde_json::from_str(entry).unwrap_or_default();
    let rate = |(field, value): (&Cow<'_, str>, &&RawValue)| Some((field.to_string(), Money::of_usd_text(unquoted(value))?.usd()));
    fields.iter().filter(|(field, _)| is_rate(field)).filter_map(rate).collect()
}

/// From or to nothing counts as well.
fn moved(old: &Table, new: &Table) -> Vec<PriceMove> {
    let mut moved: Vec<(f64, PriceMove)> = Vec::new();
    for model in new.names() {
        let (Some(before), Some(after)) = (old.get(model), new.get(model)) else { continue };
        if before == after {
            continue;
        }
        let before = rates(before);
        for (field, after) in rates(after) {
            let Some(&before) = before.get(&field) else { continue };
            let (low, high) = (before.min(after), before.max(after));
            if high > 10.0 * low {
                let times = if low > 0.0 { high / low } else { f64::INFINITY };
                moved.push((times, PriceMove { model: model.to_owned(), field, before, after }));
            }
        }
    }
    moved.sort_by(|one, two| two.0.total_cmp(&one.0));
    moved.truncate(MOST_MOVES);
    moved.into_iter().map(|(_, moved)| moved).collect()
}
