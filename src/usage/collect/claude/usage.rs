//! The `usage` object of Anthropic's Messages API, as Claude Code writes it down.

use crate::usage::collect::json::Walk;
use crate::usage::record::{Bill, Geo, ServiceTier, Speed, Tokens};

/// Usage of one answer so far.
#[derive(Default)]
pub(super) struct Usage<'a> {
    top: Tokens,
    web_searches: u32,
    tier: &'a [u8],
    speed: &'a [u8],
    geo: &'a [u8],
    pub(super) parts: Vec<Part<'a>>,
}

/// One of `iterations`: a request inside the request.
#[derive(Default)]
pub(super) struct Part<'a> {
    pub(super) kind: &'a [u8],
    pub(super) model: &'a [u8],
    pub(super) tokens: Tokens,
}

impl Part<'_> {
    /// Another model that was asked for advice; billed at its own price, and in no other count.
    pub(super) const ADVISOR: &'static [u8] = b"advisor_message";
    /// Already in the counts above the list.
    const MESSAGE: &'static [u8] = b"message";
    /// Billed, and in no other count.
    const COMPACTION: &'static [u8] = b"compaction";
}

impl<'a> Usage<'a> {
    pub(super) fn read(walk: &mut Walk<'a>) -> Option<Self> {
        let mut usage = Self::default();
        let mut any = false;
        let mut counts = Counts::default();
        walk.object(|key, value| {
            any = true;
            match key {
                b"server_tool_use" => {
                    value.object(|key, value| {
                        if key == b"web_search_requests" {
                            usage.web_searches = u32::try_from(value.count().unwrap_or(0)).unwrap_or(u32::MAX);
                        }
                        true
                    });
                }
                b"service_tier" => usage.tier = value.raw().unwrap_or_default(),
                b"speed" => usage.speed = value.raw().unwrap_or_default(),
                b"inference_geo" => usage.geo = value.raw().unwrap_or_default(),
                b"iterations" => value.array(|value| usage.parts.push(part(value))),
                _ => counts.field(key, value),
            }
            true
        });
        usage.top = counts.tokens();
        any.then_some(usage)
    }

    /// All that is billed at the answer's own model.
    pub(super) fn bill(&self) -> Bill {
        let word = |raw: &'a [u8]| std::str::from_utf8(raw).unwrap_or_default();
        Bill {
            tokens: self.tokens(),
            web_searches: self.web_searches,
            tier: ServiceTier::of(word(self.tier)),
            speed: Speed::of(word(self.speed)),
            geo: Geo::of(word(self.geo)),
            ts_ms: 0,
        }
    }

    /// The counts above the list are those of its messages, or of the last of them. What compaction took is not in them.
    /// (A fallback that failed is not billed.)
    fn tokens(&self) -> Tokens {
        let sum = |kind: &[u8]| {
            let mut sum = Tokens::default();
            self.parts.iter().filter(|part| part.kind == kind).for_each(|part| sum += part.tokens);
            sum
        };
        let messages = sum(Part::MESSAGE);
        let mut tokens = if messages.total() > self.top.total() { messages } else { self.top };
        tokens += sum(Part::COMPACTION);
        tokens
    }
}

fn part<'a>(walk: &mut Walk<'a>) -> Part<'a> {
    let mut part = Part::default();
    let mut counts = Counts::default();
    walk.object(|key, value| {
        match key {
            b"type" => part.kind = value.raw().unwrap_or_default(),
            b"model" => part.model = value.raw().unwrap_or_default(),
            _ => counts.field(key, value),
        }
        true
    });
    part.tokens = counts.tokens();
    part
}

#[derive(Default)]
struct Counts {
    tokens: Tokens,
    /// All cache writes. The parts may be missing, both 0, or less than it.
    written: u64,
}

impl Counts {
    fn field(&mut self, key: &[u8], value: &mut Walk<'_>) {
        let tokens = &mut self.tokens;
        let mut count = |place: &mut u64| *place = value.count().unwrap_or(*place);
        match key {
            b"input_tokens" => count(&mut tokens.input),
            b"output_tokens" => count(&mut tokens.output),
            b"cache_read_input_tokens" => count(&mut tokens.cache_read),
            b"cache_creation_input_tokens" => count(&mut self.written),
            b"output_tokens_details" => {
                value.object(|key, value| {
                    if key == b"thinking_tokens" {
                        tokens.reasoning = value.count().unwrap_or(0);
                    }
                    true
                });
            }
            b"cache_creation" => {
                value.object(|key, value| {
                    match key {
                        b"ephemeral_5m_input_tokens" => tokens.cache_write_5m = value.count().unwrap_or(0),
                        b"ephemeral_1h_input_tokens" => tokens.cache_write_1h = value.count().unwrap_or(0),
                        _ => {}
                    }
                    true
                });
            }
            _ => {}
        }
    }

    fn tokens(self) -> Tokens {
        let known = self.tokens.cache_write_5m.saturating_add(self.tokens.cache_write_1h);
        let reasoning = self.tokens.reasoning.min(self.tokens.output);
        Tokens { cache_write_other: self.written.saturating_sub(known), reasoning, ..self.tokens }
    }
}
