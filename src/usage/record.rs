//! One billed request, whoever's log told of it, and sums of them.

use std::borrow::Cow;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize, Serializer};

use super::pricing::Money;

/// Tokens of a request, or of many. The parts are disjoint: a token is in one of them, and their sum is what was billed.
///
/// Agents count in several ways; whoever reads a log brings it to this one. Where an agent's input includes what was read
/// from or written to the cache, take that off; where its output leaves out reasoning, add it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    /// Neither read from a cache nor written to one.
    #[serde(rename = "input_tokens")]
    pub input: u64,
    /// All of it, reasoning too.
    #[serde(rename = "output_tokens")]
    pub output: u64,
    /// That part of `output` which was reasoning: told for information, and for the few models that price it apart. In no sum.
    #[serde(rename = "reasoning_tokens")]
    pub reasoning: u64,
    #[serde(rename = "cache_read_tokens")]
    pub cache_read: u64,
    /// Written for five minutes.
    #[serde(rename = "cache_write_5m_tokens")]
    pub cache_write_5m: u64,
    /// Written for an hour.
    #[serde(rename = "cache_write_1h_tokens")]
    pub cache_write_1h: u64,
    /// Written for twelve hours (OpenAI).
    #[serde(rename = "cache_write_12h_tokens", skip_serializing_if = "none")]
    pub cache_write_12h: u64,
    /// Written for a time nobody told, or that no rate is known for: what is left of a total after the parts above.
    #[serde(rename = "cache_write_other_tokens", skip_serializing_if = "none")]
    pub cache_write_other: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn none(count: &u64) -> bool {
    *count == 0
}

impl Tokens {
    /// What the vendor calls the prompt, and measures thresholds on: all that went in.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write())
    }

    #[must_use]
    pub fn cache_write(&self) -> u64 {
        let known = self.cache_write_5m.saturating_add(self.cache_write_1h);
        known.saturating_add(self.cache_write_12h).saturating_add(self.cache_write_other)
    }

    /// All that was billed.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, more: Self) {
        let add = |to: &mut u64, more: u64| *to = to.saturating_add(more);
        add(&mut self.input, more.input);
        add(&mut self.output, more.output);
        add(&mut self.reasoning, more.reasoning);
        add(&mut self.cache_read, more.cache_read);
        add(&mut self.cache_write_5m, more.cache_write_5m);
        add(&mut self.cache_write_1h, more.cache_write_1h);
        add(&mut self.cache_write_12h, more.cache_write_12h);
        add(&mut self.cache_write_other, more.cache_write_other);
    }
}

/// At which of a vendor's service levels a request was served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ServiceTier {
    /// Also what is called auto, default and batch, what nobody told, and what nobody knows.
    #[default]
    Standard,
    Flex,
    Balanced,
    /// Codex calls it fast.
    Priority,
    Ultrafast,
}

impl ServiceTier {
    /// The word in a log. `batch` is standard: it says how the vendor schedules, and no log of an agent tells of a batch *call*,
    /// which is what has rates of its own.
    #[must_use]
    pub fn of(word: &str) -> Self {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        match () {
            () if is("flex") => Self::Flex,
            () if is("balanced") => Self::Balanced,
            () if is("priority") || is("fast") => Self::Priority,
            () if is("ultrafast") => Self::Ultrafast,
            () => Self::Standard,
        }
    }
}

/// Anthropic's `speed`. Not a service tier: it multiplies what the tier costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Speed {
    #[default]
    Standard,
    Fast,
}

impl Speed {
    #[must_use]
    pub fn of(word: &str) -> Self {
        if word == "fast" { Self::Fast } else { Self::Standard }
    }
}

/// Where the vendor computed: Anthropic's `inference_geo`, OpenAI's region of the host, Vertex's location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Geo {
    /// Nobody told: empty, or `not_available`.
    #[default]
    Unsaid,
    Global,
    Us,
    Eu,
    /// A place no table of Anthropic's or OpenAI's knows. On Vertex, where every place costs more than `global`, it counts.
    Elsewhere,
}

impl Geo {
    #[must_use]
    pub fn of(word: &str) -> Self {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        match () {
            () if word.is_empty() || is("not_available") => Self::Unsaid,
            () if is("global") => Self::Global,
            () if is("us") => Self::Us,
            () if is("eu") => Self::Eu,
            () => Self::Elsewhere,
        }
    }
}

/// What a request's price depends on, next to its model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    pub tokens: Tokens,
    /// Searches the vendor made and bills for each.
    pub web_searches: u32,
    pub tier: ServiceTier,
    pub speed: Speed,
    pub geo: Geo,
    /// When the request was made: milliseconds since 1970, UTC. Some models are cheaper at night.
    pub ts_ms: i64,
}

/// One billed request. Nothing in it says what was said.
///
/// Requests inside a request (Claude Code's `iterations`) are either summed into its tokens (compaction: the same model) or
/// records of their own with `sub_request` set (an advisor: another model), whose key is made from the outer one's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record<'a> {
    /// The request's identity, the same in every file it was copied to: Anthropic's message id, OpenAI's response id, ...
    pub key: Cow<'a, str>,
    pub session: Cow<'a, str>,
    /// The session it was forked from or works for.
    pub parent_session: Option<Cow<'a, str>>,
    /// The directory worked in.
    pub project: Option<Cow<'a, str>>,
    /// The sub-agent that asked.
    pub agent_id: Option<Cow<'a, str>>,
    /// The agent's own word for who served it, where it told one.
    pub provider: Option<Cow<'a, str>>,
    /// As the log has it. What it is taken for is decided when it is priced, and told.
    pub model: Cow<'a, str>,
    pub bill: Bill,
    /// Claude Code's side branches.
    pub sidechain: bool,
    /// Ended in mid-stream. Billed as far as told.
    pub aborted: bool,
    /// Costs, but is no request of its own.
    pub sub_request: bool,
    /// What the agent says it cost, in USD. To compare with; never added to anything.
    pub source_cost: Option<f64>,
}

