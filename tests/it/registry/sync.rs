//! What an honest registry brings.

use clown::wire::registry::Kind;

use super::{
    server::FileServer,
    world::{World, draft, put, with},
};

#[test]
fn a_sync_brings_the_channel_s_newest_into_force() {
    let world = World::new();
    assert_ne!(world.name(), "Version 1");
    let synced = world.sync();
    assert_eq!(
        (
            synced["version"].as_u64(),
            synced["channel"].as_str(),
            synced["source"].as_str(),
            synced["new"].as_u64(),
            synced["changed"].as_bool()
        ),
        (Some(1), Some("stable"), Some("network"), Some(3), Some(true))
    );
    assert_eq!(world.name(), "Version 1");
    let found = world.home.json(&["providers", "inspect", "zai"]);
    assert_eq!(found["origin"], "registry");
    // The lock tells all there is to tell.
    let lock: serde_json::Value = serde_json::from_slice(&std::fs::read(world.registry().join("registry.lock")).unwrap()).unwrap();
    for key in ["commit", "channel", "version", "etag", "synced", "checked", "expires", "keys", "artifacts", "url", "root"] {
        assert!(!lock[key].is_null(), "{key} is not in {lock}");
    }
    assert_eq!(lock["keys"].as_array().unwrap().len(), 2);
    assert!(world.registry().join("channels/stable.lock").exists());
    let verified = world.home.json(&["registry", "verify"]);
    assert_eq!((verified["artifacts"].as_u64(), verified["problems"].as_array().map(Vec::len)), (Some(3), Some(0)));
}

#[test]
fn nothing_new_is_one_conditional_request() {
    let world = World::synced();
    let synced = world.sync();
    assert_eq!((synced["changed"].as_bool(), synced["requests"].as_u64(), synced["bytes"].as_u64()), (Some(false), Some(1), Some(0)));
    let asked = world.server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].status == 304 && asked[0].head.contains("if-none-match: \""), "{asked:?}");
}

#[test]
fn one_entry_of_two_hundred_moves_alone() {
    let world = World::new();
    let provider = |n: usize, name: &str| {
        let text = String::from_utf8(draft(1).content["providers/zai.toml"].clone()).unwrap();
        text.replace("id = \"zai\"", &format!("id = \"p{n}\"")).replace("Version 1", name).into_bytes()
    };
    let ids: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
    let make = |version: u64, changed: usize| {
        let content: Vec<_> =
            (0..200).map(|n| (Kind::Provider, ids[n].as_str(), provider(n, if n == changed { "changed" } else { "as before" }))).collect();
        with(version, &content)
    };
    world.write(&make(2, 999));
    assert_eq!(world.sync()["new"], 200);
    world.server.asked();
    let next = make(3, 117);
    world.write(&next);
    let synced = world.sync();
    assert_eq!((synced["new"].as_u64(), synced["kept"].as_u64(), synced["removed"].as_u64()), (Some(1), Some(199), Some(0)));
    let asked: Vec<String> = world.server.asked().into_iter().map(|a| a.path).collect();
    assert_eq!(asked, ["/stable/registry.json", "/stable/registry.json.minisig", "/stable/providers/p117.toml"]);
    assert_eq!(world.home.json(&["providers", "inspect", "p117"])["manifest"]["name"], "changed");
    assert_eq!(world.home.json(&["providers", "inspect", "p116"])["manifest"]["name"], "as before");
}

#[test]
fn a_diff_shows_the_change_and_makes_none() {
    let world = World::synced();
    let before = world.kept();
    world.publish(2);
    let out = world.home.clown(&["registry", "diff"]).ok();
    assert!(
        out.stdout().contains("~ provider zai")
            && out.stdout().contains("-name = \"Version 1\"")
            && out.stdout().contains("+name = \"Version 2\""),
        "{}",
        out.report()
    );
    assert_eq!(world.kept(), before);
    assert_eq!(world.name(), "Version 1");
}

#[test]
fn a_pin_holds_until_it_is_taken_away() {
    let world = World::synced();
    world.publish(2);
    world.sync();
    let first = draft(1).index.commit;
    let state = world.home.json(&["registry", "pin", &first]);
    assert_eq!(state["lock"]["pinned"], first.as_str());
    assert_eq!(world.name(), "Version 1");
    world.publish(3);
    assert_eq!(world.sync()["pinned"], first.as_str());
    assert_eq!(world.name(), "Version 1");
    world.home.clown(&["registry", "pin", "--none"]).ok();
    world.sync();
    assert_eq!(world.name(), "Version 3");
    // One that is not here is fetched; one that nobody published is refused.
    world.home.clown(&["registry", "pin", &draft(2).index.commit]).ok();
    assert_eq!(world.name(), "Version 2");
    world.home.clown(&["registry", "pin", &"9".repeat(40)]).fails(1);
    world.home.clown(&["registry", "pin", "../x"]).fails(1).says("commit");
    assert_eq!(world.name(), "Version 2");
}

