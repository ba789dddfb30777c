//! From a profile to everything its manifests say about it.

use crate::{
    app::App,
    base::error::{Error, Result},
    manifests::{Found, Script, Snapshot},
    providers::{Choice, choose_endpoint, choose_model, fits},
    wire::{
        manifest::{AgentManifest, AuthScheme, Isolation, ProviderKind, ProviderManifest},
        profiles::Profile,
        runs::KEY_PLACEHOLDER,
        scripts::{AgentCtx, Context, EndpointCtx, KeyCtx, ModelCtx, ModelRow, ProfileCtx, ProviderCtx},
    },
};

/// A profile with its manifests, endpoint and model.
pub(crate) struct Resolved {
    pub agent: Found<AgentManifest>,
    pub provider: Found<ProviderManifest>,
    pub script: Found<Script>,
    pub choice: Option<Choice>,
    pub model: Option<String>,
    pub warnings: Vec<String>,
}

/// Checks that agent, provider, endpoint, model and isolation go together.
pub(crate) fn resolve(snapshot: &Snapshot, profile: &Profile) -> Result<Resolved> {
    let agent = snapshot.agent(profile.agent.as_str())?.clone();
    let provider = snapshot.provider(profile.provider.as_str())?.clone();
    if !fits(&agent.item, &provider.item) {
        let fitting: Vec<&str> = snapshot.providers.values().filter(|p| fits(&agent.item, &p.item)).map(|p| p.item.id.as_str()).collect();
        return Err(Error::unsupported(format!(
            "{} cannot use provider {}: they have no format in common",
            agent.item.name, provider.item.id
        ))
        .hint(format!("providers that fit {}: {}", agent.item.id, fitting.join(", "))));
    }
    if !agent.item.isolation.modes.contains(&profile.isolation) {
        let modes: Vec<String> = agent.item.isolation.modes.iter().map(Isolation::to_string).collect();
        return Err(Error::unsupported(format!("{} cannot be isolated by {}", agent.item.name, profile.isolation))
            .hint(format!("use one of: {}", modes.join(", "))));
    }
    let choice = choose_endpoint(&agent.item, &provider.item, profile.endpoint.as_deref())?;
    let (model, warning) = choose_model(&agent.item, &provider.item, profile.model.as_deref())?;
    let script = snapshot.script(agent.item.script.as_str())?.clone();
    Ok(Resolved { agent, provider, script, choice, model, warnings: warning.into_iter().collect() })
}

impl Resolved {
    /// Whether a run needs a key of the provider.
    pub fn needs_key(&self) -> bool {
        self.provider.item.kind == ProviderKind::Remote && self.choice.as_ref().is_some_and(|c| c.endpoint.auth != AuthScheme::None)
    }

    /// What the profile's key would be sent to, as a host to approve.
    pub fn hosts(&self) -> Vec<String> {
        let remote = self.provider.item.kind == ProviderKind::Remote;
        self.choice.iter().filter(|_| remote).filter_map(|c| crate::base::url::approval_host(&c.endpoint.base_url)).collect()
    }

    /// The URL in effect; for the local model, with its port when it is open.
    pub fn base_url(&self, port: Option<u16>) -> Option<String> {
        let url = self.choice.as_ref()?.endpoint.base_url.trim_end_matches('/');
        Some(match (self.provider.item.kind, port) {
            (ProviderKind::Offline, Some(port)) => url.replacen("127.0.0.1:0", &format!("127.0.0.1:{port}"), 1),
            _ => url.to_owned(),
        })
    }

    pub fn context(&self, app: &App, profile: &Profile, agent_version: Option<String>, port: Option<u16>) -> Result<Context> {
        let (agent, provider) = (&*self.agent.item, &*self.provider.item);
        let endpoint = self.choice.as_ref().map(|c| EndpointCtx {
            format: said(c.endpoint.format),
            base_url: self.base_url(port).unwrap_or_default(),
            auth: said(c.endpoint.auth),
            region: c.endpoint.region.clone().unwrap_or_default(),
        });
        let model = self.model.clone().unwrap_or_default();
        let mut preferences = app.config.preferences()?;
        preferences.extend(profile.preferences.clone());
        let home = std::path::Path::new(&profile.home);
        Ok(Context {
            agent: AgentCtx { id: agent.id.to_string(), name: agent.name.clone(), version: agent_version.unwrap_or_default() },
            provider: ProviderCtx {
                id: provider.id.to_string(),
                name: provider.name.clone(),
                kind: said(provider.kind),
                any_model: provider.any_model,
                default_model: provider.default_model.clone().unwrap_or_default(),
                tiers: provider.tiers.clone(),
                quirks: provider.quirks.clone(),
                models: provider.models.iter().map(|m| ModelRow { id: m.id.clone(), context: m.context.unwrap_or(0) }).collect(),
            },
            endpoint: endpoint.unwrap_or_default(),
            profile: ProfileCtx {
                alias: profile.alias.to_string(),
                home: profile.home.clone(),
                config_dir: home.join(&agent.isolation.config_dir).to_string_lossy().into_owned(),
                isolation: profile.isolation.to_string(),
            },
            model: ModelCtx {
                context: provider.models.iter().find(|m| m.id == model).and_then(|m| m.context).unwrap_or(0),
                id: model,
                chosen: profile.model.is_some(),
            },
            key: KeyCtx { placeholder: KEY_PLACEHOLDER.into(), present: self.needs_key() || provider.kind == ProviderKind::Offline },
            preferences,
            run: None,
        })
    }
}

/// A word of the wire as the wire spells it.
fn said(word: impl serde::Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
