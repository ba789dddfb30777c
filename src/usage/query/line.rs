//! Sums as they are told outside.

use super::{
    names::{Name, Names},
    span::rfc3339,
};
use crate::{
    usage::record::Totals,
    wire::usage::{Figures, Line},
};

pub(crate) fn figures(totals: &Totals) -> Figures {
    let tokens = &totals.tokens;
    Figures {
        input_tokens: tokens.input,
        output_tokens: tokens.output,
        reasoning_tokens: tokens.reasoning,
        cache_read_tokens: tokens.cache_read,
        cache_write_5m_tokens: tokens.cache_write_5m,
        cache_write_1h_tokens: tokens.cache_write_1h,
        cache_write_12h_tokens: tokens.cache_write_12h,
        cache_write_other_tokens: tokens.cache_write_other,
        total_tokens: tokens.total(),
        requests: totals.requests,
        cost_usd: totals.cost_usd(),
        partial: totals.partial(),
    }
}

/// A line in the making.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    pub(super) totals: Totals,
    pub(super) first: i64,
    pub(super) last: i64,
    /// A line is of few models, so a walk is faster than a map.
    pub(super) models: Vec<(Name, Totals)>,
}

impl Default for Sum {
    fn default() -> Self {
        Self { totals: Totals::default(), first: i64::MAX, last: i64::MIN, models: Vec::new() }
    }
}

impl Sum {
    pub(super) fn add(&mut self, bucket: &super::sums::Bucket) {
        self.totals.merge(&bucket.totals);
        (self.first, self.last) = (self.first.min(bucket.first), self.last.max(bucket.last));
        let model = bucket.key.model;
        match self.models.iter_mut().find(|(name, _)| *name == model) {
            Some((_, totals)) => totals.merge(&bucket.totals),
            None => self.models.push((model, bucket.totals)),
        }
    }

    /// What it is a line of is left to the caller.
    pub(super) fn line(&self, names: &Names, breakdown: bool) -> Line {
        let mut models: Vec<&(Name, Totals)> = self.models.iter().collect();
        models.sort_by(|(a, x), (b, y)| y.tokens.total().cmp(&x.tokens.total()).then_with(|| names.text(*a).cmp(names.text(*b))));
        let text = |name: &Name| names.text(*name).to_owned();
        let part = |(name, totals): &&(Name, Totals)| Line { model: Some(text(name)), figures: figures(totals), ..Line::default() };
        let met = self.first <= self.last;
        Line {
            figures: figures(&self.totals),
            first: met.then(|| rfc3339(self.first)),
            last: met.then(|| rfc3339(self.last)),
            models: models.iter().map(|(name, _)| text(name)).collect(),
            breakdown: if breakdown { models.iter().map(part).collect() } else { Vec::new() },
            ..Line::default()
        }
    }
}
