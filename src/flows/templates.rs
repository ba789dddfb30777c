//! Templates: shown, and laid below the settings of a creation.

use super::{hooks::check, trust};
use crate::{
    app::App,
    base::error::{Error, Result},
    manifests::Snapshot,
    scripting::check_output,
    wire::{
        envelope::Caller,
        hooks,
        manifest::AgentManifest,
        profiles::Settings,
        scripts::{File, FileFormat, FileMode, Output},
        templates::{Hook, Inspect, List, Template, TemplateDetail, TemplateRow, Templates},
    },
};

pub fn list(app: &App, ask: List, _caller: &Caller) -> Result<Templates> {
    let snapshot = app.manifests.snapshot();
    let only = ask.agent.map(|word| snapshot.agent(&word).map(|a| a.item.id.clone())).transpose()?;
    let rows = snapshot.templates.values().filter(|f| only.as_ref().is_none_or(|agent| f.item.template.agent == *agent));
    let rows = rows.map(|found| TemplateRow {
        agent: found.item.template.agent.clone(),
        name: found.item.template.name.clone(),
        description: found.item.template.description.clone(),
        origin: found.origin,
    });
    let problems = snapshot.problems.iter().filter(|p| std::path::Path::new(&p.file).components().any(|c| c.as_os_str() == "templates"));
    Ok(Templates { templates: rows.collect(), problems: problems.cloned().collect() })
}

pub fn inspect(app: &App, ask: Inspect, _caller: &Caller) -> Result<TemplateDetail> {
    let snapshot = app.manifests.snapshot();
    let found = snapshot.template(&snapshot.agent(&ask.agent)?.item.id, &ask.name)?;
    Ok(TemplateDetail {
        template: found.item.template.clone(),
        origin: found.origin,
        file: found.file.as_ref().map(|f| f.display().to_string()),
        needs_approval: trust::template_needs_approval(app, found)?,
    })
}

/// What a creation takes from a template, checked.
pub(crate) struct Taken {
    template: Template,
    /// Its texts, as a script would give them.
    pub output: Output,
    /// The profile's own from then on.
    pub hooks: Vec<hooks::Hook>,
}

/// The agent's template of this name, when it may be used.
pub(crate) fn take(app: &App, snapshot: &Snapshot, agent: &AgentManifest, name: &str) -> Result<Taken> {
    let found = snapshot.template(&agent.id, name)?;
    trust::require_template(app, found)?;
    let template = found.item.template.clone();
    let dir = agent.isolation.config_dir.trim_end_matches('/');
    let files: Vec<File> = template
        .prompts
        .iter()
        .map(|p| File { path: format!("{dir}/{}", p.file), format: FileFormat::Text, content: p.text.clone().into(), mode: FileMode::Seed })
        .collect();
    let hooks: Vec<hooks::Hook> = template.hooks.iter().map(hook).collect();
    if !hooks.is_empty() {
        let Some(spec) = &agent.agent_hooks else {
            return Err(Error::unsupported(format!("{} takes no hooks, and the template {name} has some", agent.name))
                .hint(format!("list templates: clown templates list --agent {}", agent.id)));
        };
        let checked = hooks.iter().try_for_each(|hook| check(spec, &agent.name, hook));
        checked.map_err(|e| e.hint(format!("mend the template {name}, which has that hook")))?;
    }
    let output = Output { env: template.env.clone(), args: template.args.clone(), files };
    check_output(&output).map_err(|e| Error::script(format!("the template {name} cannot be used")).cause(e))?;
    Ok(Taken { template, output, hooks })
}

fn hook(hook: &Hook) -> hooks::Hook {
    let Hook { event, matcher, command } = hook.clone();
    hooks::Hook { event, matcher, command: Some(command), url: None, timeout: None }
}

impl Taken {
    /// Settings of the creation, with the template's where it names none.
    pub fn below(&self, settings: Settings) -> Settings {
        let Template { model, args, env, preferences, .. } = self.template.clone();
        let beside = |of: std::collections::BTreeMap<String, String>, own| {
            let mut all: std::collections::BTreeMap<String, Option<String>> = of.into_iter().map(|(k, v)| (k, Some(v))).collect();
            all.extend::<std::collections::BTreeMap<_, _>>(own);
            all
        };
        let args: Vec<String> = args.into_iter().chain(settings.args.into_iter().flatten()).collect();
        Settings {
            model: settings.model.or(model),
            args: Some(args).filter(|a| !a.is_empty()),
            env: beside(env, settings.env),
            preferences: beside(preferences, settings.preferences),
            ..settings
        }
    }

    /// What of it runs without being asked again.
    pub fn notes(&self) -> Vec<String> {
        let Template { name, hooks, .. } = &self.template;
        hooks.iter().map(|hook| format!("From template {name}: at {} the agent runs {:?}.", hook.event, hook.command)).collect()
    }
}
