//! Plugins: told of events in the background, asked before a run.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::lifecycle::{last_line, note};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        os,
        seams::SpawnSpec,
    },
    plugins::{Ended, Ready, Verdict, Wanted, words},
    wire::{
        Done,
        audit::{Kind, Outcome},
        envelope::Caller,
        event::Event,
        ids::PluginName,
        plugins::{Disable, Enable, Enabled, List, PRE_RUN, Plugins, Row, State},
        profiles::Profile,
    },
};

const TIMEOUT_MS: u64 = 5_000;
const MOST_MS: u64 = 30_000;
const MEMORY_MB: u64 = 256;
const MOST_MB: u64 = 2048;
/// A plugin that heard of these would hear of itself.
const NOT_TOLD: &[&str] = &["audit/", "plugin/"];

pub fn list(app: &App, _ask: List, _caller: &Caller) -> Result<Plugins> {
    Ok(Plugins { dir: app.plugins.dir().display().to_string(), plugins: app.plugins.list()? })
}

pub fn enable(app: &App, ask: Enable, _caller: &Caller) -> Result<Row> {
    let Enable { name, events, timeout_ms, memory_mb } = ask;
    let plain = |word: &String| !word.is_empty() && word.len() <= 100 && !word.contains(char::is_whitespace);
    if events.len() > 50 || !events.iter().all(plain) {
        return Err(Error::invalid("an event is a topic such as session/ended, session/* or *, or pre_run"));
    }
    if timeout_ms.is_some_and(|ms| !(1..=MOST_MS).contains(&ms)) || memory_mb.is_some_and(|mb| !(1..=MOST_MB).contains(&mb)) {
        return Err(Error::invalid(format!("a plugin has 1 to {MOST_MS} ms and 1 to {MOST_MB} MiB")));
    }
    let row = app.plugins.enable(&name, |before, hash| {
        let events = if events.is_empty() { before.map(|b| b.events.clone()).unwrap_or_default() } else { events };
        if events.is_empty() {
            return Err(Error::usage(format!("what the plugin {name} shall hear of is missing"))
                .hint(format!("for example: clown plugins enable {name} --event 'session/*' --event pre_run"))
                .hint("see what there is: clown watch"));
        }
        Ok(Enabled {
            hash,
            events,
            timeout_ms: timeout_ms.or(before.map(|b| b.timeout_ms)).unwrap_or(TIMEOUT_MS),
            memory_mb: memory_mb.or(before.map(|b| b.memory_mb)).unwrap_or(MEMORY_MB),
            at: app.now(),
        })
    })?;
    app.bus.publish("plugin/changed", row.name.as_str());
    Ok(row)
}

pub fn disable(app: &App, ask: Disable, _caller: &Caller) -> Result<Done> {
    if !app.plugins.disable(&ask.name)? {
        return Err(Error::not_found(format!("the plugin {} is not enabled", ask.name)).hint("see which are: clown plugins list"));
    }
    app.bus.publish("plugin/changed", ask.name.as_str());
    Ok(Done {})
}

