//! From a profile to its instance's file and the keys that belong to it. Checked before anything changes.

use std::{collections::BTreeMap, path::Path};

use crate::{
    app::App,
    base::{
        error::{Error, Result},
        paths::Paths,
        secret::{Secret, clean_key, store_name},
        url::approval_host,
    },
    flows::{budgets, keys::check_hosts, resolve::Resolved},
    manifests::Snapshot,
    providers::{Choice, choose_endpoint, choose_model},
    proxy::{
        condition::Condition,
        config::{compile, emit, load},
        generate::{Upstream, Wishes, generate, generated_routes, key_var},
        manager::{Launch, Program, find_program},
        route::Table,
    },
    wire::{
        manifest::{AuthScheme, ProviderKind, ProviderManifest},
        profiles::{Credential, Profile},
        proxy::{NeededKey, Route, Settings, Strategy, Use},
        runs::KeySource,
        secret::KeyText,
    },
};

pub(crate) struct Plan {
    pub text: String,
    /// Variable, and where its key is.
    pub keys: Vec<(String, Credential)>,
    /// The rules that clown adds.
    pub generated: Vec<Route>,
    pub warnings: Vec<String>,
}

/// Keys that are at hand, and what the client must bring for the others.
pub(crate) struct Fetched {
    pub keys: Vec<(String, Secret)>,
    pub needs: Vec<NeededKey>,
}

/// A provider that targets name, with its endpoint.
struct Named {
    provider: std::sync::Arc<ProviderManifest>,
    choice: Choice,
}

/// Everything but the port is the profile's; `0` where none is known yet.
pub(crate) fn make(app: &App, snapshot: &Snapshot, profile: &Profile, resolved: &Resolved, port: u16) -> Result<Plan> {
    make_with(app, snapshot, profile, resolved, port, budgets::routed(app, profile.alias.as_str()))
}

/// With `only`, every request goes there.
pub(super) fn make_with(
    app: &App,
    snapshot: &Snapshot,
    profile: &Profile,
    resolved: &Resolved,
    port: u16,
    only: Option<String>,
) -> Result<Plan> {
    let mut settings = profile.proxy.clone().unwrap_or_default();
    if let Some(target) = only {
        // An alias would be taken before any rule is asked.
        settings.aliases.clear();
        settings.strategy = Strategy::Conditional;
        settings.routes =
            vec![Route { name: "budget".into(), condition: "always".into(), targets: vec![target], priority: i64::MAX, weight: 1 }];
    }
    let settings = &settings;
    let Some(own) = resolved.choice.clone().filter(|_| resolved.provider.item.kind == ProviderKind::Remote) else {
        return Err(Error::refused(format!("profile {} uses provider {} and can have no proxy", profile.alias, profile.provider)));
    };
    let mut named = vec![Named { provider: resolved.provider.item.clone(), choice: own }];
    let mut warnings = Vec::new();
    for (target, of) in targets(settings) {
        let (provider, model) = split(target).map_err(|e| e.hint(format!("it stands in {of}")))?;
        if !named.iter().any(|n| n.provider.id.as_str() == provider) {
            named.push(name(snapshot, resolved, provider)?);
        }
        let provider = named.iter().find(|n| n.provider.id.as_str() == provider);
        if let Some(found) = provider.filter(|_| model != "*") {
            warnings.extend(choose_model(&resolved.agent.item, &found.provider, Some(model))?.1);
        }
    }
    let (mut keys, mut upstreams) = (Vec::new(), Vec::new());
    for (n, found) in named.iter().enumerate() {
        let id = &found.provider.id;
        let mut own = if n == 0 && resolved.needs_key() { vec![&profile.credential] } else { Vec::new() };
        own.extend(settings.keys.iter().filter(|k| k.provider == *id).map(|k| &k.credential));
        let mut vars = Vec::new();
        for credential in own {
            let var = key_var(keys.len() + 1, id.as_str());
            vars.push(var.clone());
            keys.push((var, credential.clone()));
        }
        if vars.is_empty() && found.choice.endpoint.auth != AuthScheme::None {
            return Err(Error::invalid(format!("profile {} has no key of provider {id}, which one of its targets names", profile.alias))
                .hint(format!("give it one: clown proxy key add {} {id} --api-key-stdin", profile.alias))
                .hint(format!("or share one: clown proxy key add {} {id} --from PROFILE", profile.alias)));
        }
        upstreams.push(Upstream { provider: &found.provider, endpoint: &found.choice.endpoint, keys: vars });
    }
    check_extra_hosts(profile, settings, &named)?;
    let wishes = Wishes {
        settings,
        upstreams,
        model: resolved.model.as_deref(),
        native: resolved.native(),
        port,
        usage_log: Paths::proxy_usage(Path::new(&profile.home)).to_str().map(str::to_owned),
        log_content: app.config.text("proxy.log_content")? == "on",
    };
    let text = emit(&generate(&wishes)).map_err(|m| Error::defect(format!("the proxy's configuration cannot be written: {m}")))?;
    let generated = generated_routes(&wishes);
    table(&text)?;
    Ok(Plan { text, keys, generated, warnings })
}

