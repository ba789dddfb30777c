//! Profiles side by side: each key goes to its own provider, and the user's own agents are not touched.

use super::{Agent, for_each_agent, has_part_of, new_key, profile_with_key};
use crate::support::{Recorded, TestHome, Upstream, snapshot};

for_each_agent!(two_profiles_at_once_and_the_users_own_agents_stay_apart);

/// In files of the real home that agents read as instructions.
const OWN_WORDS: &str = "WORDS-OF-THE-REAL-HOME";

/// What the three agents keep in a home when they are used without clown.
fn used_by_hand(home: &TestHome) {
    let hijack = r#"{"env":{"ANTHROPIC_BASE_URL":"http://127.0.0.1:9","ANTHROPIC_AUTH_TOKEN":"own"},"model":"own-model"}"#;
    for (path, text) in [
        (".claude/settings.json", hijack),
        (".claude/CLAUDE.md", OWN_WORDS),
        (".claude/.credentials.json", r#"{"claudeAiOauth":{"accessToken":"own"}}"#),
        (".claude.json", r#"{"hasCompletedOnboarding":false,"userID":"own"}"#),
        (".codex/config.toml", "model = \"own-model\"\n"),
        (".codex/AGENTS.md", OWN_WORDS),
        (".codex/auth.json", r#"{"OPENAI_API_KEY":"own"}"#),
        (".config/opencode/opencode.json", r#"{"model":"own/model"}"#),
        (".config/opencode/AGENTS.md", OWN_WORDS),
        (".local/share/opencode/auth.json", r#"{"clown":{"type":"api","key":"own"}}"#),
        (".local/state/opencode/kv.json", "{}"),
        (".cache/opencode/version", "0"),
        (".opencode/own.txt", OWN_WORDS),
    ] {
        home.write(home.home().join(path), text);
    }
}

fn is_model_call(request: &Recorded) -> bool {
    request.method == "POST" && ["/messages", "/responses", "/chat/completions"].iter().any(|end| request.path.ends_with(end))
}

fn two_profiles_at_once_and_the_users_own_agents_stay_apart(agent: &Agent) {
    let home = TestHome::with_agents();
    used_by_hand(&home);
    let upstreams = [Upstream::start(), Upstream::start()];
    let keys = [new_key("one"), new_key("two")];
    profile_with_key(&home, agent, "one", &upstreams[0], &keys[0], &[]);
    home.add_provider("two", &upstreams[1]);
    home.clown(&["profiles", "create", agent.id, "two", "--provider", "two", "--key-ref", "env:KEY_OF_TWO"]).ok();
    let before = snapshot(&home.home(), &home.root());
    assert!(before.len() > 13);

    let outs = std::thread::scope(|scope| {
        let start = |alias: &'static str| {
            let (home, key) = (&home, keys[1].as_str());
            scope.spawn(move || {
                let run = agent.run(home, alias, &format!("[run: echo said-by-{alias} > made-by-{alias}]"));
                (if alias == "two" { run.env("KEY_OF_TWO", key) } else { run }).ok()
            })
        };
        [start("one"), start("two")].map(|thread| thread.join().unwrap())
    });

    for (mine, alias) in ["one", "two"].iter().enumerate() {
        assert!(home.work().join(format!("made-by-{alias}")).exists(), "no tool ran\n{}", outs[mine].report());
        let requests = upstreams[mine].requests();
        let calls: Vec<_> = requests.iter().filter(|r| is_model_call(r)).collect();
        assert!(calls.len() >= 2, "{calls:?}");
        let bearer = format!("Bearer {}", keys[mine]);
        assert!(calls.iter().all(|call| call.header("authorization") == Some(&bearer) && call.header("x-api-key").is_none()));
        assert!(calls.iter().any(|call| call.holds(&format!("said-by-{alias}"))));
        for request in &requests {
            let whole = format!("{request:?} {}", String::from_utf8_lossy(&request.body));
            assert!(!has_part_of(&keys[1 - mine], whole.as_bytes()), "the other profile's key came along: {whole}");
            for foreign in [OWN_WORDS, "own-model", "own/model", &format!("said-by-{}", ["two", "one"][mine])] {
                assert!(!whole.contains(foreign), "{foreign} came along: {whole}");
            }
        }
    }
    let after = snapshot(&home.home(), &home.root());
    let changed: Vec<_> = before.iter().filter(|(path, what)| after.get(*path) != Some(what)).map(|(path, _)| path).collect();
    let added: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(changed.is_empty() && added.is_empty(), "in the real home changed {changed:?}, added {added:?}");
}