/// Begins to pass events on, for the life of the daemon.
pub fn settle(app: &Arc<App>) {
    let Ok(runtime) = app.host.runtime() else { return };
    let mut events = app.bus.subscribe();
    let weak = Arc::downgrade(app);
    runtime.spawn(async move {
        loop {
            match events.recv().await {
                Ok(event) if NOT_TOLD.iter().any(|topic| event.topic.starts_with(topic)) => {}
                Ok(event) => {
                    let Some(app) = weak.upgrade() else { return };
                    // Looks at files.
                    let _ = tokio::task::spawn_blocking(move || pass_on(&app, &event)).await;
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
}

fn pass_on(app: &Arc<App>, event: &Event) {
    let wanting = match app.plugins.wanting(&event.topic) {
        Ok(wanting) => wanting,
        Err(error) => return tracing::warn!(%error, "no plugin is told of events"),
    };
    for wanted in wanting {
        let Wanted::Ready(ready) = wanted else { continue };
        if app.lanes.put(&ready.name, event.clone()) {
            let (weak, name) = (Arc::downgrade(app), ready.name);
            app.host.later(Box::new(move || work(&weak, &name)));
        }
    }
}

/// Until the plugin's lane is empty.
fn work(app: &Weak<App>, name: &PluginName) {
    while let Some(app) = app.upgrade() {
        let Some((event, dropped)) = app.lanes.next(name) else { return };
        if dropped > 0 {
            let message = format!("{dropped} events came faster than it took them");
            note(&app, (Kind::Plugin, "*", name.to_string()), None, Outcome::Dropped, None, 0, &message);
        }
        // It may be another file, or disabled, by now.
        let ready = app.plugins.wanting(&event.topic).unwrap_or_default().into_iter().find_map(|wanted| match wanted {
            Wanted::Ready(ready) if ready.name == *name => Some(ready),
            _ => None,
        });
        if let Some(ready) = ready {
            let told = serde_json::to_value(&event).unwrap_or_default();
            let _ = run(&app, &ready, &event.topic, None, &told);
        }
    }
}

/// Asks the plugins that were enabled for it; the first that refuses stops the run. One that cannot answer refuses too:
/// it was enabled to be asked.
pub(crate) fn before_run(app: &App, profile: &Profile, args: &[String], caller: &Caller) -> Result<()> {
    let told = json!({
        "topic": PRE_RUN, "profile": profile.alias, "agent": profile.agent, "provider": profile.provider, "model": profile.model,
        "cwd": caller.cwd, "args": args,
    });
    for wanted in app.plugins.wanting(PRE_RUN)? {
        let ready = match wanted {
            Wanted::Ready(ready) => ready,
            Wanted::Not(name, state) => {
                let why = if state == State::Changed { "is another file than the one you enabled" } else { "cannot be run" };
                return Err(Error::refused(format!("the plugin {name} is to be asked before each run, and {why}"))
                    .hint(format!("look at it, then: clown plugins enable {name}"))
                    .hint(format!("or do without: clown plugins disable {name}")));
            }
        };
        let off = format!("to do without it: clown plugins disable {}", ready.name);
        let verdict = run(app, &ready, PRE_RUN, Some(profile), &told).map_err(|error| error.hint(off.clone()))?;
        let reply: Value = serde_json::from_str(&verdict.stdout).unwrap_or_default();
        if let Some(reason) = reply.get("veto") {
            let reason = last_line(reason.as_str().unwrap_or("it gave no reason").as_bytes());
            note(app, (Kind::Plugin, PRE_RUN, ready.name.to_string()), Some(profile), Outcome::Vetoed, Some(0), 0, &reason);
            return Err(Error::refused(format!("the plugin {} refused this run: {reason}", ready.name)).hint(off));
        }
    }
    Ok(())
}

/// Runs a plugin once, bounded, and notes it. The error says why it did not end well.
fn run(app: &App, ready: &Ready, event: &str, profile: Option<&Profile>, told: &Value) -> Result<Verdict> {
    let env = ["PATH", "HOME", "LANG", "CLOWN_HOME"].into_iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
    let spec = SpawnSpec {
        program: os::own_program().map_err(|e| Error::io("clown's own program is not found").cause(e))?,
        args: words(ready),
        env: env.collect(),
        cwd: Some(PathBuf::from(app.plugins.dir())),
        stdin: format!("{told}\n").into_bytes(),
        // The child ends the plugin; this is for a child that is stuck.
        timeout: Duration::from_millis(ready.timeout_ms) + Duration::from_secs(5),
        max_output: 4 << 20,
    };
    let began = Instant::now();
    let ran = app.seams.spawn.run(&spec);
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let verdict = ran.ok().and_then(|ran| serde_json::from_slice::<Verdict>(&ran.stdout).ok());
    let verdict = verdict.unwrap_or(Verdict {
        ended: Ended::NotStarted,
        code: None,
        stdout: String::new(),
        stderr: "what bounds it was ended".into(),
    });
    let said = last_line(verdict.stderr.as_bytes());
    let (outcome, why) = match (verdict.ended, verdict.code) {
        (Ended::ByItself, Some(0)) => (Outcome::Ok, String::new()),
        (Ended::ByItself, Some(code)) => (Outcome::Failed, format!("it ended with {code}: {said}")),
        (Ended::ByItself, None) => (Outcome::Failed, "a signal ended it".to_owned()),
        (Ended::NotStarted, _) => (Outcome::Failed, said),
        (Ended::TooLong, _) => (Outcome::TimedOut, format!("it did not end within {} ms", ready.timeout_ms)),
        (Ended::TooManyProcesses, _) => (Outcome::TooMuch, "it started too many processes".to_owned()),
        (Ended::TooMuchMemory, _) => (Outcome::TooMuch, format!("it took more than {} MiB", ready.memory_mb)),
        (Ended::TooMuchOutput, _) => (Outcome::TooMuch, "it said too much".to_owned()),
    };
    note(app, (Kind::Plugin, event, ready.name.to_string()), profile, outcome, verdict.code, ms, &why);
    if outcome == Outcome::Ok { Ok(verdict) } else { Err(Error::refused(format!("the plugin {}: {why}", ready.name))) }
}
