//! Agents with a provider that speaks another way: the proxy is there by itself, and all works.

use super::{Agent, for_each_agent, new_key};
use crate::{
    proxy::{Cast, Format, WORD},
    support::{TestHome, Upstream},
};

for_each_agent!(uses_a_tool_through_a_proxy_and_never_has_the_key, uses_a_tool_with_upstreams_of_every_format);

fn uses_a_tool_with_upstreams_of_every_format(agent: &Agent) {
    let (home, cast, key) = (TestHome::with_agents(), Cast::start(), new_key("formats"));
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    for format in Format::ALL {
        let word = format.word();
        let endpoint =
            format!("[[endpoints]]\nformat = \"{}\"\nbase_url = \"{}\"\nauth = \"{}\"\n", format.id(), cast.url(format), format.auth());
        let manifest = format!("schema = 1\nid = \"{word}\"\nname = \"{word}\"\nany_model = true\ndefault_model = \"agent\"\n{endpoint}");
        home.write(home.root().join(format!("providers.d/{word}.toml")), &manifest);
        let create = ["profiles", "create", agent.id, word, "--provider", word, "--api-key-stdin", "--proxy"];
        home.clown(&create).stdin(key.as_bytes()).ok();
        let out = agent.run(&home, word, "run it").ok();
        let report = || format!("{} with {word}: {}", agent.id, out.report());
        assert!(out.stdout().contains(WORD), "{}", report());
        assert!(!super::has_part_of(&key, &std::fs::read(home.work().join("seen")).unwrap()), "{}", report());
        let asked = cast.requests();
        // Titles and other side calls come beside the two turns.
        let turns: Vec<_> = asked.iter().filter(|r| r.holds("run it")).collect();
        assert!(turns.len() >= 2, "{}: {asked:?}", report());
        assert!(turns.iter().any(|r| r.holds("call_agent1") && r.holds(WORD)), "the tool's words did not reach the model: {}", report());
        let sent = if format.auth() == "bearer" { format!("Bearer {key}") } else { key.clone() };
        let header = if format.auth() == "bearer" { "authorization" } else { format.auth() };
        assert!(asked.iter().all(|r| r.header(header) == Some(&sent)), "{}: {asked:?}", report());
    }
}

fn uses_a_tool_through_a_proxy_and_never_has_the_key(agent: &Agent) {
    let (home, upstream, key) = (TestHome::with_agents(), Upstream::start(), new_key("proxied"));
    // OpenCode speaks all of them, so for it a proxy is a wish.
    let more: &[&str] = if agent.id == "opencode" { &["--proxy"] } else { &[] };
    let endpoint = format!("[[endpoints]]\nformat = \"openai-chat\"\nbase_url = \"{}\"\nauth = \"bearer\"\n", upstream.url("openai-chat"));
    let manifest = format!("schema = 1\nid = \"chatty\"\nname = \"Chatty\"\nany_model = true\ndefault_model = \"test-model\"\n{endpoint}");
    home.write(home.root().join("providers.d/chatty.toml"), &manifest);
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let create = ["profiles", "create", agent.id, "p", "--provider", "chatty", "--api-key-stdin"];
    let made = home.clown(&[&create, more].concat()).stdin(key.as_bytes()).ok();
    assert_eq!(made.stderr().contains("the proxy is switched on"), more.is_empty(), "{}", made.report());

    let out = agent.run(&home, "p", "[run: env > seen; printf 'to%s' ld]").ok();
    assert!(out.stdout().contains("offline: the tool said:") && out.stdout().contains("told"), "{}", out.report());
    let seen = std::fs::read(home.work().join("seen")).unwrap();
    assert!(!super::has_part_of(&key, &seen));
    let asked = upstream.requests();
    assert!(asked.len() >= 2 && asked.iter().all(|r| r.path == "/v1/chat/completions"), "{asked:?}");
    assert!(asked.iter().all(|r| r.header("authorization") == Some(&format!("Bearer {key}"))));
    let kept = home.files_with(home.everything(), key.as_bytes());
    assert_eq!(kept, [home.root().join("secrets/keys.json")]);
}
