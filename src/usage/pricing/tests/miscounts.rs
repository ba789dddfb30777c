//! Known wrong prices of other trackers. The names in brackets are those of the edge cases they were found with.

use super::*;
use crate::usage::pricing::Money;
use crate::usage::record::Totals;

fn total(model: &str, bill: Bill) -> f64 {
    cost(&built_in(), model, bill).unwrap().total().usd()
}

/// For a million tokens.
fn million(provider: Option<&str>, model: &str) -> Option<f64> {
    let found = built_in().find(provider, model)?;
    // As many small requests: no threshold.
    Some(found.price.cost(&input(1000)).total().usd() * 1000.0)
}

#[test]
fn an_unknown_model_has_no_price_and_the_sum_says_so() {
    for name in ["gpt-5.5-turbo-foo", "claude-sonnet-99", "my-claude-opus-5-5", "gpt-5.5x", "unknown", "<synthetic>"] {
        assert!(million(None, name).is_none(), "{name}");
    }
    let (mut totals, prices) = (Totals::default(), built_in());
    for model in ["gpt-5.5", "gpt-5.5-turbo-foo"] {
        totals.add(&input(1000), cost(&prices, model, input(1000)).map(|cost| cost.total()), false);
    }
    assert_eq!((totals.cost_usd(), totals.partial(), totals.requests), (Some(0.005), true, 2));
}

#[test]
fn a_name_is_not_priced_by_the_longest_likeness() {
    assert_eq!(million(None, "openai/gpt-5.5"), Some(5.0));
    assert_eq!(million(Some("openai"), "gpt-5.5"), Some(5.0));
    assert!(million(None, "deepseek/deepseek-chat").is_some_and(|usd| near(usd, 0.28)));
}

#[test]
fn a_region_of_bedrock_has_its_own_price() {
    assert!(million(None, "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0").is_some_and(|usd| near(usd, 3.3)));
}

#[test]
fn writes_for_an_hour_have_the_rate_of_an_hour() {
    // [C07] Twice the input rate, not 1.25 times.
    let hour = tokens(Tokens { cache_write_1h: 1_000, ..Tokens::default() });
    assert_eq!(total("claude-opus-5-5", hour), 2.0 * total("claude-opus-5-5", input(1_000)));
}

#[test]
fn writes_that_no_split_covers_are_billed_all_the_same() {
    // [C09] 700 of 1000.
    let split = Tokens { cache_write_5m: 100, cache_write_1h: 200, cache_write_other: 700, ..Tokens::default() };
    assert_eq!(total("claude-sonnet-4-5-20250929", tokens(split)), 0.0042);
}

#[test]
fn fast_doubles_where_the_model_has_it_and_only_there() {
    // [C10]
    let fast = |model| total(model, Bill { speed: Speed::Fast, ..input(1000) }) / total(model, input(1000));
    assert_eq!(fast("claude-opus-5-5"), 2.0);
    assert_eq!(fast("claude-opus-4-6"), 1.0);
}

#[test]
fn the_place_and_searches_are_in_the_bill() {
    // [C11] [C12]
    let us = Bill { geo: Geo::Us, ..input(1_000_000) };
    assert!(near(total("claude-opus-5-5", us), 1.1 * total("claude-opus-5-5", input(1_000_000))));
    assert_eq!(total("claude-sonnet-4-5-20250929", Bill { web_searches: 3, ..Bill::default() }), 0.03);
}

#[test]
fn a_threshold_holds_for_the_whole_request_and_for_no_sum() {
    // [C23] [X10] Not for the tokens above it only, and not when two short requests are together above it.
    let one = total("gpt-5.5", input(400_000));
    assert_eq!(one, 400_000.0 * 1e-05);
    assert_eq!(2.0 * total("gpt-5.5", input(200_000)), 2.0);
}

#[test]
fn codexs_fast_is_the_priority_tier() {
    // [X16]
    let fast = Bill { tier: ServiceTier::of("fast"), ..input(1000) };
    assert_eq!(total("gpt-5.5", fast), 2.5 * total("gpt-5.5", input(1000)));
}

#[test]
fn reasoning_is_not_added_to_the_output_it_is_a_part_of() {
    let plain = tokens(Tokens { output: 1000, ..Tokens::default() });
    let thinks = tokens(Tokens { output: 1000, reasoning: 900, ..Tokens::default() });
    for model in ["gpt-5.5", "claude-opus-5-5", "gemini/gemini-2.5-pro"] {
        assert_eq!(total(model, plain), total(model, thinks), "{model}");
    }
}

#[test]
fn new_models_are_priced_and_not_free() {
    assert!(million(None, "claude-opus-5-5").is_some_and(|usd| near(usd, 4.0)));
    assert!(million(None, "claude-haiku-5-5").is_some_and(|usd| near(usd, 0.1)));
}

#[test]
fn the_bill_of_a_session_is_the_same_in_any_order() {
    let prices = built_in();
    let bills: Vec<Money> = (1..500).map(|at| cost(&prices, "claude-haiku-5-5", input(at * 733)).unwrap().total()).collect();
    let up = bills.iter().fold(Money::ZERO, |sum, more| sum + *more);
    let down = bills.iter().rev().fold(Money::ZERO, |sum, more| sum + *more);
    assert_eq!(up, down);
}
