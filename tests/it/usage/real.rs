//! Real agents against an upstream that keeps its own bill: what clown counts is that bill, request for request.
//!
//! What an agent asks and writes down nowhere only a proxy sees. Of the pinned agents, without a terminal, that is OpenCode's title of
//! each session; Claude Code, Codex and Gemini CLI write down every request.

use serde_json::Value;

use crate::{
    agents::{Agent, for_each_agent, new_key},
    proxy::{Cast, Format, Served, Usage},
    support::TestHome,
};

for_each_agent!(
    an_agent_s_logs_are_the_upstream_s_bill,
    with_a_proxy_every_request_is_on_the_bill_once,
    a_translating_proxy_s_bill_is_the_upstream_s
);

/// OpenCode's own words.
const TITLE: &str = "You are a title generator";

/// What one request is on either side: model, what no cache had a part in, read, written, output, reasoning.
type One = (String, u64, u64, u64, u64, u64);

struct Scene {
    home: TestHome,
    cast: Cast,
    agent: &'static str,
    model: &'static str,
}

/// The format an agent speaks by itself, and models with a price that are so named everywhere.
fn native(agent: &Agent) -> (Format, &'static str) {
    match agent.id {
        "claude" => (Format::Anthropic, "claude-opus-5-5"),
        "codex" => (Format::Responses, "gpt-5.5"),
        _ => (Format::Anthropic, "claude-haiku-5-5"),
    }
}

impl Scene {
    fn new(agent: &Agent, format: Format, proxy: &[&str]) -> Self {
        let (home, cast, key) = (TestHome::with_agents(), Cast::metered(), new_key("billed"));
        let model = native(agent).1;
        home.clown(&["config", "set", "secrets.backend", "file"]).ok();
        let endpoint =
            format!("[[endpoints]]\nformat = \"{}\"\nbase_url = \"{}\"\nauth = \"{}\"\n", format.id(), cast.url(format), format.auth());
        let manifest = format!("schema = 1\nid = \"up\"\nname = \"up\"\nany_model = true\ndefault_model = \"{model}\"\n{endpoint}");
        home.write(home.root().join("providers.d/up.toml"), &manifest);
        let create = ["profiles", "create", agent.id, "p", "--provider", "up", "--api-key-stdin"];
        home.clown(&[&create, proxy].concat()).stdin(key.as_bytes()).ok();
        Self { home, cast, agent: agent.id, model }
    }

    /// A tool call, the same session resumed, and work for a sub-agent where the agent has one without a terminal.
    fn use_it(&self, agent: &Agent) {
        let run = |args: &[&str]| self.home.clown(&[&["run", "p"], args].concat()).ok();
        run(&[agent.ask, &["run it"]].concat());
        let resumed: &[&str] = match agent.id {
            "claude" => &["--allowedTools", "Bash", "-c", "-p"],
            "codex" => &["exec", "--skip-git-repo-check", "-s", "danger-full-access", "resume", "--last"],
            _ => &["run", "-c"],
        };
        run(&[resumed, &["and again"]].concat());
        if agent.id != "codex" {
            run(&[agent.ask, &["delegate it"]].concat());
        }
        let served = self.cast.bill();
        assert!(served.iter().any(|one| one.asked.holds("and again") && one.asked.holds("told-4711")), "the session was not resumed");
        if agent.id != "codex" {
            // The sub-agent's own requests do not have the user's words.
            let own = |one: &&Served| !one.asked.holds("delegate it") && !one.asked.holds("and again");
            assert!(served.iter().skip(3).filter(own).count() >= 2, "no sub-agent asked: {served:?}");
        }
    }

    /// The upstream's bill, without what `left_out` says.
    fn billed(&self, left_out: impl Fn(&Served) -> bool) -> Vec<One> {
        let of = |served: Served| {
            let Usage { input, cache_read, cache_write, output, reasoning } = served.usage;
            (served.model, input, cache_read, cache_write, output, reasoning)
        };
        let mut all: Vec<One> = self.cast.bill().into_iter().filter(|served| !left_out(served)).map(of).collect();
        all.sort();
        all
    }

    /// Clown's requests one by one.
    fn counted(&self) -> Vec<One> {
        let mut all: Vec<One> = self
            .export()
            .iter()
            .map(|request| {
                let [input, read, five, hour, other, output, reasoning] =
                    ["input", "cache_read", "cache_write_5m", "cache_write_1h", "cache_write_other", "output", "reasoning"]
                        .map(|name| request[format!("{name}_tokens")].as_u64().unwrap_or(0));
                (request["model"].as_str().unwrap().to_owned(), input, read, five + hour + other, output, reasoning)
            })
            .collect();
        all.sort();
        all
    }

    fn export(&self) -> Vec<Value> {
        self.home.json(&["usage", "export"]).as_array().unwrap().clone()
    }

