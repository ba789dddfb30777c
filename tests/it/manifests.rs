//! The manifests inside the program, all of them: what each says must hold together, and lead to an upstream that answers.

use std::collections::BTreeSet;

use clown::{
    base::{paths::Paths, url},
    manifests::{Manifests, Snapshot},
    providers::{choose_endpoint, choose_model, fits},
    usage::{
        collect::collector,
        pricing::{Overrides, Prices},
    },
    wire::manifest::{self, AuthMode, AuthScheme, ProviderKind},
};

use crate::proxy::{CLIENT_KEY, Cast, Engine, UPSTREAM_KEY, open, read};

/// Those that the tests run for real, and the others.
const TESTED: &[&str] = &["aider", "claude", "codex", "copilot", "droid", "gemini", "grok", "grok-cli", "kimi", "opencode", "pi", "qwen"];
const UNTESTED: &[&str] = &["amp", "antigravity", "auggie", "cline", "crush", "goose", "hermes", "kilo", "openclaw"];

const PROVIDERS: &[&str] = &[
    "aihubmix",
    "anthropic",
    "bailing",
    "byteplus",
    "dashscope",
    "deepseek",
    "fireworks",
    "gemini",
    "groq",
    "huggingface",
    "kimi-coding",
    "litellm",
    "llama-cpp",
    "lm-studio",
    "longcat",
    "mimo",
    "minimax",
    "mistral",
    "modelscope",
    "moonshot",
    "nous",
    "novita",
    "nvidia",
    "offline",
    "ollama",
    "openai",
    "opencode-go",
    "openrouter",
    "ppio",
    "qianfan",
    "self",
    "siliconflow",
    "stepfun",
    "tencent",
    "together",
    "vllm",
    "volcengine",
    "volcengine-plan",
    "xai",
    "zai",
    "zhipu",
];

fn built_in() -> std::sync::Arc<Snapshot> {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = Manifests::new(&Paths::at(dir.path())).snapshot();
    assert_eq!(snapshot.problems, []);
    snapshot
}

fn words<'a>(all: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    all.collect()
}

#[test]
fn every_agent_has_all_that_a_profile_of_it_needs() {
    let snapshot = built_in();
    let (tested, untested): (Vec<_>, Vec<_>) = snapshot.agents.values().partition(|found| found.item.tested.is_some());
    assert_eq!(words(tested.iter().map(|found| found.item.id.as_str())), words(TESTED.iter().copied()));
    assert_eq!(words(untested.iter().map(|found| found.item.id.as_str())), words(UNTESTED.iter().copied()));
    let mut said = BTreeSet::new();
    for agent in snapshot.agents.values().map(|found| &found.item) {
        let id = &agent.id;
        assert!(snapshot.scripts.contains_key(agent.script.as_str()), "{id}: no script {}", agent.script);
        assert!(!agent.install.hint.is_empty() && agent.homepage.is_some(), "{id}: how is it installed?");
        assert!(
            agent.isolation.isolated.iter().any(|own| agent.isolation.config_dir.starts_with(own.as_str())),
            "{id}: its files are bridged"
        );
        assert!(agent.usage.as_deref().is_none_or(|word| collector(word).is_some()), "{id}: nobody reads its usage");
        assert_eq!(agent.auth.contains(&AuthMode::Key), !agent.formats.is_empty(), "{id}: formats are for keys");
        assert!(!agent.auth.contains(&AuthMode::Own) || !agent.login.hint.is_empty(), "{id}: how does one log in?");
        for word in agent.aliases.iter().map(String::as_str).chain([id.as_str()]) {
            assert!(said.insert(word.to_owned()), "{id}: {word} means two agents");
        }
    }
}

