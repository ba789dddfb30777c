//! From a profile to everything its manifests say about it.

use crate::{
    app::App,
    base::error::{Error, Result},
    manifests::{Found, Script, Snapshot},
    providers::{Choice, choose_endpoint, choose_model, fits},
    wire::{
        manifest::{AgentManifest, AuthScheme, Format, Isolation, ProviderKind, ProviderManifest},
        profiles::Profile,
        proxy::Use,
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
    /// Whether requests go through a proxy.
    pub proxy: Use,
    pub warnings: Vec<String>,
}

/// Checks that agent, provider, endpoint, model and isolation go together.
pub(crate) fn resolve(snapshot: &Snapshot, profile: &Profile) -> Result<Resolved> {
    let agent = snapshot.agent(profile.agent.as_str())?.clone();
    let provider = snapshot.provider(profile.provider.as_str())?.clone();
    if !fits(&agent.item, &provider.item) {
        let fitting: Vec<&str> = snapshot.providers.values().filter(|p| fits(&agent.item, &p.item)).map(|p| p.item.id.as_str()).collect();
        return Err(Error::unsupported(format!("{} cannot use provider {}", agent.item.name, provider.item.id)).hint(format!(
            "providers that fit {}: {}",
            agent.item.id,
            fitting.join(", ")
        )));
    }
    if !agent.item.isolation.modes.contains(&profile.isolation) {
        let modes: Vec<String> = agent.item.isolation.modes.iter().map(Isolation::to_string).collect();
        return Err(Error::unsupported(format!("{} cannot be isolated by {}", agent.item.name, profile.isolation))
            .hint(format!("use one of: {}", modes.join(", "))));
    }
    let choice = choose_endpoint(&agent.item, &provider.item, profile.endpoint.as_deref())?;
    let enabled = profile.proxy.as_ref().is_some_and(|p| p.enabled);
    let proxy = match (&choice, provider.item.kind) {
        (Some(choice), ProviderKind::Remote) if !choice.direct => Use::Needed,
        (Some(_), ProviderKind::Remote) if enabled => Use::Enabled,
        (_, ProviderKind::Own) if enabled => {
            return Err(no_proxy(profile, "the agent's own login belongs to the agent and is never lent to a proxy"));
        }
        (_, ProviderKind::Offline) if enabled => return Err(no_proxy(profile, "the local model is in clown already")),
        _ => Use::Off,
    };
    let (model, warning) = choose_model(&agent.item, &provider.item, profile.model.as_deref())?;
    let script = snapshot.script(agent.item.script.as_str())?.clone();
    Ok(Resolved { agent, provider, script, choice, model, proxy, warnings: warning.into_iter().collect() })
}

fn no_proxy(profile: &Profile, why: &str) -> Error {
    Error::refused(format!("profile {} uses provider {} and can have no proxy: {why}", profile.alias, profile.provider))
        .hint(format!("without the proxy: clown proxy disable {}", profile.alias))
        .hint("or use a provider with a key: clown profiles edit ALIAS --provider P")
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

    /// What the agent speaks to where it sends its requests.
    pub fn spoken(&self) -> Option<Format> {
        let choice = self.choice.as_ref()?;
        if choice.direct { Some(choice.endpoint.format) } else { self.agent.item.formats.first().copied() }
    }

    /// Whether the agent's own names of models are the provider's.
    pub fn native(&self) -> bool {
        let word = match self.choice.as_ref().filter(|c| c.direct).map(|c| c.endpoint.format) {
            Some(Format::Anthropic) => "native-claude-models",
            Some(Format::OpenaiResponses | Format::OpenaiChat) => "native-openai-models",
            Some(Format::Gemini) => "native-gemini-models",
            None => return false,
        };
        self.provider.item.quirks.iter().any(|q| q == word)
    }

    /// That a proxy translates, and between what.
    pub fn proxy_note(&self) -> Option<String> {
        let choice = self.choice.as_ref().filter(|_| self.proxy == Use::Needed)?;
        let (agent, provider) = (&self.agent.item, &self.provider.item);
        let mut offered: Vec<String> = Vec::new();
        for endpoint in provider.endpoints.iter().filter(|e| choice.own_url || e.region == choice.endpoint.region) {
            let format = endpoint.format.to_string();
            if !offered.contains(&format) {
                offered.push(format);
            }
        }
        let spoken: Vec<String> = agent.formats.iter().map(Format::to_string).collect();
        let (spoken, offered) = (spoken.join(" and "), offered.join(" and "));
        Some(format!("{} speaks {spoken}, {} only {offered}: the proxy is switched on and translates.", agent.id, provider.id))
    }

    /// Where requests end up, whatever they go through.
    pub fn upstream_url(&self) -> Option<String> {
        Some(self.choice.as_ref()?.endpoint.base_url.trim_end_matches('/').to_owned())
    }

    /// Where the agent sends its requests; the port of the local model or of the proxy, when it is open.
    pub fn base_url(&self, port: Option<u16>) -> Option<String> {
        if self.proxy != Use::Off {
            // As the same formats' addresses are in provider manifests.
            let path = match self.spoken()? {
                Format::OpenaiChat | Format::OpenaiResponses => "/v1",
                Format::Anthropic | Format::Gemini => "",
            };
            return Some(format!("http://127.0.0.1:{}{path}", port.unwrap_or(0)));
        }
        let url = self.upstream_url()?;
        Some(match (self.provider.item.kind, port) {
            (ProviderKind::Offline, Some(port)) => url.replacen("127.0.0.1:0", &format!("127.0.0.1:{port}"), 1),
            _ => url,
        })
    }

    pub fn context(&self, app: &App, profile: &Profile, agent_version: Option<String>, port: Option<u16>) -> Result<Context> {
        let (agent, provider) = (&*self.agent.item, &*self.provider.item);
        let proxied = self.proxy != Use::Off;
        let auth = |of: AuthScheme| match self.spoken() {
            Some(Format::Gemini) if proxied => AuthScheme::XGoogApiKey,
            _ if proxied => AuthScheme::Bearer,
            _ => of,
        };
        let endpoint = self.choice.as_ref().map(|c| EndpointCtx {
            format: self.spoken().map(said).unwrap_or_default(),
            base_url: self.base_url(port).unwrap_or_default(),
            auth: said(auth(c.endpoint.auth)),
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
            key: KeyCtx {
                placeholder: KEY_PLACEHOLDER.into(),
                present: proxied || self.needs_key() || provider.kind == ProviderKind::Offline,
            },
            preferences,
            run: None,
        })
    }
}

/// A word of the wire as the wire spells it.
fn said(word: impl serde::Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
