//! Tries a script on a context as real as the arguments allow.

use super::{resolve::resolve, trust::script_needs_approval};
use crate::{
    app::App,
    base::error::Result,
    manifests::{Found, Script},
    scripting::example_context,
    wire::{
        envelope::Caller,
        ids::Alias,
        manifest::Isolation,
        profiles::{Credential, Profile, STORED_VERSION},
        scripts::{Context, List, ScriptRow, Scripts, Test, Tested},
    },
};

pub fn test(app: &App, ask: Test, _caller: &Caller) -> Result<Tested> {
    let context = context(app, &ask)?;
    app.scripts.tested(&ask.name, &ask.source, &context).map(|tested| (*tested).clone())
}

fn context(app: &App, ask: &Test) -> Result<Context> {
    let (Some(agent), provider) = (&ask.agent, ask.provider.as_deref().unwrap_or("offline")) else {
        return Ok(example_context());
    };
    let snapshot = app.manifests.snapshot();
    let agent = snapshot.agent(agent)?.item.clone();
    let provider = snapshot.provider(provider)?.item.clone();
    let alias = Alias::parse("example")?;
    let home = app.paths.root().join(format!(".{}-profiles", agent.id)).join(alias.as_str());
    let profile = Profile {
        version: STORED_VERSION,
        alias,
        agent: agent.id.clone(),
        provider: provider.id.clone(),
        endpoint: None,
        model: None,
        isolation: Isolation::HomeWrapper,
        home: home.to_string_lossy().into_owned(),
        credential: Credential::None,
        approved_hosts: Vec::new(),
        proxy: None,
        args: Vec::new(),
        env: Default::default(),
        hooks: Vec::new(),
        mcp: Default::default(),
        preferences: Default::default(),
        created: app.now(),
        last_used: None,
        rest: serde_json::Map::new(),
    };
    resolve(&snapshot, &profile)?.context(app, &profile, agent.tested.clone(), None)
}

pub fn list(app: &App, _ask: List, _caller: &Caller) -> Result<Scripts> {
    let snapshot = app.manifests.snapshot();
    let row = |found| -> Result<ScriptRow> {
        let found: &Found<Script> = found;
        Ok(ScriptRow {
            name: found.item.name.to_string(),
            origin: found.origin,
            file: found.file.as_ref().map(|f| f.display().to_string()),
            agents: snapshot.agents.values().filter(|a| a.item.script == found.item.name).map(|a| a.item.id.to_string()).collect(),
            hash: found.item.hash.clone(),
            needs_approval: script_needs_approval(app, &snapshot, found)?,
        })
    };
    Ok(Scripts { scripts: snapshot.scripts.values().map(row).collect::<Result<_>>()? })
}
