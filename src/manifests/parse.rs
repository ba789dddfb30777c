//! One manifest text to one manifest, or to a problem that names the place.

use serde::de::DeserializeOwned;

use crate::base::{env_names::place_name_allowed, url};
use crate::wire::{
    manifest::{AgentManifest, Catalogue, Problem, ProviderKind, ProviderManifest, SCHEMA, Step, Task},
    scripts::FileFormat,
    templates::Template,
};

const ONE_LINE: &str = "needs lines of at most 300 bytes";

fn one_line(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control) && text.len() <= 300
}

/// As a path: the profile home itself.
const HOME: &str = ".";

pub(crate) fn agent(file: &str, stem: &str, text: &str) -> Result<AgentManifest, Problem> {
    let manifest: AgentManifest = read(file, text)?;
    check_head(file, stem, manifest.schema, ("id", manifest.id.as_str()))?;
    let isolation = &manifest.isolation;
    let bad = |key: &str, message: String| problem(file, text, Some(key), message);
    if manifest.binaries.is_empty() || manifest.binaries.iter().any(|b| b.is_empty() || b.contains(['/', '\\'])) {
        return Err(bad("binaries", "needs plain program names".into()));
    }
    if !manifest.caveats.iter().all(|text| one_line(text)) {
        return Err(bad("caveats", ONE_LINE.into()));
    }
    if manifest.formats.is_empty() && manifest.auth.contains(&crate::wire::manifest::AuthMode::Key) {
        return Err(bad("formats", "an agent that takes keys must speak a format".into()));
    }
    if !isolation.modes.contains(&isolation.default) {
        return Err(bad("isolation.default", "is not among isolation.modes".into()));
    }
    if let Some(name) = isolation.env.keys().chain(isolation.shared.keys()).find(|name| !place_name_allowed(name)) {
        return Err(bad("isolation.env", format!("{name:?} is no variable that a manifest may set")));
    }
    let paths = isolation.isolated.iter().chain(&isolation.hidden).chain(&isolation.dirs).chain([&isolation.config_dir]);
    let paths = paths.chain(isolation.env.values().filter(|path| *path != HOME)).chain(isolation.shared.values());
    let files = &manifest.files;
    let named = files.settings.iter().chain(files.parts.keys()).chain(&files.history).chain(&files.databases).chain(&files.transcript);
    let paths = paths.chain(manifest.agent_hooks.as_ref().map(|hooks| &hooks.file)).chain(named);
    if manifest.agent_hooks.as_ref().is_some_and(|hooks| hooks.format == FileFormat::Text) {
        return Err(bad("agent_hooks.format", "is json or toml".into()));
    }
    for (when, steps) in manifest.hooks.all() {
        if steps.len() > MAX_STEPS || steps.iter().any(|step| !command(&step.run, step.timeout_ms, Step::MOST_MS)) {
            let most = Step::MOST_MS;
            return Err(bad("hooks", format!("{when} has at most {MAX_STEPS} steps, each with a program and 1 to {most} ms")));
        }
    }
    for (name, task) in &manifest.setup {
        if !command(&task.run, task.timeout_ms, Task::MOST_MS) {
            return Err(bad("setup", format!("{name:?} needs a program, and 1 to {} ms", Task::MOST_MS)));
        }
    }
    for path in paths {
        if !relative(path) {
            return Err(bad("isolation", format!("{path:?} is not a path inside a home")));
        }
    }
    Ok(manifest)
}

/// Of one event; with their time limits they stay below the time a client waits for a reply.
const MAX_STEPS: usize = 8;

fn command(run: &[String], timeout_ms: u64, most: u64) -> bool {
    let whole = run.first().is_some_and(|program| !program.is_empty()) && !run.iter().any(|word| word.contains('\0'));
    whole && (1..=most).contains(&timeout_ms)
}

pub(crate) fn provider(file: &str, stem: &str, text: &str) -> Result<ProviderManifest, Problem> {
    let manifest: ProviderManifest = read(file, text)?;
    check_head(file, stem, manifest.schema, ("id", manifest.id.as_str()))?;
    let bad = |key: &str, message: String| problem(file, text, Some(key), message);
    if !manifest.caveats.iter().chain(&manifest.evidence).all(|text| one_line(text)) {
        return Err(bad("caveats", ONE_LINE.into()));
    }
    if manifest.kind == ProviderKind::Remote && manifest.endpoints.is_empty() {
        return Err(bad("endpoints", "a remote provider needs one".into()));
    }
    for endpoint in &manifest.endpoints {
        let url = &endpoint.base_url;
        if url::host(url).is_none() {
            return Err(bad("endpoints.base_url", format!("{url:?} is not an http(s) URL without user name")));
        }
        if url::is_open(url) {
            return Err(bad("endpoints.base_url", format!("{url:?} would send keys unencrypted")));
        }
    }
    if let Some(region) = &manifest.default_region
        && !manifest.endpoints.iter().any(|e| e.region.as_ref() == Some(region))
    {
        return Err(bad("default_region", format!("no endpoint has region {region:?}")));
    }
    super::account::check(&manifest).map_err(|(key, message)| bad(key, message))?;
    Ok(manifest)
}

/// Text that is filled in with a key; a template has no business with it.
const KEY: &str = "${API_KEY";

