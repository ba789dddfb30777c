//! The rules of LiteLLM's calculation, each on an entry that has nothing else.

use super::*;
use crate::usage::pricing::{Money, Override};

const PLAIN: &str = r#""input_cost_per_token": 1e-06, "output_cost_per_token": 1e-05"#;

fn with(more: &str) -> String {
    format!("{PLAIN}, {more}")
}

#[test]
fn the_prompt_is_all_that_went_in_read_written_or_neither() {
    let above = with(r#""input_cost_per_token_above_200k_tokens": 2e-06"#);
    let parts = Tokens {
        input: 1,
        cache_read: 50_000,
        cache_write_5m: 50_000,
        cache_write_1h: 50_000,
        cache_write_12h: 50_000,
        ..Tokens::default()
    };
    assert_eq!(usd(&above, tokens(parts)), 0.400_002);
    let other = Tokens { input: 1, cache_write_other: 200_000, ..Tokens::default() };
    assert_eq!(usd(&above, tokens(other)), 0.400_002);
}

#[test]
fn a_missing_cache_rate_is_the_input_rate_and_not_a_guess() {
    let all = Tokens { cache_read: 1000, cache_write_5m: 1000, cache_write_1h: 1000, cache_write_other: 1000, ..Tokens::default() };
    assert_eq!(usd(PLAIN, tokens(all)), 0.004);
    let read = Tokens { cache_read: 300_000, ..Tokens::default() };
    assert_eq!(usd(&with(r#""input_cost_per_token_above_200k_tokens": 2e-06"#), tokens(read)), 0.6);
}

#[test]
fn a_missing_rate_for_an_hour_is_the_write_rate() {
    let write = with(r#""cache_creation_input_token_cost": 1.25e-06"#);
    assert_eq!(usd(&write, tokens(Tokens { cache_write_1h: 1000, cache_write_12h: 1000, ..Tokens::default() })), 0.0025);
}

#[test]
fn each_time_a_cache_is_kept_has_its_rate_and_the_rest_the_plain_one() {
    let rates = with(
        r#""cache_creation_input_token_cost": 2e-06, "cache_creation_input_token_cost_above_1hr": 3e-06, "cache_creation_input_token_cost_above_12hr": 5e-06"#,
    );
    let one = |tokens_: Tokens| usd(&rates, tokens(tokens_));
    assert_eq!(one(Tokens { cache_write_5m: 1000, ..Tokens::default() }), 0.002);
    assert_eq!(one(Tokens { cache_write_other: 1000, ..Tokens::default() }), 0.002);
    assert_eq!(one(Tokens { cache_write_1h: 1000, ..Tokens::default() }), 0.003);
    assert_eq!(one(Tokens { cache_write_12h: 1000, ..Tokens::default() }), 0.005);
}

#[test]
fn an_explicit_zero_is_a_price() {
    let free = with(r#""cache_read_input_token_cost": 0.0, "cache_creation_input_token_cost": 0"#);
    assert_eq!(usd(&free, tokens(Tokens { cache_read: 1000, cache_write_5m: 1000, cache_write_1h: 1000, ..Tokens::default() })), 0.0);
}

#[test]
fn a_rate_written_as_text_is_a_rate() {
    assert_eq!(usd(r#""input_cost_per_token": "3e-6", "output_cost_per_token": 0"#, input(1000)), 0.003);
}

#[test]
fn above_a_threshold_every_token_has_the_other_rate() {
    let above = with(r#""input_cost_per_token_above_200k_tokens": 2e-06, "output_cost_per_token_above_200k_tokens": 2e-05"#);
    assert_eq!(usd(&above, input(200_000)), 0.2);
    assert_eq!(usd(&above, input(200_001)), 0.400_002);
    assert_eq!(usd(&above, tokens(Tokens { input: 200_001, output: 1000, ..Tokens::default() })), 0.420_002);
}

#[test]
fn a_rate_without_a_threshold_keeps_what_it_was() {
    let above = with(r#""cache_read_input_token_cost": 1e-07, "input_cost_per_token_above_200k_tokens": 2e-06"#);
    assert_eq!(usd(&above, tokens(Tokens { cache_read: 300_000, output: 1000, ..Tokens::default() })), 0.04);
}

#[test]
fn of_several_thresholds_the_highest_that_is_passed_holds() {
    let rates = r#""input_cost_per_token_above_256k_tokens": 4e-06, "input_cost_per_token_above_32k_tokens": 2e-06, "output_cost_per_token_above_32k_tokens": 3e-05"#;
    assert_eq!(usd(&with(rates), input(32_001)), 0.064_002);
    assert_eq!(usd(&with(rates), tokens(Tokens { input: 300_000, output: 1000, ..Tokens::default() })), 1.23);
}

#[test]
fn an_hour_above_a_threshold_has_its_own_rate() {
    let rates = with(
        r#""cache_creation_input_token_cost_above_1hr": 2e-06, "cache_creation_input_token_cost_above_1hr_above_100k_tokens": 4e-06,
           "input_cost_per_token_above_100k_tokens": 3e-06"#,
    );
    assert_eq!(usd(&rates, tokens(Tokens { cache_write_1h: 100_000, ..Tokens::default() })), 0.2);
    assert_eq!(usd(&rates, tokens(Tokens { cache_write_1h: 100_001, ..Tokens::default() })), 0.400_004);
}

#[test]
fn at_xai_a_prompt_of_exactly_the_threshold_is_above_it() {
    let above = with(r#""litellm_provider": "xai", "input_cost_per_token_above_200k_tokens": 2e-06"#);
    assert_eq!(usd(&above, input(199_999)), 0.199_999);
    assert_eq!(usd(&above, input(200_000)), 0.4);
}

#[test]
fn tiered_pricing_takes_one_tier_for_the_whole_request() {
    let tiers = r#""litellm_provider": "dashscope", "tiered_pricing": [
        {"range": [32000, 128000], "input_cost_per_token": 2e-06, "output_cost_per_token": 2e-05, "cache_read_input_token_cost": 1e-07},
        {"range": [0, 32000], "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-05, "output_cost_per_reasoning_token": 4e-05}]"#;
    assert_eq!(usd(tiers, input(32_000)), 0.032);
    assert_eq!(usd(tiers, input(32_001)), 0.064_002);
    assert_eq!(usd(tiers, input(1_000_000)), 2.0, "longer than any tier: the last");
    assert_eq!(
        usd(tiers, tokens(Tokens { cache_read: 1000, cache_write_5m: 1000, ..Tokens::default() })),
        0.002,
        "no rate: its input rate"
    );
    assert_eq!(usd(tiers, tokens(Tokens { cache_read: 40_000, ..Tokens::default() })), 0.004);
    let thinks = Tokens { input: 1, output: 1000, reasoning: 400, ..Tokens::default() };
    assert_eq!(usd(tiers, tokens(thinks)), 1e-06 + 0.006 + 0.016);
    assert_eq!(usd(tiers, tokens(Tokens { input: 40_000, ..thinks })), 0.08 + 0.02, "no rate for reasoning: as output");
}

#[test]
fn service_tiers_have_their_rates_and_else_the_standard_ones() {
    let tiers = with(
        r#""input_cost_per_token_flex": 5e-07, "input_cost_per_token_balanced": 7e-07, "input_cost_per_token_priority": 2e-06,
           "input_cost_per_token_ultrafast": 6e-06, "input_cost_per_token_batches": 1e-09"#,
    );
    let words = ["flex", "balanced", "priority", "fast", "ultrafast", "auto", "default", "standard", "batch"];
    let costs = words.map(|word| usd(&tiers, Bill { tier: ServiceTier::of(word), ..input(1000) }));
    assert_eq!(costs, [0.0005, 0.0007, 0.002, 0.002, 0.006, 0.001, 0.001, 0.001, 0.001]);
    let out = tokens(Tokens { output: 1000, ..Tokens::default() });
    assert_eq!(usd(&tiers, Bill { tier: ServiceTier::Flex, ..out }), 0.01);
}

#[test]
fn a_service_tier_above_a_threshold_has_its_rate_there_and_else_the_standard_one_there() {
    let rates = with(
        r#""input_cost_per_token_priority": 3e-06, "input_cost_per_token_above_272k_tokens": 2e-06, "output_cost_per_token_above_272k_tokens": 2e-05,
           "output_cost_per_token_above_272k_tokens_priority": 4e-05"#,
    );
    let long = Bill { tier: ServiceTier::Priority, ..tokens(Tokens { input: 300_000, output: 1000, ..Tokens::default() }) };
    assert_eq!(usd(&rates, long), 0.6 + 0.04);
}

#[test]
fn some_sellers_have_no_service_tiers() {
    for seller in ["deepseek", "tencent", "xai", "fireworks_ai", "dashscope"] {
        let rates = with(&format!(r#""litellm_provider": "{seller}", "input_cost_per_token_priority": 2e-06"#));
        assert_eq!(usd(&rates, Bill { tier: ServiceTier::Priority, ..input(1000) }), 0.001, "{seller}");
    }
}

#[test]
fn reasoning_has_its_own_rate_where_there_is_one_and_is_never_added() {
    let thinks = tokens(Tokens { output: 1000, reasoning: 400, ..Tokens::default() });
    assert_eq!(usd(PLAIN, thinks), 0.01);
    assert_eq!(usd(&with(r#""output_cost_per_reasoning_token": 3e-05"#), thinks), 0.018);
    let more_than_all = tokens(Tokens { output: 1000, reasoning: 5000, ..Tokens::default() });
    assert_eq!(usd(PLAIN, more_than_all), 0.01);
}

#[test]
fn reasoning_at_a_service_tier_with_its_own_output_rate_is_billed_at_that() {
    let rates = with(r#""output_cost_per_reasoning_token": 3e-05, "output_cost_per_token_flex": 5e-06"#);
    let thinks = tokens(Tokens { output: 1000, reasoning: 400, ..Tokens::default() });
    assert_eq!(usd(&rates, Bill { tier: ServiceTier::Flex, ..thinks }), 0.005);
    assert_eq!(usd(&rates, Bill { tier: ServiceTier::Priority, ..thinks }), 0.018);
}

#[test]
fn fast_and_the_place_multiply_at_anthropic_and_only_where_they_are_said() {
    let claude = with(r#""litellm_provider": "anthropic", "provider_specific_entry": {"us": 1.1, "fast": 2.0}"#);
    let at = |speed, geo| usd(&claude, Bill { speed: Speed::of(speed), geo: Geo::of(geo), ..input(1_000_000) });
    assert_eq!([at("standard", ""), at("fast", ""), at("standard", "us"), at("fast", "us")], [1.0, 2.0, 1.1, 2.2]);
    assert_eq!([at("", "global"), at("", "not_available"), at("", "eu")], [1.0; 3]);
    let slow = with(r#""litellm_provider": "anthropic", "provider_specific_entry": {"us": 1.1}"#);
    assert_eq!(usd(&slow, Bill { speed: Speed::Fast, ..input(1_000_000) }), 1.0);
}

#[test]
fn regions_of_openai_and_vertex_multiply() {
    let openai = with(r#""litellm_provider": "openai", "regional_processing_uplift_multiplier_eu": 1.1"#);
    let at = |fields: &str, geo| usd(fields, Bill { geo: Geo::of(geo), ..input(1_000_000) });
    assert_eq!([at(&openai, ""), at(&openai, "eu"), at(&openai, "us")], [1.0, 1.1, 1.0]);
    let vertex = with(r#""litellm_provider": "vertex_ai-anthropic_models", "regional_endpoint_uplift_multiplier": 1.1"#);
    assert_eq!([at(&vertex, ""), at(&vertex, "global"), at(&vertex, "us-east5"), at(&vertex, "eu")], [1.0, 1.0, 1.1, 1.1]);
}

#[test]
fn searches_cost_each_and_are_not_multiplied() {
    let claude = with(
        r#""litellm_provider": "anthropic", "search_context_cost_per_query": {"search_context_size_medium": 0.01}, "provider_specific_entry": {"fast": 2.0}"#,
    );
    assert_eq!(usd(&claude, Bill { web_searches: 3, speed: Speed::Fast, ..Bill::default() }), 0.03);
    assert_eq!(usd(PLAIN, Bill { web_searches: 3, ..Bill::default() }), 0.0);
}

#[test]
fn gemini_bills_searches_by_prompt_or_by_query() {
    let gemini = |more: &str| with(&format!(r#""litellm_provider": "gemini"{more}"#));
    let three = Bill { web_searches: 3, ..Bill::default() };
    assert_eq!(usd(&gemini(""), three), 0.035);
    let each = r#", "web_search_billing_unit": "per_query", "search_context_cost_per_query": {"search_context_size_medium": 0.014}"#;
    assert_eq!(usd(&gemini(each), three), 0.042);
    assert_eq!(usd(&gemini(each), Bill::default()), 0.0);
}

#[test]
fn fireworks_reads_cost_half_of_input_where_nothing_is_said() {
    let read = tokens(Tokens { cache_read: 1000, ..Tokens::default() });
    assert_eq!(usd(&with(r#""litellm_provider": "fireworks_ai""#), read), 0.0005);
    assert_eq!(usd(&with(r#""litellm_provider": "fireworks_ai", "cache_read_input_token_cost": 1e-07"#), read), 0.0001);
}

/// 2026-11-23 was a Monday.
fn at(time: &str) -> Bill {
    Bill { ts_ms: time.parse::<jiff::Timestamp>().unwrap().as_millisecond(), ..input(1_000_000) }
}

#[test]
fn off_peak_hours_are_read_at_the_time_of_the_request() {
    let night =
        with(r#""off_peak_pricing": {"input_cost_per_token": 5e-07, "hours_utc": ["22:00-02:30", "04:00-06:00", "bad", "25:00-26:00"]}"#);
    let costs =
        ["2026-11-23T21:59:59.999Z", "2026-11-23T22:00:00Z", "2026-11-24T02:29:59Z", "2026-11-24T02:30:00Z", "2026-11-24T05:00:00Z"]
            .map(|time| usd(&night, at(time)));
    assert_eq!(costs, [1.0, 0.5, 0.5, 1.0, 0.5]);
}

#[test]
fn off_peak_days_are_read_on_the_calendar_that_is_named() {
    let block = |zone: &str| {
        with(&format!(
            r#""off_peak_pricing": {{"input_cost_per_token": 5e-07, {zone} "windows": [{{"hours_utc": "00:00-00:00", "weekdays": ["Sat", 7]}}]}}"#
        ))
    };
    // Friday evening in UTC is Saturday in Shanghai.
    let friday = at("2026-11-27T17:00:00Z");
    assert_eq!(usd(&block(""), friday), 1.0);
    assert_eq!(usd(&block(r#""weekday_timezone": "Asia/Shanghai","#), friday), 0.5);
    assert_eq!(usd(&block(""), at("2026-11-29T17:00:00Z")), 0.5);
}

#[test]
fn off_peak_rates_replace_thresholds_and_stand_in_for_missing_cache_rates() {
    let night = with(
        r#""input_cost_per_token_above_200k_tokens": 2e-06, "off_peak_pricing": {"input_cost_per_token": 5e-07, "hours_utc": "00:00-00:00"}"#,
    );
    assert_eq!(usd(&night, input(1_000_000)), 0.5);
    assert_eq!(usd(&night, tokens(Tokens { cache_read: 1_000_000, ..Tokens::default() })), 0.5);
}

#[test]
fn a_users_price_is_per_million_and_replaces_the_entry_whole() {
    let mine = Override { input: 2.0, output: 8.0, cache_write: Some(2.5), web_search: Some(0.5), ..Override::default() };
    let price = mine.price().unwrap();
    let all =
        Tokens { input: 1_000_000, output: 1_000_000, reasoning: 5, cache_read: 1_000_000, cache_write_1h: 1_000_000, ..Tokens::default() };
    let bill = Bill { tier: ServiceTier::Priority, web_searches: 2, ..tokens(all) };
    assert_eq!(price.cost(&bill).total(), Money::of_usd_text("15.5").unwrap());
    for wrong in [f64::NAN, -1.0, f64::INFINITY] {
        assert!(Override { output: wrong, ..Override::default() }.price().unwrap_err().contains("output"));
    }
}

#[test]
fn a_price_that_cannot_be_read_is_unknown_and_not_free() {
    let of = |fields: &str| entry::read("m", &format!("{{{fields}}}"));
    for wrong in ["-1e-06", "true", "\"free\"", "[]", "{}", "1e99"] {
        assert!(of(&format!(r#""input_cost_per_token": {wrong}, "output_cost_per_token": 1e-05"#)).is_none(), "{wrong}");
        assert!(of(&with(&format!(r#""cache_read_input_token_cost_above_200k_tokens": {wrong}"#))).is_none(), "{wrong}");
        let span = format!(r#""tiered_pricing": [{{"range": [0, 1], "input_cost_per_token": {wrong}}}]"#);
        assert!(of(&span).is_none(), "{wrong}");
        let night = format!(r#""off_peak_pricing": {{"hours_utc": "00:00-00:00", "input_cost_per_token": {wrong}}}"#);
        assert!(of(&with(&night)).is_none(), "{wrong}");
    }
    for none in ["", r#""input_cost_per_token": null"#, r#""tiered_pricing": []"#, r#""input_cost_per_second": 1"#] {
        assert!(of(none).is_none(), "{none}");
    }
}

#[test]
fn odd_rules_in_an_entry_are_no_rules() {
    let odd = [
        r#""tiered_pricing": 5"#,
        r#""tiered_pricing": [5, {"range": "x", "input_cost_per_token": 1}, {"range": [0], "input_cost_per_token": 1}]"#,
        r#""off_peak_pricing": []"#,
        r#""off_peak_pricing": {"input_cost_per_token": 1, "hours_utc": 5, "windows": [5, {"hours_utc": "00:00-00:00", "weekdays": "monday"}]}"#,
        r#""off_peak_pricing": {"input_cost_per_token": 1, "windows": {"hours_utc": "00:00-00:00"}}"#,
        r#""input_cost_per_token_above_k_tokens": 1"#,
        r#""input_cost_per_token_above_99999999999999999999k_tokens": 1"#,
        r#""provider_specific_entry": 5, "search_context_cost_per_query": [], "litellm_provider": 5"#,
    ];
    for odd in odd {
        assert_eq!(usd(&with(odd), Bill { web_searches: 1, speed: Speed::Fast, geo: Geo::Us, ..input(1000) }), 0.001, "{odd}");
    }
    let absurd = Tokens { input: u64::MAX, output: u64::MAX, cache_read: u64::MAX, cache_write_1h: u64::MAX, ..Tokens::default() };
    assert!(usd(PLAIN, tokens(absurd)) > 1e8);
}
