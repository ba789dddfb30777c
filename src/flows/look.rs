//! Calls that only look.

use std::sync::Arc;

use super::{keys, place, resolve::resolve};
use crate::{
    agents::Ask,
    app::App,
    base::error::{Error, Result},
    manifests::Snapshot,
    profiles::replaced_links,
    providers::{choose_endpoint, fits},
    wire::{
        agents::{self, AgentDetail, AgentRow, Agents},
        envelope::Caller,
        manifest::{AgentManifest, AuthScheme, ProviderKind},
        profiles::{self, Choices, Credential, ProfileDetail, ProfileRow, Profiles},
        providers::{self, ProviderDetail, ProviderRow, Providers},
        proxy::Use,
    },
};

fn path(caller: &Caller) -> &str {
    caller.env.get("PATH").map(String::as_str).unwrap_or_default()
}

pub fn agents(app: &App, _ask: agents::List, caller: &Caller) -> Result<Agents> {
    agent_rows(app, None, Ask::WhenChanged, caller)
}

pub fn detect(app: &App, ask: agents::Detect, caller: &Caller) -> Result<Agents> {
    agent_rows(app, ask.id.as_deref(), Ask::Always, caller)
}

fn agent_rows(app: &App, only: Option<&str>, ask: Ask, caller: &Caller) -> Result<Agents> {
    let snapshot = app.manifests.snapshot();
    let wanted: Vec<_> = match only {
        Some(id) => vec![snapshot.agent(id)?.clone()],
        None => snapshot.agents.values().cloned().collect(),
    };
    let manifests: Vec<Arc<AgentManifest>> = wanted.iter().map(|f| Arc::clone(&f.item)).collect();
    let (mut detections, news) = app.detector.detect(&manifests, path(caller), ask)?;
    if news {
        app.bus.publish("agent/detected", only.unwrap_or("all"));
    }
    let (profiles, _) = app.profiles.list()?;
    let rows = wanted.iter().map(|found| {
        let agent = &found.item;
        AgentRow {
            id: agent.id.to_string(),
            name: agent.name.clone(),
            origin: found.origin,
            installed: detections.remove(agent.id.as_str()),
            tested: agent.tested.clone(),
            install_hint: agent.install.hint.clone(),
            profiles: profiles.iter().filter(|p| p.agent == agent.id).count(),
        }
    });
    Ok(Agents { agents: rows.collect(), problems: snapshot.problems.clone() })
}

pub fn agent(app: &App, ask: agents::Inspect, caller: &Caller) -> Result<AgentDetail> {
    let snapshot = app.manifests.snapshot();
    let found = snapshot.agent(&ask.id)?;
    let (mut detections, _) = app.detector.detect(&[Arc::clone(&found.item)], path(caller), Ask::WhenChanged)?;
    Ok(AgentDetail {
        manifest: (*found.item).clone(),
        origin: found.origin,
        file: found.file.as_ref().map(|f| f.display().to_string()),
        installed: detections.remove(found.item.id.as_str()),
        script_origin: snapshot.scripts.get(found.item.script.as_str()).map(|s| s.origin),
        providers: fitting_providers(&snapshot, &found.item),
    })
}

/// What needs no key comes first: whoever only presses Enter gets the agent's own login.
fn fitting_providers(snapshot: &Snapshot, agent: &AgentManifest) -> Vec<String> {
    let mut fitting: Vec<_> = snapshot.providers.values().filter(|p| fits(agent, &p.item)).collect();
    fitting.sort_by_key(|p| match p.item.kind {
        ProviderKind::Own => 0,
        ProviderKind::Offline => 1,
        ProviderKind::Remote => 2,
    });
    fitting.into_iter().map(|p| p.item.id.to_string()).collect()
}

pub fn providers(app: &App, _ask: providers::List, _caller: &Caller) -> Result<Providers> {
    let snapshot = app.manifests.snapshot();
    let (profiles, _) = app.profiles.list()?;
    let rows = snapshot.providers.values().map(|found| {
        let provider = &found.item;
        let mut formats = Vec::new();
        let mut regions = Vec::new();
        for endpoint in &provider.endpoints {
            if !formats.contains(&endpoint.format) {
                formats.push(endpoint.format);
            }
            if let Some(region) = endpoint.region.as_ref().filter(|r| !regions.contains(*r)) {
                regions.push(region.clone());
            }
        }
        ProviderRow {
            id: provider.id.clone(),
            name: provider.name.clone(),
            kind: provider.kind,
            origin: found.origin,
            formats,
            regions,
            default_model: provider.default_model.clone(),
            profiles: profiles.iter().filter(|p| p.provider == provider.id).count(),
        }
    });
    Ok(Providers { providers: rows.collect(), problems: snapshot.problems.clone() })
}

pub fn provider(app: &App, ask: providers::Inspect, _caller: &Caller) -> Result<ProviderDetail> {
    let snapshot = app.manifests.snapshot();
    let found = snapshot.provider(&ask.id)?;
    let agents = snapshot.agents.values().filter(|a| fits(&a.item, &found.item)).map(|a| a.item.id.to_string());
    Ok(ProviderDetail {
        manifest: (*found.item).clone(),
        origin: found.origin,
        file: found.file.as_ref().map(|f| f.display().to_string()),
        agents: agents.collect(),
    })
}

