//! Tables from outside: what of them is kept, and which are refused whole.

use std::fmt::Write as _;

use super::*;
use crate::usage::pricing::{MAX_TABLE, check_table};

/// Every model of the table inside the program, and these entries, which win.
fn table(more: &str) -> Vec<u8> {
    let built_in = Table::built_in();
    let own: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&format!("{{{more}}}")).unwrap();
    let mut text = String::from("{");
    for name in built_in.names().filter(|name| !own.contains_key(*name)) {
        write!(text, "{:?}:{},", name, built_in.get(name).unwrap()).unwrap();
    }
    text.push_str(more);
    text.push('}');
    text.replace(",}", "}").into_bytes()
}

fn kept(more: &str) -> (Table, u64) {
    let checked = check_table(&table(more), None).unwrap();
    (Table::of_litellm(&checked.file).unwrap(), checked.left_out)
}

#[test]
fn what_passes_prices_as_before() {
    let checked = check_table(&table(""), None).unwrap();
    let after = Table::of_litellm(&checked.file).unwrap();
    let before = Table::built_in();
    assert!(before.names().eq(after.names()));
    assert_eq!((checked.models, checked.left_out), (before.names().count() as u64, 0));
    assert!(checked.moved.is_empty());
    // All that pricing reads of an entry, in every form it takes.
    for name in before.names() {
        let read = |table: &Table| format!("{:?}", entry::read(name, table.get(name).unwrap()));
        assert_eq!(read(&before), read(&after), "{name}");
    }
    assert_eq!(check_table(&checked.file, None).unwrap().file, checked.file, "what is normal stays as it is");
}

