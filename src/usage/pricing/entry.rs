//! What a model's entry says, read as LiteLLM reads it: a rate of a service level stands in for the plain one and falls back to
//! it; above a number of prompt tokens other rates hold for the whole request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::money::{Factor, Money};
use super::off_peak::OffPeak;
use super::price::{Bands, ModelPrice, Rates, Span};
use super::seller::Seller;

const INPUT: &str = "input_cost_per_token";
const OUTPUT: &str = "output_cost_per_token";
const REASONING: &str = "output_cost_per_reasoning_token";
const READ: &str = "cache_read_input_token_cost";
const WRITE: &str = "cache_creation_input_token_cost";
const WRITE_1H: &str = "cache_creation_input_token_cost_above_1hr";
const WRITE_12H: &str = "cache_creation_input_token_cost_above_12hr";

/// Suffixes of the service levels, in the order of `record::ServiceTier`.
const TIERS: [&str; 5] = ["", "_flex", "_balanced", "_priority", "_ultrafast"];
/// A threshold of these is of one service level only. `_auto` and `_fast` occur in no table; LiteLLM knows them.
const TIER_ENDS: [&str; 6] = ["_flex", "_balanced", "_priority", "_ultrafast", "_auto", "_fast"];

pub(super) struct Fields<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Fields<'a> {
    pub(super) fn parse(json: &'a str) -> Option<Self> {
        let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json).ok()?;
        Some(Self(fields.into_iter().filter(|(_, value)| value.get() != "null").collect()))
    }

    pub(super) fn raw(&self, field: &str) -> Option<&'a str> {
        self.0.get(field).map(|value| value.get())
    }

    fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    pub(super) fn text(&self, field: &str) -> Option<String> {
        serde_json::from_str(self.raw(field)?).ok()
    }

    /// A number, or a number written as a string.
    pub(super) fn rate(&self, field: &str) -> Option<Money> {
        Money::of_usd_text(unquoted(self.raw(field)?))
    }

    pub(super) fn factor(&self, field: &str) -> Option<Factor> {
        Factor::of_text(unquoted(self.raw(field)?))
    }

    /// A price that is no number is unknown, and not 0.
    fn can_be_read(&self) -> bool {
        let is_rate = |field: &str| [INPUT, OUTPUT, REASONING, READ, WRITE].iter().any(|start| field.starts_with(start));
        self.0.keys().filter(|field| is_rate(field)).all(|field| self.rate(field).is_some())
    }

    /// The rate of a service level, else the plain one.
    fn tier_rate(&self, field: &str, tier: &str) -> Option<Money> {
        let own = if tier.is_empty() { None } else { self.rate(&format!("{field}{tier}")) };
        own.or_else(|| self.rate(field))
    }

    fn list(&self, field: &str) -> Vec<Fields<'a>> {
        let items: Option<Vec<&'a RawValue>> = self.raw(field).and_then(|list| serde_json::from_str(list).ok());
        items.unwrap_or_default().into_iter().filter_map(|item| Self::parse(item.get())).collect()
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim()
}

/// `None` where the entry has no price for tokens, or one that cannot be read: the model is known, and unpriced.
pub(super) fn read(name: &str, json: &str) -> Option<ModelPrice> {
    let fields = Fields::parse(json)?;
    let mut parts = fields.list("tiered_pricing").into_iter().chain(fields.raw("off_peak_pricing").and_then(Fields::parse));
    if !fields.can_be_read() || !parts.all(|part| part.can_be_read()) {
        return None;
    }
    let seller = Seller::of(&fields.text("litellm_provider").unwrap_or_default());
    let spans = spans(&fields);
    if !fields.has(INPUT) && !fields.has(OUTPUT) && spans.is_empty() {
        return None;
    }
    let off_peak = fields.raw("off_peak_pricing").and_then(Fields::parse).and_then(|block| OffPeak::read(&block));
    let mut price = ModelPrice {
        bands: TIERS.map(|tier| bands(&fields, if seller.has_tiers() { tier } else { "" }, seller)),
        spans,
        off_peak,
        multipliers: seller.multipliers(&fields),
        search: seller.search(&fields, name.contains("claude")),
        inclusive: seller == Seller::Xai,
    };
    seller.adjust(&mut price);
    Some(price)
}

