//! Prices the user set.
//!
//! In `config.toml`, in US dollars per million tokens:
//!
//! ```toml
//! [usage.prices."my-model"]
//! input = 1.25
//! output = 10.0
//! cache_read = 0.125      # else as input
//! cache_write = 1.5       # else as input
//! cache_write_1h = 2.5    # else as cache_write
//! reasoning = 10.0        # else as output
//! web_search = 0.01       # each; else nothing
//! ```
//!
//! The name is a model's as the agent's log has it, `provider/model`, or any other spelling of it that the table would be searched
//! for. What the user sets replaces the table's entry whole: no thresholds, service levels or off-peak hours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::price::{Bands, ModelPrice, Multipliers, Rates, Search};

/// `[usage.prices]`: by model.
pub type Overrides = BTreeMap<String, Override>;

/// US dollars per million tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub input: f64,
    pub output: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<f64>,
    /// For one search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_search: Option<f64>,
}

impl Override {
    /// The error names the field that is no price.
    pub(super) fn price(&self) -> Result<ModelPrice, String> {
        let usd = |field: &str, usd: f64| Money::of_usd_text(&usd.to_string()).ok_or_else(|| format!("{field} = {usd} is no price"));
        let rate = |field: &str, rate: f64| usd(field, rate).map(Money::per_million);
        let maybe = |field: &str, value: Option<f64>| value.map(|value| rate(field, value)).transpose();
        let base = Rates {
            input: rate("input", self.input)?,
            output: rate("output", self.output)?,
            reasoning: maybe("reasoning", self.reasoning)?,
            read: maybe("cache_read", self.cache_read)?,
            write: maybe("cache_write", self.cache_write)?,
            write_1h: maybe("cache_write_1h", self.cache_write_1h)?,
            write_12h: None,
        };
        Ok(ModelPrice {
            bands: std::array::from_fn(|_| Bands { base, above: Vec::new() }),
            spans: Vec::new(),
            off_peak: None,
            multipliers: Multipliers::NONE,
            search: Search::Each(self.web_search.map_or(Ok(Money::ZERO), |price| usd("web_search", price))?),
            inclusive: false,
        })
    }
}
