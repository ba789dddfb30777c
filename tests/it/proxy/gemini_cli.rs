//! Gemini CLI through the engine, with upstreams of every format. Pointed at it by hand; with a profile it is in `agents::more`.

use super::{
    Cast, Format, WORD,
    engine::{CLIENT_KEY, Engine, UPSTREAM_KEY},
};
use crate::support::TestHome;

/// Without it the CLI asks how to log in, or looks things up beyond this machine.
pub const SETTINGS: &str = r#"{"security":{"auth":{"selectedType":"gemini-api-key"}},"privacy":{"usageStatisticsEnabled":false},
"general":{"enableAutoUpdate":false,"enableAutoUpdateNotification":false},"telemetry":{"enabled":false}}"#;

#[test]
fn it_uses_a_tool_with_upstreams_of_every_format() {
    let cast = Cast::start();
    for upstream in Format::ALL {
        let engine = Engine::with(&format!(
            "model_list:\n  - model_name: up/agent\n    litellm_params: {{model: up/agent, api_base: '{}', api_key: '${{UPSTREAM_KEY}}', format: {}, auth: {}}}\n\
             router_settings:\n  rules:\n    - {{name: all, condition: always, model: up/agent}}\n\
             general_settings: {{master_key: '${{CLOWN_PROXY_SECRET}}'}}\nclown_settings: {{usage_log: '${{DIR}}/usage.jsonl'}}\n",
            cast.url(upstream),
            upstream.id(),
            upstream.auth()
        ));
        let home = TestHome::with_agents();
        let own = home.root().join("gemini");
        home.write(own.join(".gemini/settings.json"), SETTINGS);
        let out = home
            .program("gemini", &["--skip-trust", "-y", "-m", "gemini-3.8-flash", "-o", "text", "-p", "run it"])
            .env("GEMINI_CLI_HOME", own.to_str().unwrap())
            .env("GEMINI_API_KEY", CLIENT_KEY)
            .env("GOOGLE_GEMINI_BASE_URL", &engine.url)
            .ok();
        assert!(out.stdout().contains(WORD), "{upstream:?}: {}\n{}", out.report(), engine.log());
        let asked = cast.requests();
        assert_eq!(asked.len(), 2, "{upstream:?}: {asked:?}");
        for request in &asked {
            assert!(request.headers.iter().any(|(_, v)| v.contains(UPSTREAM_KEY)), "{upstream:?}");
            assert!(!request.holds(CLIENT_KEY), "{upstream:?}: the client's key reached the upstream");
        }
        assert!(asked[1].holds(WORD), "{upstream:?}: the tool's words did not reach the model");
    }
}
