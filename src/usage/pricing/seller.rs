//! What is particular to who sells the model: LiteLLM has a calculator for each of these, and one for all others.

use std::iter::once;

use super::entry::Fields;
use super::money::{Factor, Money};
use super::price::{Bands, ModelPrice, Multipliers, Rates, Search};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seller {
    Anthropic,
    Azure,
    Bedrock,
    Dashscope,
    Deepseek,
    Fireworks,
    Gemini,
    Openai,
    Perplexity,
    Tencent,
    Vertex,
    Xai,
    Any,
}

impl Seller {
    /// From an entry's `litellm_provider`.
    pub(super) fn of(provider: &str) -> Self {
        match provider {
            "anthropic" => Self::Anthropic,
            "azure" | "azure_text" => Self::Azure,
            "bedrock" | "bedrock_converse" => Self::Bedrock,
            "dashscope" | "qwencloud" | "qwen_ai_platform" => Self::Dashscope,
            "deepseek" => Self::Deepseek,
            "fireworks_ai" => Self::Fireworks,
            "gemini" => Self::Gemini,
            "openai" => Self::Openai,
            "perplexity" => Self::Perplexity,
            "tencent" => Self::Tencent,
            "xai" => Self::Xai,
            _ if provider.starts_with("vertex_ai") => Self::Vertex,
            _ => Self::Any,
        }
    }

    /// The others bill every request at the standard rates.
    pub(super) fn has_tiers(self) -> bool {
        !matches!(self, Self::Dashscope | Self::Deepseek | Self::Fireworks | Self::Perplexity | Self::Tencent | Self::Xai)
    }

    pub(super) fn has_thresholds(self) -> bool {
        !matches!(self, Self::Dashscope | Self::Perplexity)
    }

    pub(super) fn multipliers(self, fields: &Fields<'_>) -> Multipliers {
        let entry = fields.raw("provider_specific_entry").and_then(Fields::parse);
        let own = |name: &str| entry.as_ref().and_then(|entry| entry.factor(name)).unwrap_or(Factor::ONE);
        let field = |name: &str| fields.factor(name).unwrap_or(Factor::ONE);
        match self {
            Self::Anthropic => Multipliers { fast: own("fast"), us: own("us"), eu: own("eu"), ..Multipliers::NONE },
            Self::Bedrock => Multipliers { us: own("us"), eu: own("eu"), ..Multipliers::NONE },
            Self::Vertex => {
                let place = field("regional_endpoint_uplift_multiplier");
                Multipliers { us: place, eu: place, elsewhere: place, ..Multipliers::NONE }
            }
            Self::Openai => Multipliers {
                us: field("regional_processing_uplift_multiplier_us"),
                eu: field("regional_processing_uplift_multiplier_eu"),
                ..Multipliers::NONE
            },
            _ => Multipliers::NONE,
        }
    }

    /// `claude`: whether the model is one, which its maker bills for each search wherever it is sold.
    pub(super) fn search(self, fields: &Fields<'_>, claude: bool) -> Search {
        let prices = fields.raw("search_context_cost_per_query").and_then(Fields::parse);
        let size = |size: &str| prices.as_ref().and_then(|prices| prices.rate(size));
        let medium = size("search_context_size_medium");
        let usd = |text: &str| Money::of_usd_text(text).unwrap_or_default();
        match self {
            Self::Gemini | Self::Vertex if !claude => {
                let price = medium.unwrap_or_else(|| usd("0.035"));
                let per_query = fields.text("web_search_billing_unit").is_some_and(|unit| unit == "per_query");
                if per_query { Search::Each(price) } else { Search::Once(price) }
            }
            Self::Xai => {
                let sizes = [medium, size("search_context_size_low"), size("search_context_size_high")];
                let told = sizes.into_iter().flatten().find(|price| *price > Money::ZERO);
                Search::Each(told.unwrap_or_else(|| usd("0.005")))
            }
            Self::Perplexity => Search::Each(size("search_context_size_low").unwrap_or_default()),
            _ => Search::Each(medium.unwrap_or_default()),
        }
    }

    /// What LiteLLM does to the rates it read.
    pub(super) fn adjust(self, price: &mut ModelPrice) {
        let Bands { base: Rates { input, .. }, .. } = price.bands[0];
        let banded = price.bands.iter_mut().flat_map(|bands| once(&mut bands.base).chain(bands.above.iter_mut().map(|(_, rates)| rates)));
        let all = banded.chain(price.spans.iter_mut().map(|span| &mut span.rates));
        match self {
            // Reads cost half of input where nothing is said.
            Self::Fireworks => {
                all.for_each(|rates| rates.read = rates.read.or(Some(input.halved())));
                if let Some(off_peak) = &mut price.off_peak {
                    off_peak.set_missing_read(|off_peak_input| off_peak_input.unwrap_or(input).halved());
                }
            }
            Self::Xai => all.for_each(|rates| rates.reasoning = None),
            // One price for writing, however long it is kept.
            Self::Dashscope => all.for_each(|rates| {
                let or_input = |rate: Option<Money>| rate.or(Some(rates.input));
                *rates = Rates { read: or_input(rates.read), write: or_input(rates.write), write_1h: None, write_12h: None, ..*rates };
            }),
            // No price for the cache.
            Self::Perplexity => {
                all.for_each(|rates| *rates = Rates { read: None, write: None, write_1h: None, write_12h: None, ..*rates });
            }
            _ => {}
        }
    }
}
