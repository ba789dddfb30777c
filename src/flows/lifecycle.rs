//! Commands of an agent's manifest: hooks at create, delete, pre_run and post_run, and set-up tasks. Each is bounded in time and noted.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Weak,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{run_profile::placed, trust};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        redact::redacted,
        seams::{Ran, SpawnSpec},
    },
    manifests::Found,
    wire::{
        audit::{Kind, Line, Lines, List, Outcome},
        envelope::Caller,
        manifest::AgentManifest,
        profiles::Profile,
        runs::Exit,
        sessions::Session,
        setup,
    },
};

/// Of each stream.
const MAX_OUTPUT: u64 = 64 * 1024;
/// Characters of a message in the record.
const MAX_MESSAGE: usize = 500;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Create,
    Delete,
    PreRun,
    PostRun,
}

/// Runs the manifest's steps for an event; the first that fails is the error.
pub(crate) fn run(app: &App, profile: &Profile, agent: &Found<AgentManifest>, event: Event, caller: &Caller, more: Value) -> Result<()> {
    let hooks = &agent.item.hooks;
    let (word, steps) = match event {
        Event::Create => ("create", &hooks.create),
        Event::Delete => ("delete", &hooks.delete),
        Event::PreRun => ("pre_run", &hooks.pre_run),
        Event::PostRun => ("post_run", &hooks.post_run),
    };
    for step in steps {
        let ran = command(app, profile, &agent.item, (Kind::Hook, word, None), &step.run, step.timeout_ms, caller, &more)?;
        if let Some(why) = ran.failed {
            return Err(Error::refused(format!("the {word} hook of {} refused: {why}", agent.item.name))
                .hint(format!("see what ran: clown hooks log --profile {}", profile.alias)));
        }
    }
    Ok(())
}

/// For a profile that is gone already: tells what went wrong, and goes on.
pub(crate) fn before_home_goes(app: &App, profile: &Profile, caller: &Caller) -> Option<String> {
    let snapshot = app.manifests.snapshot();
    let agent = snapshot.agent(profile.agent.as_str()).ok()?;
    quietly(app, profile, agent, Event::Delete, caller, json!({}))
}

/// In the background: nobody waits for it.
pub(crate) fn after_run(app: &App, session: &Session, exit: Exit) {
    let snapshot = app.manifests.snapshot();
    let any = snapshot.agents.get(session.agent.as_str()).is_some_and(|agent| !agent.item.hooks.post_run.is_empty());
    let Some(app) = app.me.get().and_then(Weak::upgrade).filter(|_| any) else { return };
    let session = session.clone();
    let host = app.host.clone();
    host.later(Box::new(move || {
        let snapshot = app.manifests.snapshot();
        // Renamed or deleted meanwhile.
        let (Ok(profile), Ok(agent)) = (app.profiles.find(&session.profile), snapshot.agent(&session.agent)) else { return };
        // Nobody's terminal is behind it: the daemon's own variables.
        let env = ["PATH", "HOME"].into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
        let caller = Caller { pid: 0, cwd: session.cwd.clone(), env: env.collect() };
        quietly(&app, &profile, agent, Event::PostRun, &caller, json!({ "session": session.id, "exit": exit }));
    }));
}

fn quietly(app: &App, profile: &Profile, agent: &Found<AgentManifest>, event: Event, caller: &Caller, more: Value) -> Option<String> {
    if trust::require_commands(app, agent).is_err() {
        let word = if matches!(event, Event::Delete) { "delete" } else { "post_run" };
        note(app, (Kind::Hook, word, agent.item.id.to_string()), Some(profile), Outcome::NotAgreed, None, 0, "");
        return Some(format!("the {word} hook did not run: you have not agreed to it"));
    }
    run(app, profile, agent, event, caller, more).err().map(|error| error.to_string())
}

pub fn tasks(app: &App, ask: setup::List, _caller: &Caller) -> Result<setup::Tasks> {
    let profile = app.profiles.find(&ask.alias)?;
    let snapshot = app.manifests.snapshot();
    let agent = snapshot.agent(profile.agent.as_str())?;
    let row = |(name, task): (&String, &crate::wire::manifest::Task)| setup::Row {
        name: name.clone(),
        description: task.description.clone(),
        run: task.run.clone(),
    };
    Ok(setup::Tasks { tasks: agent.item.setup.iter().map(row).collect(), needs_approval: trust::require_commands(app, agent).is_err() })
}

pub fn set_up(app: &App, ask: setup::Run, caller: &Caller) -> Result<setup::Ran> {
    let profile = app.profiles.find(&ask.alias)?;
    let snapshot = app.manifests.snapshot();
    let agent = snapshot.agent(profile.agent.as_str())?;
    let Some(task) = agent.item.setup.get(&ask.task) else {
        let known: Vec<&str> = agent.item.setup.keys().map(String::as_str).collect();
        let error = Error::not_found(format!("{} has no set-up task {:?}", agent.item.name, ask.task)).did_you_mean(&ask.task, known);
        return Err(error.hint(format!("see its tasks: clown env list {}", profile.alias)));
    };
    trust::require_commands(app, agent)?;
    let of = (Kind::Setup, "setup", Some(ask.task.as_str()));
    let ran = command(app, &profile, &agent.item, of, &task.run, task.timeout_ms, caller, &json!({ "task": ask.task }))?;
    match ran.failed {
        None => Ok(setup::Ran { output: ran.output, ms: ran.ms }),
        Some(why) => Err(Error::refused(format!("the task {} failed: {why}", ask.task))
            .hint(format!("see what ran: clown hooks log --profile {}", profile.alias))),
    }
}

