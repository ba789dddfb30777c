//! Requests priced by LiteLLM itself. `tests/it/prices.rs` has it price thousands more.

use serde::Deserialize;
use serde_json::Value;

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    model: String,
    provider: String,
    service_tier: Option<String>,
    usage: Value,
    prompt_cost: f64,
    completion_cost: f64,
    total: f64,
}

/// Anthropic's counts are disjoint.
fn anthropic(usage: &Value) -> Tokens {
    let of = |usage: &Value, name: &str| usage.pointer(name).and_then(Value::as_u64).unwrap_or(0);
    let one = |usage: &Value| {
        let (cache_write_5m, cache_write_1h) =
            (of(usage, "/cache_creation/ephemeral_5m_input_tokens"), of(usage, "/cache_creation/ephemeral_1h_input_tokens"));
        Tokens {
            input: of(usage, "/input_tokens"),
            output: of(usage, "/output_tokens"),
            cache_read: of(usage, "/cache_read_input_tokens"),
            cache_write_5m,
            cache_write_1h,
            cache_write_other: of(usage, "/cache_creation_input_tokens") - cache_write_5m - cache_write_1h,
            ..Tokens::default()
        }
    };
    let Some(iterations) = usage["iterations"].as_array() else { return one(usage) };
    iterations.iter().map(one).fold(Tokens::default(), |mut sum, more| {
        sum += more;
        sum
    })
}

/// OpenAI's input includes what was read and written.
fn openai(usage: &Value) -> Tokens {
    let of = |name: &str| usage[name].as_u64().unwrap_or(0);
    Tokens {
        input: of("input_tokens") - of("cached_input_tokens") - of("cache_write_input_tokens"),
        output: of("output_tokens"),
        reasoning: of("reasoning_output_tokens"),
        cache_read: of("cached_input_tokens"),
        cache_write_12h: of("cache_write_12h"),
        cache_write_other: of("cache_write_input_tokens") - of("cache_write_12h"),
        ..Tokens::default()
    }
}

#[test]
fn every_case_costs_what_litellm_says() {
    let file: Value = serde_json::from_str(include_str!("../../../../tests/golden/pricing-cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_value(file["cases"].clone()).unwrap();
    assert_eq!(cases.len(), 35);
    let prices = built_in();
    // A Monday, 03:30 UTC: in no off-peak hours.
    let ts_ms = 1_795_404_600_000;
    for Case { name, model, provider, service_tier, usage, prompt_cost, completion_cost, total } in cases {
        let text = |name: &str| usage[name].as_str().unwrap_or("");
        let bill = Bill {
            tokens: if provider == "anthropic" { anthropic(&usage) } else { openai(&usage) },
            web_searches: usage.pointer("/server_tool_use/web_search_requests").and_then(Value::as_u64).unwrap_or(0).try_into().unwrap(),
            tier: ServiceTier::of(service_tier.as_deref().unwrap_or("")),
            speed: Speed::of(text("speed")),
            geo: Geo::of(text("inference_geo")),
            ts_ms,
        };
        let found = prices.find(Some(&provider), &model).unwrap_or_else(|| panic!("{name}: no price"));
        let cost = found.price.cost(&bill);
        for (told, ours) in [(prompt_cost, cost.input), (completion_cost, cost.output), (total, cost.total())] {
            assert!(near(told, ours.usd()), "{model}, {name}: {} and LiteLLM says {told}", ours.usd());
        }
    }
}
