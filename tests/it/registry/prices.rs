//! LiteLLM's prices come with a sync, and are numbers or nothing.

use serde_json::{Value, json};

use super::{
    server::Answer,
    world::{World, put},
};

const PATH: &str = "/prices.json";

fn world() -> World {
    let world = World::synced();
    world.set("registry.prices_url", &format!("{}{PATH}", world.server.url()));
    world
}

/// What LiteLLM published, with what the program holds for all but these.
fn table(changes: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Vec<u8> {
    let mut table = serde_json::Map::new();
    for n in 0..3000 {
        table.insert(
            format!("model-{n}"),
            json!({ "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "litellm_provider": "openai", "mode": "chat" }),
        );
    }
    changes(&mut table);
    serde_json::to_vec(&table).unwrap()
}

fn prices(world: &World) -> Value {
    world.sync()["prices"].clone()
}

#[test]
fn prices_come_with_a_sync_and_hold_at_once() {
    let world = world();
    put(&world.dir.join("prices.json"), &table(|_| {}));
    let first = prices(&world);
    assert_eq!(
        (first["changed"].as_bool(), first["models"].as_u64(), first["refused"].is_null()),
        (Some(true), Some(3000), true),
        "{first}"
    );
    world.server.asked();
    let again = prices(&world);
    assert_eq!((again["changed"].as_bool(), again["models"].as_u64()), (Some(false), Some(3000)));
    let asked: Vec<(String, u16)> = world.server.asked().into_iter().map(|a| (a.path, a.status)).collect();
    assert_eq!(asked, [("/stable/registry.json".to_owned(), 304), (PATH.to_owned(), 304)]);
    let state = world.home.json(&["registry", "inspect"]);
    assert!(state["prices"] == 3000 && state["prices_synced"].is_string(), "{state}");
    // A price that moved far is told, and holds.
    put(&world.dir.join("prices.json"), &table(|t| t["model-7"]["input_cost_per_token"] = json!(5e-5)));
    let moved = prices(&world);
    assert_eq!(moved["moved"], json!([{ "model": "model-7", "field": "input_cost_per_token", "before": 1e-6, "after": 5e-5 }]), "{moved}");
    let out = world.home.clown(&["registry", "sync"]).ok();
    assert!(!out.stderr().contains("model-7"), "told once: {}", out.report());
}

#[test]
fn poisoned_prices_change_nothing() {
    let world = world();
    put(&world.dir.join("prices.json"), &table(|_| {}));
    prices(&world);
    let files = ["litellm-pricing.json", "prices.lock"].map(|name| world.registry().join(name));
    let kept = || files.clone().map(|file| std::fs::read(file).unwrap());
    let before = kept();
    let html = b"<!doctype html><title>Sign in</title>".to_vec();
    let twice = [b"{\"a\":{},".as_slice(), &table(|_| {})[1..table(|_| {}).len() - 1], b",\"a\":{}}"].concat();
    for (body, words) in [
        (html, "no table of prices"),
        (b"{}".to_vec(), "no table of prices"),
        (b"[1,2]".to_vec(), "no table of prices"),
        (b"".to_vec(), "no table of prices"),
        (twice, "no table of prices"),
        (table(|t| t.retain(|name, _| name.ends_with("11"))), "no table of prices"),
        ([table(|_| {}), b"{}".to_vec()].concat(), "no table of prices"),
    ] {
        put(&world.dir.join("prices.json"), &body);
        let refused = prices(&world);
        assert!(refused["refused"].as_str().is_some_and(|why| why.contains(words)), "{refused}");
        assert_eq!(kept(), before);
        let out = world.home.clown(&["registry", "sync"]).ok();
        assert!(out.stderr().contains("the prices stay as they were"), "{}", out.report());
    }
    // Without an end, and not there.
    world.server.behave(|path| if path == PATH { Answer::Endless { most: 1 << 30 } } else { Answer::Honest });
    world.server.sent();
    assert!(prices(&world)["refused"].is_string());
    assert!(world.server.sent() < 40 << 20);
    world
        .server
        .behave(|path| if path == PATH { Answer::Status { code: 404, headers: String::new(), body: Vec::new() } } else { Answer::Honest });
    assert!(prices(&world)["refused"].is_string());
    assert_eq!(kept(), before);
}

#[test]
fn what_is_no_number_is_left_out_and_no_address_is_kept() {
    let world = world();
    let bad = table(|t| {
        t["model-1"]["input_cost_per_token"] = json!(-1.0);
        t["model-2"]["output_cost_per_token"] = json!("free");
        t["model-3"]["input_cost_per_token"] = json!(1e308);
        t["model-4"]["source"] = json!("https://evil.example/x");
        t["model-5"]["api_base"] = json!("https://evil.example/x");
        t.insert("model-6".into(), json!("https://evil.example/x"));
    });
    let text = String::from_utf8(bad)
        .unwrap()
        .replace("\"model-9\":{\"input_cost_per_token\":0.000001", "\"model-9\":{\"input_cost_per_token\":1e999");
    put(&world.dir.join("prices.json"), text.as_bytes());
    let told = prices(&world);
    // 1e999 is no JSON number that anyone can hold, so nothing of that file is used.
    if told["refused"].is_null() {
        assert!(told["left_out"].as_u64().is_some_and(|n| n >= 4), "{told}");
        let kept = std::fs::read_to_string(world.registry().join("litellm-pricing.json")).unwrap();
        assert!(!kept.contains("evil") && !kept.contains("http"), "an address was kept");
    }
    put(&world.dir.join("prices.json"), text.replace("1e999", "0.000001").as_bytes());
    let told = prices(&world);
    assert!(told["refused"].is_null() && told["left_out"].as_u64().is_some_and(|n| n >= 4), "{told}");
    let kept = std::fs::read_to_string(world.registry().join("litellm-pricing.json")).unwrap();
    assert!(!kept.contains("evil") && !kept.contains("http") && kept.contains("\"model-4\""), "an address was kept");
}

#[test]
fn prices_alone_come_without_a_registry() {
    let world = world();
    put(&world.dir.join("prices.json"), &table(|_| {}));
    world.home.clown(&["config", "unset", "registry.url"]).ok();
    let synced = world.sync();
    assert!(synced["prices"]["changed"] == true && synced["notes"][0].as_str().unwrap().contains("registry.url"), "{synced}");
}