pub fn profiles(app: &App, ask: profiles::List, _caller: &Caller) -> Result<Profiles> {
    let (profiles, problems) = app.profiles.list()?;
    let wanted = match &ask.agent {
        // A profile may name an agent whose manifest is gone.
        Some(word) if profiles.iter().any(|p| p.agent.as_str() == word) => Some(word.clone()),
        Some(word) => Some(app.manifests.snapshot().agent(word)?.item.id.to_string()),
        None => None,
    };
    let live = app.sessions.live()?;
    let rows = profiles.into_iter().filter(|p| wanted.as_ref().is_none_or(|w| w == p.agent.as_str())).map(|p| ProfileRow {
        running: live.iter().filter(|s| s.profile == p.alias.as_str()).count(),
        alias: p.alias,
        agent: p.agent,
        provider: p.provider,
        endpoint: p.endpoint,
        model: p.model,
        isolation: p.isolation,
        last_used: p.last_used,
    });
    Ok(Profiles { profiles: rows.collect(), problems })
}

pub fn profile(app: &App, ask: profiles::Inspect, caller: &Caller) -> Result<ProfileDetail> {
    let profile = app.profiles.find(&ask.alias)?;
    let home = std::path::Path::new(&profile.home);
    let mut warnings: Vec<String> = replaced_links(home).iter().map(|path| place::replaced_warning(home, path)).collect();
    let (mut effective_model, mut base_url, mut proxy) = (None, None, Use::Off);
    match resolve(&app.manifests.snapshot(), &profile) {
        Ok(resolved) => {
            warnings.extend(resolved.warnings.iter().cloned());
            if let Err(error) = keys::check_hosts(&profile, &resolved) {
                warnings.push(error.to_string());
            }
            proxy = resolved.proxy;
            // The local model's port is known only while it is open.
            base_url = resolved.upstream_url().filter(|_| resolved.provider.item.kind != ProviderKind::Offline);
            effective_model = resolved.model;
        }
        Err(error) => warnings.push(error.to_string()),
    }
    Ok(ProfileDetail { key: keys::describe(app, caller, &profile.credential), proxy, effective_model, base_url, warnings, profile })
}

pub fn options(app: &App, ask: profiles::Options, caller: &Caller) -> Result<Choices> {
    let snapshot = app.manifests.snapshot();
    let agent = ask.agent.as_deref().map(|a| snapshot.agent(a)).transpose()?;
    let provider = ask.provider.as_deref().map(|p| snapshot.provider(p)).transpose()?;
    let manifests: Vec<Arc<AgentManifest>> = snapshot.agents.values().map(|f| Arc::clone(&f.item)).collect();
    let (installed, _) = app.detector.detect(&manifests, path(caller), Ask::WhenChanged)?;
    let (profiles, _) = app.profiles.list()?;
    let mut agents: Vec<String> = snapshot.agents.keys().cloned().collect();
    agents.sort_by_key(|id| !installed.contains_key(id));
    let choice = match (agent, provider) {
        (Some(agent), Some(provider)) if fits(&agent.item, &provider.item) => choose_endpoint(&agent.item, &provider.item, None)?,
        _ => None,
    };
    let reusable = provider.map(|p| {
        profiles.iter().filter(|q| q.provider == p.item.id && q.credential != Credential::None).map(|q| q.alias.clone()).collect()
    });
    Ok(Choices {
        agents,
        providers: agent.map_or_else(|| snapshot.providers.keys().cloned().collect(), |a| fitting_providers(&snapshot, &a.item)),
        needs_key: provider.is_some_and(|p| p.item.kind == ProviderKind::Remote)
            && choice.is_none_or(|c| c.endpoint.auth != AuthScheme::None),
        key_url: provider.and_then(|p| p.item.key_url.clone()),
        reusable: reusable.unwrap_or_default(),
        regions: provider
            .map(|p| {
                let mut regions: Vec<String> = p.item.endpoints.iter().filter_map(|e| e.region.clone()).collect();
                regions.dedup();
                regions
            })
            .unwrap_or_default(),
        models: provider.map(|p| p.item.models.iter().map(|m| m.id.clone()).collect()).unwrap_or_default(),
    })
}

/// The sessions as recorded.
pub fn sessions(app: &App, ask: crate::wire::sessions::List, _caller: &Caller) -> Result<crate::wire::sessions::Sessions> {
    if let Some(alias) = &ask.profile {
        // A deleted profile still has sessions; a wrong name has neither.
        let some = app.sessions.list(&crate::wire::sessions::List { limit: 1, profile: Some(alias.clone()), ..Default::default() })?;
        if some.sessions.is_empty() {
            app.profiles.find(alias)?;
        }
    }
    app.sessions.list(&ask)
}

pub fn session(app: &App, ask: crate::wire::sessions::Inspect, _caller: &Caller) -> Result<crate::wire::sessions::Session> {
    if ask.id.len() < 4 {
        return Err(Error::invalid("a session id needs at least 4 characters").hint("list sessions: clown sessions list"));
    }
    app.sessions.get(&ask.id)
}

pub fn events(app: &App, ask: crate::wire::event::Since, _caller: &Caller) -> Result<crate::wire::event::Events> {
    Ok(app.bus.since(&ask.epoch, ask.seq))
}
