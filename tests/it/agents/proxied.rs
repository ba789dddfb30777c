//! Agents with a provider that speaks another way: the proxy is there by itself, and all works.

use super::{Agent, for_each_agent, new_key};
use crate::support::{TestHome, Upstream};

for_each_agent!(uses_a_tool_through_a_proxy_and_never_has_the_key);

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