#[test]
fn only_numbers_and_plain_words_are_kept() {
    let (table, left_out) = kept(
        r#""m": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": "1e-06", "output_cost_per_token": 2e-06,
        "source": "https://evil.example", "api_base": "https://evil.example", "metadata": {"input_cost_per_token": "x"},
        "provider_specific_entry": {"us": 1.1, "code": "rm -rf"}, "search_context_cost_per_query": {"search_context_size_low": 0.01, "x": "y"},
        "tiered_pricing": [{"range": [0, 5], "input_cost_per_token": 1e-06, "note": "https://evil.example"}]}"#,
    );
    assert_eq!(left_out, 0);
    assert_eq!(
        table.get("m").unwrap(),
        r#"{"input_cost_per_token":1e-06,"litellm_provider":"openai","output_cost_per_token":2e-06,"provider_specific_entry":{"us":1.1},"search_context_cost_per_query":{"search_context_size_low":0.01},"tiered_pricing":[{"input_cost_per_token":1e-06,"range":[0,5]}]}"#
    );
    let whole = check_table(&super::checking::table(r#""m": {"input_cost_per_token": 1, "x": "https://evil.example"}"#), None).unwrap();
    assert!(!String::from_utf8(whole.file).unwrap().contains("://"));
}

#[test]
fn an_entry_with_a_price_that_is_none_is_left_out_and_counted() {
    for bad in [
        r#""input_cost_per_token": -1e-06"#,
        r#""input_cost_per_token": 1e308"#,
        r#""input_cost_per_token": 1.01"#,
        r#""input_cost_per_token": "NaN""#,
        r#""input_cost_per_token": "Infinity""#,
        r#""input_cost_per_token": "https://evil.example""#,
        r#""input_cost_per_token": true"#,
        r#""input_cost_per_token": [1e-06]"#,
        r#""input_cost_per_token": {"a": 1}"#,
        r#""input_cost_per_token": "1e-06 ; rm""#,
        r#""input_cost_per_token": 1e-06, "cache_read_input_token_cost_above_200k_tokens": -1"#,
        r#""input_cost_per_token": 1e-06, "litellm_provider": "https://evil.example""#,
        r#""input_cost_per_token": 1e-06, "litellm_provider": 5"#,
        r#""input_cost_per_token": 1e-06, "provider_specific_entry": {"us": 1e6}"#,
        r#""input_cost_per_token": 1e-06, "tiered_pricing": [{"range": [0, -5], "input_cost_per_token": 1}]"#,
        r#""input_cost_per_token": 1e-06, "tiered_pricing": "https://evil.example""#,
        r#""input_cost_per_token": 1e-06, "off_peak_pricing": {"hours_utc": "$(reboot)"}"#,
        r#""input_cost_per_token": 1e-06, "off_peak_pricing": {"hours_utc": "00:00-01:00", "input_cost_per_token": 1e300}"#,
        r#""input_cost_per_token": 1e-06, "search_context_cost_per_query": {"search_context_size_medium": 1e9}"#,
    ] {
        let (table, left_out) = kept(&format!("\"m\": {{{bad}}}"));
        assert_eq!((table.get("m"), left_out), (None, 1), "{bad}");
    }
    for name in ["https://evil.example", "a\\u001b[2Jb", "a\\nb", "", "ä"] {
        let (table, left_out) = kept(&format!("\"{name}\": {{\"input_cost_per_token\": 1e-06}}"));
        assert_eq!((table.names().count(), left_out), (Table::built_in().names().count(), 1), "{name}");
    }
}

#[test]
fn what_is_no_table_is_refused_whole() {
    let whole = String::from_utf8(table("")).unwrap();
    let twice = whole.replacen('{', "{\"m\":{},\"m\":{},", 1);
    let inside = whole.replacen('{', "{\"m\":{\"input_cost_per_token\":1,\"input_cost_per_token\":0},", 1);
    let deep = whole.replacen('{', "{\"m\":{\"x\":{\"a\":1,\"\\u0061\":2}},", 1);
    let third: String = whole.split("},").take(1000).map(|e| format!("{e}}},")).collect::<String>().trim_end_matches(',').to_owned() + "}";
    for (bytes, why) in [
        (b"<!DOCTYPE html><html>Not found</html>".to_vec(), "a web page"),
        (Vec::new(), "no JSON"),
        (b"{}".to_vec(), "0 models"),
        (b"[]".to_vec(), "no object of models"),
        (b"{\"a\":NaN}".to_vec(), "no JSON"),
        (b"{\"a\":{\"input_cost_per_token\":1}}".to_vec(), "1 models"),
        (third.into_bytes(), "cannot be right"),
        (twice.into_bytes(), "stands twice"),
        (inside.into_bytes(), "stands twice"),
        (deep.into_bytes(), "stands twice"),
        (format!("{whole} trailing").into_bytes(), "no JSON"),
        (whole.as_bytes()[..whole.len() / 2].to_vec(), "no JSON"),
        ("[".repeat(100_000).into_bytes(), "no JSON"),
        (vec![b' '; MAX_TABLE + 1], "larger than"),
    ] {
        let said = check_table(&bytes, None).unwrap_err();
        assert!(said.contains(why), "{said:?} does not say {why:?}");
    }
}

#[test]
fn prices_that_moved_far_are_named_the_largest_first() {
    let before = Table::of_litellm(&table(
        r#""m": {"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-05, "cache_read_input_token_cost": 1e-07}, "n": {"input_cost_per_token": 1e-06}"#,
    ))
    .unwrap();
    let now = table(
        r#""m": {"input_cost_per_token": 1.1e-05, "output_cost_per_token": 1e-04, "cache_read_input_token_cost": 1e-09}, "n": {"input_cost_per_token": 0}"#,
    );
    let moved = check_table(&now, Some(&before)).unwrap().moved;
    let told: Vec<_> = moved.iter().map(|m| (m.model.as_str(), m.field.as_str(), m.before, m.after)).collect();
    assert_eq!(
        told,
        [
            ("n", "input_cost_per_token", 1e-06, 0.0),
            ("m", "cache_read_input_token_cost", 1e-07, 1e-09),
            ("m", "input_cost_per_token", 1e-06, 1.1e-05),
        ]
    );
}
