//! Which entry a name means, in the table inside the program, and which prices are in force.

use super::*;
use crate::usage::pricing::Override;

fn found(provider: Option<&str>, model: &str) -> Option<(String, String)> {
    built_in().find(provider, model).map(|found| (found.matched.key.clone(), found.matched.kind.to_string()))
}

fn is(provider: Option<&str>, model: &str, key: &str, kind: &str) {
    assert_eq!(found(provider, model), Some((key.to_owned(), kind.to_owned())), "{provider:?} {model}");
}

#[test]
fn the_provider_is_asked_first_then_the_name_alone() {
    is(None, "claude-opus-5-5", "claude-opus-5-5", "exact");
    is(Some("anthropic"), "claude-opus-5-5", "claude-opus-5-5", "exact");
    is(Some("deepseek"), "deepseek-chat", "deepseek/deepseek-chat", "provider");
    is(Some("moonshotai"), "kimi-k2.5", "moonshot/kimi-k2.5", "provider");
    is(Some("google"), "gemini-2.5-pro", "gemini/gemini-2.5-pro", "provider");
}

#[test]
fn other_spellings_are_told_as_such() {
    is(None, "claude-sonnet-4-5-20250929[1m]", "claude-sonnet-4-5-20250929", "context");
    is(None, "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "prefix+dots");
    is(Some("openrouter"), "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "prefix+dots");
    is(None, "claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929", "at-date");
    is(None, "claude-opus-5-5-20991231", "claude-opus-5-5", "date");
    is(None, "claude-sonnet-4-5-thinking", "claude-sonnet-4-5", "thinking");
    let bedrock = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    is(Some("bedrock"), bedrock, bedrock, "exact");
    is(None, &format!("bedrock/{bedrock}"), bedrock, "prefix");
    is(None, &format!("arn:aws:bedrock:us-east-1:1:inference-profile/{bedrock}"), bedrock, "arn");
}

#[test]
fn a_known_model_without_a_price_is_unpriced_and_not_looked_for_under_another_name() {
    let table = Table::of_litellm(br#"{"chatgpt/m": {"litellm_provider": "chatgpt"}, "m": {"input_cost_per_token": 1}}"#).unwrap();
    assert!(table.get("chatgpt/m").is_some());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("prices.json");
    std::fs::write(&file, r#"{"chatgpt/m": {"litellm_provider": "chatgpt"}, "m": {"input_cost_per_token": 1}}"#).unwrap();
    let prices = Prices::new(Some(&file), &Overrides::new()).unwrap();
    assert!(prices.find(Some("chatgpt"), "m").is_none());
    assert!(prices.find(None, "m").is_some());
}

#[test]
fn rules_for_guessing_and_the_sample_are_no_models() {
    for name in ["sample_spec", "fallback_generalizations", ""] {
        assert_eq!(found(None, name), None, "{name}");
    }
}

#[test]
fn the_users_price_comes_first_by_any_spelling() {
    let mine = Override { input: 1.0, output: 2.0, ..Override::default() };
    let of = |name: &str| Overrides::from([(name.to_owned(), mine.clone())]);
    let key = |overrides: &Overrides, provider, model| {
        Prices::new(None, overrides).unwrap().find(provider, model).map(|found| found.matched.clone())
    };
    let matched = key(&of("gpt-5.5"), Some("openai"), "gpt-5.5").unwrap();
    assert_eq!((matched.key.as_str(), matched.kind.to_string().as_str()), ("gpt-5.5", "override"));
    assert_eq!(key(&of("openai/gpt-5.5"), Some("openai"), "gpt-5.5").unwrap().key, "openai/gpt-5.5");
    assert_eq!(key(&of("my-own"), None, "my-own-20250101").unwrap().key, "my-own");
    assert_eq!(key(&of("openai/gpt-5.5"), None, "gpt-5.5").unwrap().kind.to_string(), "exact");
}

#[test]
fn a_users_price_that_is_none_is_an_error_that_names_it() {
    let wrong = Overrides::from([("m".to_owned(), Override { input: -1.0, ..Override::default() })]);
    let err = Prices::new(None, &wrong).err().unwrap();
    assert_eq!(err, r#"usage.prices."m": input = -1 is no price"#);
}

#[test]
fn overrides_read_from_toml_and_refuse_unknown_fields() {
    let read = |text: &str| toml::from_str::<Overrides>(text);
    let own = read("[\"my.model\"]\ninput = 1.25\noutput = 10.0\ncache_read = 0.125\n").unwrap();
    assert_eq!(own["my.model"], Override { input: 1.25, output: 10.0, cache_read: Some(0.125), ..Override::default() });
    assert!(read("[m]\ninput = 1.0\n").is_err());
    assert!(read("[m]\ninput = 1.0\noutput = 1.0\noutptu = 1.0\n").is_err());
}

#[test]
fn a_table_on_disk_is_used_in_place_of_the_one_inside() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("litellm-pricing.json");
    let prices = Prices::new(Some(&file), &Overrides::new()).unwrap();
    assert_eq!((prices.hash(), prices.problem()), (built_in().hash(), None), "no file: the one inside");
    std::fs::write(&file, r#"{"new": {"input_cost_per_token": 1e-06, "output_cost_per_token": 0}}"#).unwrap();
    let prices = Prices::new(Some(&file), &Overrides::new()).unwrap();
    assert_eq!(cost(&prices, "new", input(1000)).unwrap().total().usd(), 0.001);
    assert!(prices.find(None, "gpt-5.5").is_none());
    assert_ne!(prices.hash(), built_in().hash());
}

#[test]
fn a_broken_table_on_disk_is_told_and_the_one_inside_used() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("litellm-pricing.json");
    for broken in ["", "{\"m\": {\"input_cost", "[]", "<html>"] {
        std::fs::write(&file, broken).unwrap();
        let prices = Prices::new(Some(&file), &Overrides::new()).unwrap();
        assert!(prices.find(None, "gpt-5.5").is_some(), "{broken}");
        assert!(prices.problem().is_some_and(|problem| problem.contains("litellm-pricing.json")), "{broken}");
    }
}

#[test]
fn the_hash_is_of_all_prices_in_force() {
    let own = |input| Overrides::from([("m".to_owned(), Override { input, output: 1.0, ..Override::default() })]);
    let hash = |overrides: &Overrides| Prices::new(None, overrides).unwrap().hash();
    assert_eq!(hash(&own(1.0)), hash(&own(1.0)));
    assert_ne!(hash(&own(1.0)), hash(&own(2.0)));
    assert_ne!(hash(&own(1.0)), hash(&Overrides::new()));
}

#[test]
fn any_number_of_odd_names_is_answered_and_few_are_remembered() {
    let prices = built_in();
    for at in 0..3000 {
        assert!(prices.find(None, &format!("no-such-model-{at}")).is_none());
    }
    for odd in
        ["/", "//", "arn:", "@", "@20250929", "[1m]", "-thinking", "anthropic/", "us.", "claude-", "claude-.5", "é-20250929", "claude-é.5"]
    {
        assert!(prices.find(Some(odd), odd).is_none(), "{odd}");
        assert!(prices.find(None, odd).is_none(), "{odd}");
    }
    assert!(prices.find(None, "gpt-5.5").is_some());
}