/// Sums over requests, in the names used everywhere outside: `cost_usd` is null where nothing could be priced, and `partial` says
/// that some could not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub tokens: Tokens,
    pub requests: u64,
    /// Of the priced ones.
    pub cost: Money,
    pub priced: u64,
    /// Requests that used something and have no price.
    pub unpriced: u64,
}

impl Totals {
    /// Counts a request, whose cost is `None` where its model has no known price.
    pub fn add(&mut self, bill: &Bill, cost: Option<Money>, sub_request: bool) {
        self.tokens += bill.tokens;
        self.requests = self.requests.saturating_add(u64::from(!sub_request));
        match cost {
            Some(cost) => {
                self.cost += cost;
                self.priced = self.priced.saturating_add(1);
            }
            // What used nothing costs nothing, whoever served it.
            None if bill.tokens.total() == 0 && bill.web_searches == 0 => {}
            None => self.unpriced = self.unpriced.saturating_add(1),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.tokens += other.tokens;
        self.requests = self.requests.saturating_add(other.requests);
        self.cost += other.cost;
        self.priced = self.priced.saturating_add(other.priced);
        self.unpriced = self.unpriced.saturating_add(other.unpriced);
    }

    #[must_use]
    pub fn partial(&self) -> bool {
        self.unpriced > 0
    }

    /// Null where all of it is unpriced.
    #[must_use]
    pub fn cost_usd(&self) -> Option<f64> {
        (self.priced > 0 || self.unpriced == 0).then(|| self.cost.usd())
    }
}

impl Serialize for Totals {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            #[serde(flatten)]
            tokens: Tokens,
            total_tokens: u64,
            requests: u64,
            cost_usd: Option<f64>,
            partial: bool,
        }
        let (tokens, requests) = (self.tokens, self.requests);
        Shown { tokens, total_tokens: tokens.total(), requests, cost_usd: self.cost_usd(), partial: self.partial() }.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_outside_are_the_ones_the_project_uses_everywhere() {
        let mut totals = Totals::default();
        let tokens = Tokens {
            input: 1,
            output: 20,
            reasoning: 5,
            cache_read: 300,
            cache_write_5m: 4000,
            cache_write_1h: 50000,
            ..Tokens::default()
        };
        totals.add(&Bill { tokens, ..Bill::default() }, Some(Money::of_usd_text("0.25").unwrap()), false);
        assert_eq!(
            serde_json::to_string(&totals).unwrap(),
            r#"{"input_tokens":1,"output_tokens":20,"reasoning_tokens":5,"cache_read_tokens":300,"cache_write_5m_tokens":4000,"cache_write_1h_tokens":50000,"total_tokens":54321,"requests":1,"cost_usd":0.25,"partial":false}"#
        );
    }

    #[test]
    fn reasoning_is_a_part_of_output_and_never_added_to_it() {
        let tokens = Tokens { input: 10, output: 7, reasoning: 5, ..Tokens::default() };
        assert_eq!(tokens.total(), 17);
    }

    #[test]
    fn an_unpriced_request_makes_a_sum_partial_and_alone_makes_it_null() {
        let bill = Bill { tokens: Tokens { input: 10, ..Tokens::default() }, ..Bill::default() };
        let mut totals = Totals::default();
        totals.add(&bill, None, false);
        assert_eq!((totals.cost_usd(), totals.partial()), (None, true));
        totals.add(&bill, Some(Money::of_usd_text("1").unwrap()), false);
        assert_eq!((totals.cost_usd(), totals.partial(), totals.requests), (Some(1.0), true, 2));
    }

    #[test]
    fn a_request_that_used_nothing_makes_no_sum_partial() {
        let mut totals = Totals::default();
        totals.add(&Bill::default(), None, false);
        assert_eq!((totals.cost_usd(), totals.partial()), (Some(0.0), false));
    }

    #[test]
    fn a_request_inside_a_request_costs_and_is_not_counted() {
        let mut totals = Totals::default();
        totals.add(&Bill::default(), Some(Money::of_usd_text("1").unwrap()), false);
        totals.add(&Bill::default(), Some(Money::of_usd_text("2").unwrap()), true);
        assert_eq!((totals.requests, totals.cost_usd()), (1, Some(3.0)));
    }

    #[test]
    fn words_for_tiers_and_places_are_read_as_their_vendors_mean_them() {
        use ServiceTier::{Balanced, Flex, Priority, Standard, Ultrafast};
        let words = ["flex", "balanced", "priority", "fast", "FAST", "ultrafast", "auto", "default", "standard", "batch", "", "new"];
        let tiers = [Flex, Balanced, Priority, Priority, Priority, Ultrafast, Standard, Standard, Standard, Standard, Standard, Standard];
        assert_eq!(words.map(ServiceTier::of), tiers);
        let places = ["", "not_available", "global", "us", "US", "eu", "us-east5"].map(Geo::of);
        assert_eq!(places, [Geo::Unsaid, Geo::Unsaid, Geo::Global, Geo::Us, Geo::Us, Geo::Eu, Geo::Elsewhere]);
    }
}
