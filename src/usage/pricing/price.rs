//! What a request costs at a model's prices: LiteLLM's calculation, step for step, in exact numbers.

use super::money::{Factor, Money};
use super::off_peak::OffPeak;
use crate::usage::record::{Bill, Geo, ServiceTier, Speed, Tokens};

/// What a token of each kind costs. `None` is not free: what stands in for it is said beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) input: Money,
    pub(super) output: Money,
    /// Else as output.
    pub(super) reasoning: Option<Money>,
    /// Else as input: a vendor that names no price for the cache bills what it read as any other.
    pub(super) read: Option<Money>,
    /// Else as input.
    pub(super) write: Option<Money>,
    /// Else as any write.
    pub(super) write_1h: Option<Money>,
    /// Else as any write.
    pub(super) write_12h: Option<Money>,
}

/// Rates that change for the whole request when its prompt is above a number of tokens.
#[derive(Clone, Debug)]
pub(super) struct Bands {
    pub(super) base: Rates,
    /// In rising order.
    pub(super) above: Vec<(u64, Rates)>,
}

/// Rates of requests whose prompt is longer than `after` and no longer than `to`.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) after: f64,
    pub(super) to: f64,
    pub(super) rates: Rates,
}

/// What the sum for tokens is multiplied by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Multipliers {
    pub(super) fast: Factor,
    pub(super) us: Factor,
    pub(super) eu: Factor,
    /// Any other place that is told and is not `global`.
    pub(super) elsewhere: Factor,
}

impl Multipliers {
    pub(super) const NONE: Self = Self { fast: Factor::ONE, us: Factor::ONE, eu: Factor::ONE, elsewhere: Factor::ONE };
}

/// What the vendor's own searches cost.
#[derive(Clone, Copy, Debug)]
pub(super) enum Search {
    Each(Money),
    /// Once for a request, however often it searched.
    Once(Money),
}

/// All prices of one model.
#[derive(Clone, Debug)]
pub struct ModelPrice {
    /// By service level, in the order of `ServiceTier`.
    pub(super) bands: [Bands; 5],
    /// Where there are any, and the prompt is not empty, they are used in place of `bands`.
    pub(super) spans: Vec<Span>,
    pub(super) off_peak: Option<OffPeak>,
    pub(super) multipliers: Multipliers,
    pub(super) search: Search,
    /// A prompt of exactly a threshold is above it.
    pub(super) inclusive: bool,
}

/// What a request costs, by what it costs for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Input, and reading and writing the cache.
    pub input: Money,
    /// Output, and reasoning.
    pub output: Money,
    pub web_search: Money,
}

impl Cost {
    #[must_use]
    pub fn total(&self) -> Money {
        self.input + self.output + self.web_search
    }
}

impl ModelPrice {
    /// One request's. Never ask for a sum of requests: thresholds are each request's own.
    #[must_use]
    pub fn cost(&self, bill: &Bill) -> Cost {
        let tokens = &bill.tokens;
        let rates = self.rates(tokens, bill.tier, bill.ts_ms);
        let write = rates.write.unwrap_or(rates.input);
        let input = rates.input.times(tokens.input)
            + rates.read.unwrap_or(rates.input).times(tokens.cache_read)
            + write.times(tokens.cache_write_5m.saturating_add(tokens.cache_write_other))
            + rates.write_1h.unwrap_or(write).times(tokens.cache_write_1h)
            + rates.write_12h.unwrap_or(write).times(tokens.cache_write_12h);
        let reasoning = tokens.reasoning.min(tokens.output);
        let output = rates.output.times(tokens.output - reasoning) + rates.reasoning.unwrap_or(rates.output).times(reasoning);
        let (speed, place) = self.factors(bill);
        let searches = u64::from(bill.web_searches);
        let web_search = match self.search {
            Search::Each(price) => price.times(searches),
            Search::Once(price) => price.times(searches.min(1)),
        };
        Cost { input: input.scaled(speed).scaled(place), output: output.scaled(speed).scaled(place), web_search }
    }

    fn factors(&self, bill: &Bill) -> (Factor, Factor) {
        let speed = match bill.speed {
            Speed::Fast => self.multipliers.fast,
            Speed::Standard => Factor::ONE,
        };
        let place = match bill.geo {
            Geo::Unsaid | Geo::Global => Factor::ONE,
            Geo::Us => self.multipliers.us,
            Geo::Eu => self.multipliers.eu,
            Geo::Elsewhere => self.multipliers.elsewhere,
        };
        (speed, place)
    }

    fn rates(&self, tokens: &Tokens, tier: ServiceTier, ts_ms: i64) -> Rates {
        let prompt = tokens.prompt();
        let [standard, flex, balanced, priority, ultrafast] = &self.bands;
        let bands = match tier {
            ServiceTier::Standard => standard,
            ServiceTier::Flex => flex,
            ServiceTier::Balanced => balanced,
            ServiceTier::Priority => priority,
            ServiceTier::Ultrafast => ultrafast,
        };
        let rates = match self.span(prompt) {
            Some(span) => Rates { reasoning: span.reasoning.or(bands.base.reasoning), ..*span },
            None => bands.at(prompt, self.inclusive),
        };
        match self.off_peak.as_ref().filter(|off_peak| off_peak.holds_at(ts_ms)) {
            Some(off_peak) => off_peak.applied(rates),
            None => rates,
        }
    }

    /// The last span also holds for longer prompts than any.
    #[expect(clippy::cast_precision_loss, reason = "no prompt has 2^53 tokens")]
    fn span(&self, prompt: u64) -> Option<&Rates> {
        if prompt == 0 {
            return None;
        }
        let holds = |span: &&Span| span.after < prompt as f64 && prompt as f64 <= span.to;
        self.spans.iter().find(holds).or(self.spans.last()).map(|span| &span.rates)
    }
}

impl Bands {
    fn at(&self, prompt: u64, inclusive: bool) -> Rates {
        let above = |threshold: u64| prompt > threshold || (inclusive && prompt == threshold);
        self.above.iter().rev().find(|(threshold, _)| above(*threshold)).map_or(self.base, |(_, rates)| *rates)
    }
}