#[test]
fn without_network_what_is_here_is_used() {
    let world = World::synced();
    world.set("registry.url", "http://127.0.0.1:9");
    world.home.clown(&["registry", "sync"]).fails(1).says("clown registry sync --offline");
    let synced = world.home.json(&["registry", "sync", "--offline"]);
    assert_eq!((synced["source"].as_str(), synced["artifacts"].as_u64()), (Some("cache"), Some(3)));
    assert_eq!(world.name(), "Version 1");
    // What was changed on disk is noticed.
    std::fs::write(world.registry().join("current/providers/zai.toml"), "schema = 1\n").unwrap();
    world.home.clown(&["registry", "sync", "--offline"]).fails(1).says("providers/zai.toml");
    let out = world.home.clown(&["registry", "verify"]).fails(1);
    assert!(out.stderr().contains("providers/zai.toml"), "{}", out.report());
    // And mended by the next sync.
    world.set("registry.url", &world.server.url());
    world.sync();
    assert_eq!(world.name(), "Version 1");
}

#[test]
fn each_channel_has_its_own_lock() {
    let world = World::synced();
    let mut beta = draft(7);
    beta.index.channel = clown::wire::registry::Channel::Beta;
    let text = serde_json::to_vec_pretty(&beta.index).unwrap();
    for (path, content) in &beta.content {
        put(&world.dir.join("beta").join(path), content);
    }
    put(&world.dir.join("beta/registry.json"), &text);
    let signatures: String = [0, 1].iter().map(|n| super::world::sign(&world.keys[*n], &text)).collect();
    put(&world.dir.join("beta/registry.json.minisig"), signatures.as_bytes());
    let synced = world.home.json(&["registry", "sync", "--channel", "beta"]);
    assert_eq!((synced["channel"].as_str(), world.name().as_str()), (Some("beta"), "Version 7"));
    // Back: stable's own version counts there.
    world.sync();
    assert_eq!(world.name(), "Version 1");
    assert!(world.registry().join("channels/beta.lock").exists() && world.registry().join("channels/stable.lock").exists());
}

#[test]
fn the_environment_may_name_another_registry() {
    let mut world = World::synced();
    let other = world.home.everything().join("other");
    let server = FileServer::http(other.clone());
    world.dir = other;
    world.publish(4);
    world.home.set("CLOWN_REGISTRY_URL", &server.url());
    world.sync();
    assert_eq!(world.name(), "Version 4");
    world.home.set("CLOWN_REGISTRY_CHANNEL", "weekly");
    world.home.clown(&["registry", "sync"]).fails(1).says("stable, beta, nightly");
}

#[test]
fn an_event_tells_of_a_change_and_of_nothing_else() {
    let world = World::synced();
    let events = |world: &World| world.home.events().into_iter().filter(|e| e.topic == "registry/updated").count();
    let before = events(&world);
    world.sync();
    assert_eq!(events(&world), before);
    world.publish(2);
    world.sync();
    assert_eq!(events(&world), before + 1);
}

#[test]
fn eight_syncs_at_once_are_one() {
    let world = World::new();
    let outs: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| world.home.clown(&["registry", "sync"]).ok())).collect();
        runs.into_iter().map(|r| r.join().unwrap()).collect()
    });
    assert_eq!(outs.len(), 8);
    assert_eq!(world.name(), "Version 1");
    let fetched = world.server.asked().into_iter().filter(|a| a.path.ends_with(".toml")).count();
    assert_eq!(fetched, 2, "each entry once");
}

#[test]
fn a_home_without_a_registry_is_told_how_to_have_one() {
    let home = super::TestHome::new();
    home.clown(&["config", "set", "registry.prices_url", "off"]).ok();
    let out = home.clown(&["registry", "sync"]).fails(1);
    assert!(out.stderr().contains("clown config set registry.url"), "{}", out.report());
    let out = home.clown(&["registry", "inspect"]).ok();
    assert!(out.stdout().contains("none"), "{}", out.report());
}

#[test]
fn a_lint_names_each_mistake() {
    let home = super::TestHome::new();
    home.write("w/tree/providers/zai.toml", "schema = 1\nid = \"zia\"\n");
    home.write("w/tree/scripts/x.rhai", "let a = ;");
    home.write("w/tree/agents/notes.txt", "stray");
    home.write("w/tree/templates/claude/Bad Name.toml", "");
    let out = home.clown(&["registry", "lint", "tree"]).fails(1);
    for name in ["zai.toml", "x.rhai", "notes.txt", "Bad Name.toml"] {
        assert!(out.stdout().contains(name), "{name}: {}", out.report());
    }
    let manifests = format!("{}/manifests", env!("CARGO_MANIFEST_DIR"));
    home.clown(&["registry", "lint", &manifests]).ok();
}