pub fn log(app: &App, ask: List, _caller: &Caller) -> Result<Lines> {
    let wanted = |line: &Line| {
        ask.kind.is_none_or(|kind| line.kind == kind)
            && ask.name.as_ref().is_none_or(|name| line.name == *name)
            && ask.profile.as_ref().is_none_or(|alias| line.profile.as_ref() == Some(alias))
    };
    Ok(Lines { lines: app.audit.read(ask.limit.unwrap_or(50).min(1000), wanted)? })
}

struct Told {
    /// Why, when it failed.
    failed: Option<String>,
    output: String,
    ms: u64,
}

/// Runs one command with what places the agent, and no key.
#[expect(clippy::too_many_arguments, reason = "what a command is told and bounded by, each once")]
fn command(
    app: &App,
    profile: &Profile,
    agent: &AgentManifest,
    (kind, event, name): (Kind, &'static str, Option<&str>),
    argv: &[String],
    timeout_ms: u64,
    caller: &Caller,
    more: &Value,
) -> Result<Told> {
    let (program, args) = argv.split_first().ok_or_else(|| Error::invalid("the manifest's command is empty"))?;
    let mut env = placed(app, caller, profile, agent)?;
    env.extend(caller.env.get("PATH").map(|path| ("PATH".to_owned(), path.clone())));
    if !env.contains_key("HOME") {
        env.extend(caller.env.get("HOME").map(|home| ("HOME".to_owned(), home.clone())));
    }
    let home = PathBuf::from(&profile.home);
    let there = Path::new(&caller.cwd);
    let cwd = if there.is_absolute() && there.is_dir() && matches!(event, "pre_run" | "post_run") { there.to_owned() } else { home };
    let mut stdin = json!({
        "event": event, "profile": profile.alias, "agent": profile.agent, "provider": profile.provider, "home": profile.home, "cwd": cwd,
    });
    if let (Some(told), Some(more)) = (stdin.as_object_mut(), more.as_object()) {
        told.extend(more.clone());
    }
    let spec = SpawnSpec {
        program: program.into(),
        args: args.to_vec(),
        env: env.into_iter().map(|(name, value)| (name.into(), value.into())).collect::<BTreeMap<_, _>>(),
        cwd: Some(cwd),
        stdin: stdin.to_string().into_bytes(),
        timeout: Duration::from_millis(timeout_ms),
        max_output: MAX_OUTPUT,
    };
    let began = Instant::now();
    let ran = app.seams.spawn.run(&spec);
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (outcome, code, failed) = match &ran {
        Ok(Ran { timed_out: true, .. }) => (Outcome::TimedOut, None, Some(format!("it did not end within {timeout_ms} ms"))),
        Ok(Ran { code: Some(0), .. }) => (Outcome::Ok, Some(0), None),
        Ok(ran) => {
            let said = last_line(&ran.stderr);
            let why = ran.code.map_or("a signal ended it".to_owned(), |code| format!("it ended with {code}"));
            (Outcome::Failed, ran.code, Some(if said.is_empty() { why } else { format!("{why}: {said}") }))
        }
        Err(error) => (Outcome::Failed, None, Some(format!("{program} cannot be run: {error}"))),
    };
    let of = (kind, event, name.map_or_else(|| program.clone(), str::to_owned));
    note(app, of, Some(profile), outcome, code, ms, failed.as_deref().unwrap_or_default());
    let output = ran.map(|ran| String::from_utf8_lossy(&[&ran.stdout[..], &ran.stderr[..]].concat()).into_owned()).unwrap_or_default();
    Ok(Told { failed, output, ms })
}

/// The last line of a stream that says something.
pub(crate) fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}

/// A line of the record, and its event. That a record cannot be written stops nothing.
pub(crate) fn note(
    app: &App,
    (kind, event, name): (Kind, &str, String),
    profile: Option<&Profile>,
    outcome: Outcome,
    code: Option<i32>,
    ms: u64,
    message: &str,
) {
    let profile = profile.map(|profile| profile.alias.to_string());
    let subject = profile.clone().unwrap_or_else(|| name.clone());
    let message = redacted(&message.chars().take(MAX_MESSAGE).collect::<String>(), None, None);
    let line = Line { time: app.now(), kind, event: event.to_owned(), name, profile, outcome, code, ms, message };
    if let Err(error) = app.audit.add(&line) {
        tracing::warn!(%error, "a command was not noted in the audit log");
    }
    app.bus.publish("audit/added", &subject);
}