pub(crate) fn template(file: &str, agent: &str, stem: &str, text: &str) -> Result<Template, Problem> {
    let template: Template = read(file, text)?;
    check_head(file, stem, template.schema, ("name", template.name.as_str()))?;
    let bad = |key: &str, message: String| problem(file, text, Some(key), message);
    if template.agent.as_str() != agent {
        return Err(bad("agent", format!("is {:?}, but the directory is called {agent:?}", template.agent.as_str())));
    }
    if template.description.trim().is_empty() || template.description.chars().any(char::is_control) || template.description.len() > 200 {
        return Err(bad("description", "needs one line of at most 200 bytes".into()));
    }
    if text.contains(KEY) {
        return Err(problem(file, text, None, format!("holds {KEY}: a template gets no key")));
    }
    let mut seen = std::collections::BTreeSet::new();
    for prompt in &template.prompts {
        // Other files of an agent are settings or code.
        if !relative(&prompt.file) || !prompt.file.to_ascii_lowercase().ends_with(".md") {
            return Err(bad("prompts.file", format!("{:?} is no path of an .md file inside the agent's directory", prompt.file)));
        }
        if !seen.insert(prompt.file.to_lowercase()) {
            return Err(bad("prompts.file", format!("{:?} is there twice", prompt.file)));
        }
    }
    for hook in &template.hooks {
        let word = !hook.event.is_empty() && hook.event.bytes().all(|b| b.is_ascii_alphanumeric());
        if !word || hook.command.trim().is_empty() || hook.command.contains('\0') {
            return Err(bad("hooks", "each needs the name of an event and a command".into()));
        }
    }
    Ok(template)
}

pub(crate) fn models(file: &str, stem: &str, text: &str) -> Result<Catalogue, Problem> {
    let catalogue: Catalogue = read(file, text)?;
    check_head(file, stem, catalogue.schema, ("provider", catalogue.provider.as_str()))?;
    let names = catalogue.models.iter().map(|m| &m.id).chain(catalogue.tiers.values()).chain(&catalogue.default_model);
    for name in names {
        if name.is_empty() || name.len() > 200 || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(problem(file, text, Some("models.id"), format!("{name:?} is no name of a model")));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = catalogue.models.iter().find(|m| !seen.insert(&m.id)) {
        return Err(problem(file, text, Some("models.id"), format!("{:?} is there twice", twice.id)));
    }
    Ok(catalogue)
}

/// A path that stays below where it is joined.
fn relative(path: &str) -> bool {
    !path.is_empty() && !path.contains(['\0', '\\', ':']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn check_head(file: &str, stem: &str, schema: u32, (key, id): (&str, &str)) -> Result<(), Problem> {
    let problem = |key: &str, message: String| Problem { file: file.into(), line: None, key: Some(key.into()), message };
    if schema != SCHEMA {
        return Err(problem("schema", format!("is {schema}, this build reads {SCHEMA}")));
    }
    if stem != id {
        return Err(problem(key, format!("is {id:?}, but the file is called {stem:?}")));
    }
    Ok(())
}

fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    let deserializer = toml::Deserializer::parse(text).map_err(|e| toml_problem(file, text, None, &e))?;
    serde_path_to_error::deserialize(deserializer).map_err(|e| {
        let key = e.path().to_string();
        toml_problem(file, text, Some(key).filter(|k| k != "."), e.inner())
    })
}

fn toml_problem(file: &str, text: &str, key: Option<String>, error: &toml::de::Error) -> Problem {
    let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
    Problem { file: file.into(), line, key, message: error.message().to_owned() }
}

fn problem(file: &str, text: &str, key: Option<&str>, message: String) -> Problem {
    let last = key.and_then(|k| k.rsplit('.').next()).unwrap_or_default();
    let line =
        text.lines().position(|l| l.trim_start().starts_with(last) || l.trim_start().starts_with(&format!("[[{last}"))).map(|n| n + 1);
    Problem { file: file.into(), line: line.filter(|_| !last.is_empty()), key: key.map(str::to_owned), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "schema = 1\nid = \"x\"\nname = \"X\"\n[[endpoints]]\nformat = \"anthropic\"\nbase_url = \"https://x.example/a\"\nauth = \"bearer\"\n";

    #[test]
    fn a_problem_names_file_line_and_key() {
        let text = GOOD.replace("\"bearer\"", "\"cookie\"");
        let problem = provider("x.toml", "x", &text).unwrap_err();
        assert_eq!((problem.line, problem.key.as_deref()), (Some(7), Some("endpoints[0].auth")), "{problem}");
        let problem = provider("x.toml", "x", "schema = 1\nid = ").unwrap_err();
        assert_eq!(problem.line, Some(2));
        let problem = provider("x.toml", "x", &GOOD.replace("name", "nmae")).unwrap_err();
        assert!(problem.to_string().contains("nmae"), "{problem}");
    }

    #[test]
    fn hostile_manifests_are_refused() {
        assert!(provider("x.toml", "x", GOOD).is_ok());
        for (from, to) in [
            ("https://x.example/a", "http://x.example/a"),
            ("https://x.example/a", "https://u:p@x.example/a"),
            ("https://x.example/a", "file:///etc/passwd"),
            ("id = \"x\"", "id = \"../x\""),
            ("id = \"x\"", "id = \"y\""),
            ("schema = 1", "schema = 2"),
        ] {
            assert!(provider("x.toml", "x", &GOOD.replace(from, to)).is_err(), "{to}");
        }
        assert!(relative(".config/opencode") && !relative("../x") && !relative("/x") && !relative("a//b"));
    }
}