    /// Every table adds up to these, and nothing stands in one that is not in the others.
    fn adds_up_to(&self, all: &[One]) {
        let total: u64 = all.iter().map(|(_, input, read, write, output, _)| input + read + write + output).sum();
        for (table, name, value) in [("models", "model", self.model), ("profiles", "profile", "p"), ("agents", "agent", self.agent)] {
            let page = self.home.json(&["usage", table]);
            let lines = page["lines"].as_array().unwrap();
            assert_eq!(lines.len(), 1, "{page}");
            assert_eq!(lines[0][name], value, "{page}");
            for sums in [&lines[0], &page["totals"]] {
                assert_eq!((sums["requests"].as_u64(), sums["total_tokens"].as_u64()), (Some(all.len() as u64), Some(total)), "{table}");
                assert!(sums["cost_usd"].as_f64().unwrap() > 0.0 && sums["partial"] == false, "{page}");
            }
        }
    }
}

fn an_agent_s_logs_are_the_upstream_s_bill(agent: &Agent) {
    let scene = Scene::new(agent, native(agent).0, &[]);
    scene.use_it(agent);
    // One title for each of the two sessions that are not a sub-agent's.
    let titles = scene.cast.bill().iter().filter(|served| served.asked.holds(TITLE)).count();
    assert_eq!(titles, if agent.id == "opencode" { 2 } else { 0 });
    let expected = scene.billed(|served| served.asked.holds(TITLE));
    assert!(expected.len() >= 3);
    assert_eq!(scene.counted(), expected);
    scene.adds_up_to(&expected);
    let served = scene.home.json(&["usage", "models", "--provider", "up"]);
    assert_eq!(served["totals"]["requests"].as_u64(), Some(expected.len() as u64), "by the name of the profile's provider");
    if agent.id == "claude" {
        claude_s_own_bill_agrees(&scene, expected.len());
    }
}

/// It stands at the end of each session, in tokens and in dollars.
fn claude_s_own_bill_agrees(scene: &Scene, requests: usize) {
    let reconciled = scene.home.json(&["usage", "reconcile", "--all"]);
    assert_eq!((reconciled["compared"].as_u64(), reconciled["equal"].as_u64()), (Some(2), Some(2)), "{reconciled}");
    let bills = reconciled["bills"].as_array().unwrap();
    let ours: u64 = bills.iter().map(|bill| bill["ours"]["requests"].as_u64().unwrap()).sum();
    assert_eq!(ours, requests as u64);
    for bill in bills {
        assert!(bill["theirs"]["cost_usd"].as_f64().unwrap() > 0.0 && bill["difference_tokens"] == 0, "{bill}");
    }
    crate::support::wait_until("the runs' own records", || scene.home.sessions().iter().all(|session| session["usage"].is_object()));
    for session in scene.home.sessions() {
        let off = session["usage"]["difference_usd"].as_f64().unwrap_or_else(|| panic!("no comparison: {session}"));
        assert!(off.abs() < 1e-9, "{session}");
    }
}

fn with_a_proxy_every_request_is_on_the_bill_once(agent: &Agent) {
    counts_all_through_a_proxy(agent, native(agent).0);
}

fn a_translating_proxy_s_bill_is_the_upstream_s(agent: &Agent) {
    let other = if agent.id == "codex" { Format::Anthropic } else { Format::Chat };
    counts_all_through_a_proxy(agent, other);
}

fn counts_all_through_a_proxy(agent: &Agent, format: Format) {
    let scene = Scene::new(agent, format, &["--proxy"]);
    scene.use_it(agent);
    let all = scene.billed(|_| false);
    assert_eq!(scene.counted(), all);
    scene.adds_up_to(&all);
    let only_the_proxy = scene.export().iter().filter(|request| request["key"].as_str().unwrap().starts_with("proxy:")).count();
    assert_eq!(only_the_proxy, if agent.id == "opencode" { 2 } else { 0 });
    crate::support::wait_until("the runs' own records", || scene.home.sessions().iter().all(|session| session["usage"].is_object()));
    let sessions = scene.home.sessions();
    let of = |session: &Value| session["usage"]["requests"].as_u64().unwrap();
    assert_eq!(sessions.iter().map(of).sum::<u64>(), all.len() as u64, "{sessions:?}");
    let seen_by_proxy = sessions.iter().filter(|session| session["usage"]["source"] == "log+proxy").count();
    assert_eq!(seen_by_proxy, only_the_proxy, "the first run and the third have a title");
}

/// Used without clown, so its logs are those of the user's own home.
#[test]
fn gemini_cli_s_logs_are_the_upstream_s_bill() {
    let (home, cast) = (TestHome::with_agents(), Cast::metered());
    home.write("h/.gemini/settings.json", crate::proxy::GEMINI_SETTINGS);
    for _ in 0..2 {
        home.program("gemini", &["--skip-trust", "-y", "-m", "gemini-2.5-pro", "-o", "text", "-p", "run it"])
            .env("GEMINI_API_KEY", "k")
            .env("GOOGLE_GEMINI_BASE_URL", &cast.url(Format::Gemini))
            .ok();
    }
    let scene = Scene { home, cast, agent: "gemini", model: "gemini-2.5-pro" };
    // The vendor does not tell what was written to a cache.
    let of = |(model, input, read, write, output, reasoning): One| (model, input + write, read, 0, output, reasoning);
    let mut expected: Vec<One> = scene.billed(|_| false).into_iter().map(of).collect();
    expected.sort();
    assert_eq!((expected.len(), scene.counted()), (4, expected.clone()));
    assert_eq!(scene.home.json(&["usage", "agents"])["totals"]["requests"], 4);
}