/// Whether requests of a profile could go to a target.
pub(crate) fn check_target(app: &App, snapshot: &Snapshot, profile: &Profile, resolved: &Resolved, target: &str) -> Result<()> {
    make_with(app, snapshot, profile, resolved, 0, Some(target.to_owned())).map(drop)
}

/// Rules and aliases with where they stand.
fn targets(settings: &Settings) -> impl Iterator<Item = (&str, String)> {
    let routes = settings.routes.iter().flat_map(|r| r.targets.iter().map(|t| (t.as_str(), format!("route {}", r.name))));
    routes.chain(settings.aliases.iter().map(|(name, target)| (target.as_str(), format!("alias {name}"))))
}

pub(crate) fn split(target: &str) -> Result<(&str, &str)> {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    target.split_once('/').filter(|(p, m)| !p.is_empty() && !m.is_empty() && !target.contains(odd)).ok_or_else(|| {
        Error::invalid(format!("{target:?} is not a target")).hint("write provider/model, such as zai/glm-5.3, or provider/* for any model")
    })
}

fn name(snapshot: &Snapshot, resolved: &Resolved, provider: &str) -> Result<Named> {
    let provider = snapshot.provider(provider)?.item.clone();
    let endpoint = match provider.kind {
        ProviderKind::Remote => choose_endpoint(&resolved.agent.item, &provider, None)?,
        _ => None,
    };
    match endpoint {
        Some(choice) => Ok(Named { provider, choice }),
        None => {
            Err(Error::refused(format!("provider {} cannot be a target: it takes no key, or its login is the agent's own", provider.id))
                .hint("list providers: clown providers list"))
        }
    }
}

/// The configuration as an engine would understand it; keys are not looked at.
pub(crate) fn table(text: &str) -> Result<Table> {
    let stand_in = |_: &str| Some("stands-in-for-a-key".to_owned());
    load(text).and_then(|file| compile(&file, &stand_in)).map_err(|m| Error::invalid(format!("the proxy's configuration is wrong: {m}")))
}

/// A rule's condition, with a pointer at what is not understood.
pub(crate) fn condition(text: &str) -> Result<()> {
    Condition::parse(text).map(drop).map_err(|m| {
        let before: usize = m.column.saturating_sub(1);
        Error::invalid(format!("the condition is not understood at {m}\n  {text}\n  {}^", " ".repeat(before)))
            .hint("for example: 'tokens > 60000 and not thinking', 'model ~ \"*haiku*\"', 'always'")
    })
}