#[test]
fn every_provider_can_be_used_by_an_agent_and_sends_keys_over_https() {
    let snapshot = built_in();
    assert_eq!(words(snapshot.providers.keys().map(String::as_str)), words(PROVIDERS.iter().copied()));
    for provider in snapshot.providers.values().map(|found| &found.item) {
        let id = &provider.id;
        let agents: Vec<_> = snapshot.agents.values().map(|found| &found.item).filter(|agent| fits(agent, provider)).collect();
        assert!(!agents.is_empty(), "{id}: no agent can use it");
        let own = provider.kind == ProviderKind::Own;
        assert!(
            own || agents.iter().any(|agent| choose_endpoint(agent, provider, None).unwrap().unwrap().direct),
            "{id}: only by translation"
        );
        for endpoint in &provider.endpoints {
            let base = &endpoint.base_url;
            let local = url::host(base).is_some_and(|host| url::is_loopback(&host));
            assert!(base.starts_with("https://") || local, "{id}: {base}");
            assert!(!base.ends_with('/'), "{id}: {base} is joined with a path");
            assert!(endpoint.auth != AuthScheme::None || local, "{id}: {base} takes no key?");
            assert_eq!(endpoint.region.is_some(), provider.default_region.is_some(), "{id}: {base} has a region or none has");
        }
        if provider.kind != ProviderKind::Remote {
            continue;
        }
        let names = provider.models.iter().map(|model| model.id.as_str()).collect::<BTreeSet<_>>();
        assert_eq!(names.len(), provider.models.len(), "{id}: a model is there twice");
        for name in provider.tiers.values().chain(&provider.default_model) {
            assert!(names.contains(name.as_str()), "{id}: {name} is not among its models");
        }
        let chosen = choose_model(agents[0], provider, None);
        assert_eq!(chosen.is_err(), provider.default_model.is_none(), "{id}: {chosen:?}");
        assert!(
            provider.key_env.as_deref().is_none_or(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'))
        );
        assert!(provider.key_url.as_deref().is_none_or(|page| page.starts_with("https://")), "{id}");
    }
}

#[test]
fn every_model_has_a_price_or_is_said_to_have_none() {
    let prices = Prices::new(None, &Overrides::new()).unwrap();
    let mut wrong = Vec::new();
    for provider in built_in().providers.values().map(|found| &found.item).filter(|p| p.kind == ProviderKind::Remote) {
        for model in &provider.models {
            if prices.find(Some(provider.id.as_str()), &model.id).is_some() != model.priced {
                wrong.push(format!("{} {}: priced = {}", provider.id, model.id, !model.priced));
            }
        }
    }
    assert_eq!(wrong, [] as [String; 0]);
}

/// One engine that knows every endpoint of every provider, led to one upstream that speaks all formats.
#[test]
fn a_proxy_reaches_every_endpoint_by_its_own_path_key_and_quirks() {
    let (snapshot, cast) = (built_in(), Cast::start());
    let (mut list, mut aliases, mut targets) = (String::new(), String::new(), Vec::new());
    for provider in snapshot.providers.values().map(|found| &found.item).filter(|p| p.kind == ProviderKind::Remote) {
        for endpoint in &provider.endpoints {
            let name = format!("t{}", targets.len());
            let (_, own) = endpoint.base_url.split_once("://").unwrap();
            let auth = serde_json::to_value(endpoint.auth).unwrap();
            list += &format!(
                "  - model_name: {name}/text\n    litellm_params: {{model: {name}/text, api_base: 'http://127.0.0.1:{}/host/{own}', \
                 api_key: '${{UPSTREAM_KEY}}', format: {}, auth: {}, quirks: {}}}\n",
                cast.port,
                endpoint.format,
                auth.as_str().unwrap(),
                serde_json::to_string(&provider.quirks).unwrap()
            );
            aliases += &format!("    {name}: {name}/text\n");
            targets.push((name, provider.id.to_string(), endpoint.clone(), own.to_owned()));
        }
    }
    let engine = Engine::with(&format!(
        "server: {{host: 127.0.0.1, port: 0}}\nmodel_list:\n{list}router_settings:\n  routing_strategy: conditional\n  rules:\n    \
         - {{name: default, condition: always, model: t0/text, priority: 0}}\n  model_group_alias:\n{aliases}  cooldown_time: 0\n\
         general_settings:\n  master_key: ${{CLOWN_PROXY_SECRET}}\n"
    ));
    let head = format!("content-type: application/json\r\nauthorization: Bearer {CLIENT_KEY}\r\nanthropic-version: 2023-06-01\r\n");
    for (name, provider, endpoint, own) in targets {
        for (path, body) in [
            ("/v1/messages", r#"{"model":"NAME","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#),
            ("/v1/chat/completions", r#"{"model":"NAME","messages":[{"role":"user","content":"hi"}],"store":false}"#),
            ("/v1/responses", r#"{"model":"NAME","input":"hi"}"#),
        ] {
            let what = format!("{provider} {} {own} asked at {path}", endpoint.format);
            let reply = read(open(&engine.url, "POST", path, &head, body.replace("NAME", &name).as_bytes()));
            assert!(reply.status == 200 && reply.body.contains("Hello"), "{what}: {} {}", reply.status, reply.body);
            let asked = cast.requests();
            assert_eq!(asked.len(), 1, "{what}: {asked:?}");
            let end = match endpoint.format {
                manifest::Format::Anthropic => "/v1/messages",
                manifest::Format::OpenaiResponses => "/responses",
                manifest::Format::OpenaiChat => "/chat/completions",
                manifest::Format::Gemini => "/v1beta/models/text:generateContent",
            };
            assert_eq!(asked[0].path, format!("/host/{own}{end}"), "{what}");
            let shown = match endpoint.auth {
                AuthScheme::Bearer => asked[0].header("authorization").map(str::to_owned) == Some(format!("Bearer {UPSTREAM_KEY}")),
                AuthScheme::XApiKey => asked[0].header("x-api-key") == Some(UPSTREAM_KEY),
                AuthScheme::XGoogApiKey => asked[0].header("x-goog-api-key") == Some(UPSTREAM_KEY),
                AuthScheme::None => !asked[0].holds(UPSTREAM_KEY),
            };
            assert!(shown && !asked[0].holds(CLIENT_KEY), "{what}: {asked:?}");
            for field in provider_drops(&snapshot, &provider) {
                assert!(!asked[0].holds(&format!("\"{field}\"")), "{what}: {field} was to be left out");
            }
        }
    }
}

fn provider_drops(snapshot: &Snapshot, provider: &str) -> Vec<String> {
    let quirks = &snapshot.providers[provider].item.quirks;
    quirks.iter().filter_map(|word| word.strip_prefix("drop:")).map(str::to_owned).collect()
}
