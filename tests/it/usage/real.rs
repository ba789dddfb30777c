//! dump

use crate::{agents::{Agent, CLAUDE, CODEX, OPENCODE, new_key}, proxy::{Cast, Format}, support::TestHome};

fn dump(agent: &Agent, format: Format, proxy: bool) {
    let (home, cast, key) = (TestHome::with_agents(), Cast::metered(), new_key("metered"));
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let endpoint = format!("[[endpoints]]\nformat = \"{}\"\nbase_url = \"{}\"\nauth = \"{}\"\n", format.id(), cast.url(format), format.auth());
    let manifest = format!("schema = 1\nid = \"up\"\nname = \"up\"\nany_model = true\ndefault_model = \"agent\"\n{endpoint}");
    home.write(home.root().join("providers.d/up.toml"), &manifest);
    let mut create = vec!["profiles", "create", agent.id, "p", "--provider", "up", "--api-key-stdin"];
    if proxy { create.push("--proxy"); }
    home.clown(&create).stdin(key.as_bytes()).ok();
    let start = std::time::Instant::now();
    let out = agent.run(&home, "p", "run it").ok();
    eprintln!("=== {} {:?} proxy={} {:?}\n{}", agent.id, format, proxy, start.elapsed(), out.stdout());
    let out = agent.run(&home, "p", "delegate it").ok();
    eprintln!("{}", out.stdout());
    for s in cast.bill() { eprintln!("{s:?}"); }
    eprintln!("{}", home.clown(&["usage", "export", "--format", "ndjson"]).ok().stdout());
    for r in cast.requests() { eprintln!("{} {} {}", r.path, r.body.len(), String::from_utf8_lossy(&r.body).chars().take(150).collect::<String>()); }
    eprintln!("{}", std::fs::read_to_string(home.profile_home(agent.id, "p").join(".ultrallm/usage.jsonl")).unwrap_or_default());
    eprintln!("{}", home.clown(&["usage", "reconcile", "--all"]).ok().stdout());
    if let Ok(to) = std::env::var("KEEP") { let _ = std::process::Command::new("cp").args(["-r", home.profile_home(agent.id, "p").to_str().unwrap(), &format!("{to}/{}-{:?}-{proxy}", agent.id, format)]).status(); }
    panic!();
}

#[test] fn d1() { dump(&CLAUDE, Format::Anthropic, false) }
#[test] fn d2() { dump(&CLAUDE, Format::Anthropic, true) }
#[test] fn d3() { dump(&CODEX, Format::Responses, false) }
#[test] fn d4() { dump(&CODEX, Format::Responses, true) }
#[test] fn d5() { dump(&OPENCODE, Format::Chat, false) }
#[test] fn d6() { dump(&OPENCODE, Format::Chat, true) }
#[test] fn d7() { dump(&OPENCODE, Format::Anthropic, true) }