/// The rates of a service level, for each number of thresholds the prompt is above.
fn bands(fields: &Fields<'_>, tier: &str, seller: Seller) -> Bands {
    let mut output = fields.tier_rate(OUTPUT, tier).unwrap_or_default();
    if output == Money::ZERO {
        output = fields.rate("output_cost_per_image_token").unwrap_or_default();
    }
    let mut rates = Rates {
        input: fields.tier_rate(INPUT, tier).unwrap_or_default(),
        output,
        reasoning: reasoning(fields, tier),
        read: fields.tier_rate(READ, tier),
        write: fields.tier_rate(WRITE, tier),
        write_1h: fields.tier_rate(WRITE_1H, tier),
        write_12h: fields.tier_rate(WRITE_12H, tier),
    };
    let mut bands = Bands { base: rates, above: Vec::new() };
    if !seller.has_thresholds() {
        return bands;
    }
    for (threshold, word) in thresholds(fields, tier) {
        let above = |field: &str| format!("{field}_above_{word}_tokens");
        let plain = |field: &str, before: Option<Money>| fields.tier_rate(&above(field), tier).or(before);
        // Of these two LiteLLM takes no plain rate above a threshold for a service level that has none there.
        let long = |field: &str, before: Option<Money>| {
            let own = format!("{}{tier}", above(field));
            if fields.has(&own) { fields.rate(&own) } else { before }
        };
        rates = Rates {
            input: plain(INPUT, None).unwrap_or(rates.input),
            output: plain(OUTPUT, None).unwrap_or(rates.output),
            reasoning: rates.reasoning,
            read: plain(READ, rates.read),
            write: plain(WRITE, rates.write),
            write_1h: long(WRITE_1H, rates.write_1h),
            write_12h: long(WRITE_12H, rates.write_12h),
        };
        bands.above.push((threshold, rates));
    }
    bands
}

/// A service level with an output rate of its own bills reasoning at that, unless it says otherwise.
fn reasoning(fields: &Fields<'_>, tier: &str) -> Option<Money> {
    let own = format!("{REASONING}{tier}");
    if fields.has(&own) {
        fields.rate(&own)
    } else if !tier.is_empty() && fields.has(&format!("{OUTPUT}{tier}")) {
        None
    } else {
        fields.rate(REASONING)
    }
}

/// `272k` of `input_cost_per_token_above_272k_tokens`, and its number, in rising order.
fn thresholds<'f>(fields: &'f Fields<'_>, tier: &str) -> Vec<(u64, &'f str)> {
    let starts = [INPUT, OUTPUT, READ, WRITE].map(|field| format!("{field}_above_"));
    let of_this_tier = |field: &str| !TIER_ENDS.iter().any(|end| field.ends_with(end)) || (!tier.is_empty() && field.ends_with(tier));
    let word = |field: &'f str| {
        if !starts.iter().any(|start| field.starts_with(start.as_str())) || !of_this_tier(field) {
            return None;
        }
        let (word, _) = field.rsplit_once("_above_")?.1.split_once("_tokens")?;
        let (digits, unit) = word.strip_suffix('k').map_or((word, 1), |digits| (digits, 1000));
        Some((digits.parse::<u64>().ok()?.checked_mul(unit)?, word))
    };
    let mut found: Vec<_> = fields.0.keys().filter_map(|field| word(field)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `tiered_pricing`: rates by length of the prompt. What a span does not say is its input rate, but for output.
fn spans(fields: &Fields<'_>) -> Vec<Span> {
    let span = |span: Fields<'_>| {
        let range: [f64; 2] = serde_json::from_str(span.raw("range")?).ok()?;
        let input = span.rate(INPUT)?;
        let or_input = |field: &str| span.rate(field).or(Some(input));
        let output = span.rate(OUTPUT);
        let rates = Rates {
            input,
            output: output.or_else(|| fields.rate(OUTPUT)).unwrap_or_default(),
            reasoning: span.rate(REASONING).or(output),
            read: or_input(READ),
            write: or_input(WRITE),
            write_1h: span.rate(WRITE_1H),
            write_12h: span.rate(WRITE_12H),
        };
        Some(Span { after: range[0], to: range[1], rates })
    };
    let mut spans: Vec<Span> = fields.list("tiered_pricing").into_iter().filter_map(span).collect();
    spans.sort_by(|one, two| one.after.total_cmp(&two.after));
    spans
}