fn check_extra_hosts(profile: &Profile, settings: &Settings, named: &[Named]) -> Result<()> {
    for key in &settings.keys {
        let Some(found) = named.iter().find(|n| n.provider.id == key.provider) else { continue };
        let host = approval_host(&found.choice.endpoint.base_url).unwrap_or_default();
        if !key.approved_hosts.contains(&host) {
            return Err(Error::refused(format!(
                "provider {} would now send a key of profile {} to {host}; you agreed to {}",
                key.provider,
                profile.alias,
                if key.approved_hosts.is_empty() { "none".to_owned() } else { key.approved_hosts.join(", ") }
            ))
            .hint(format!("if that is right: clown providers approve {} --profile {}", key.provider, profile.alias)));
        }
    }
    Ok(())
}

/// Whether a profile's proxy would work as it is said to be, before the profile is changed.
pub(crate) fn check(app: &App, snapshot: &Snapshot, profile: &Profile, resolved: &Resolved) -> Result<()> {
    if resolved.proxy == Use::Off {
        return Ok(());
    }
    make(app, snapshot, profile, resolved, 0).map(drop)
}

/// As [`make`], for an instance that is to run: hosts are those that the owner agreed to.
pub(crate) fn checked(app: &App, snapshot: &Snapshot, profile: &Profile, resolved: &Resolved, port: u16) -> Result<Plan> {
    check_hosts(profile, resolved)?;
    make(app, snapshot, profile, resolved, port)
}

impl Plan {
    /// The keys: those that are here, and what only the client can fetch and did not give.
    pub fn fetch(&self, app: &App, env: &BTreeMap<String, String>, given: &BTreeMap<String, KeyText>) -> Result<Fetched> {
        let (mut keys, mut needs) = (Vec::new(), Vec::new());
        for (var, credential) in &self.keys {
            let source = match credential {
                Credential::Stored { store, key } => {
                    let found = app.seams.vault.store_of_kind(store, env)?.get(key)?;
                    let found = found.ok_or_else(|| {
                        Error::secrets(format!("the key {key} is not in the {} any more", store_name(store)))
                            .hint("give it again: clown profiles edit ALIAS --api-key-stdin, or clown proxy key add")
                    })?;
                    keys.push((var.clone(), found));
                    continue;
                }
                Credential::Env { var } => KeySource::Env { var: var.clone() },
                Credential::Command { argv } => KeySource::Command { argv: argv.clone() },
                Credential::None => return Err(Error::secrets("a key of this profile is missing").hint("give it one: clown profiles edit")),
            };
            match given.get(var) {
                Some(key) => keys.push((var.clone(), clean_key(key.expose())?)),
                None => needs.push(NeededKey { name: var.clone(), source }),
            }
        }
        Ok(Fetched { keys, needs })
    }

    pub fn needs_client(&self) -> bool {
        self.keys.iter().any(|(_, c)| matches!(c, Credential::Env { .. } | Credential::Command { .. }))
    }

    /// What to run. Without keys: what runs has them.
    pub fn launch(&self, app: &App, profile: &Profile, port: u16, keys: Option<Vec<(String, Secret)>>) -> Result<Launch> {
        let program = find_program(&app.config.text("proxy.engine")?)?;
        let home = Path::new(&profile.home);
        let references = serde_json::to_string(&self.keys).map_err(|e| Error::defect("a reference to a key cannot be encoded").cause(e))?;
        let key_mark = blake3::hash(references.as_bytes()).to_hex().to_string();
        Ok(Launch {
            mark: self.mark(&program, &key_mark),
            key_mark,
            program,
            config: Paths::proxy_config(home),
            text: self.text.clone(),
            log: Paths::proxy_log(home),
            usage: Paths::proxy_usage(home),
            port,
            keys,
        })
    }

    fn mark(&self, program: &Program, key_mark: &str) -> String {
        blake3::hash(format!("{program}\0{key_mark}\0{}", self.text).as_bytes()).to_hex().to_string()
    }
}
