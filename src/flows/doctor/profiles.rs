//! Manifests, agents, profiles and their keys, proxies, and the variables that could come between.

use std::{collections::BTreeSet, path::Path};

use super::{error, note, ok, warning};
use crate::{
    app::App,
    base::upkeep::failed,
    flows::{
        self, keys, place,
        resolve::{Resolved, resolve},
    },
    profiles::replaced_links,
    wire::{
        doctor::{Finding, Watched},
        envelope::Caller,
        manifest::ProviderKind,
        profiles::{Credential, Profile},
        proxy::{State, Status, Use},
    },
};

pub(super) fn agents(app: &App, caller: &Caller) -> Vec<Finding> {
    let snapshot = app.manifests.snapshot();
    let mut found: Vec<Finding> =
        snapshot.problems.iter().map(|p| warning("manifest", p.to_string()).fix("mend the file named above")).collect();
    let (profiles, _) = app.profiles.list().unwrap_or_default();
    let path = caller.env.get("PATH").map(String::as_str).unwrap_or_default();
    for agent in snapshot.agents.values().map(|found| &found.item) {
        let used = profiles.iter().any(|p| p.agent == agent.id);
        let Some(program) = app.detector.find_known(agent, path) else {
            if used {
                let what = format!("{} is not on your PATH, and profiles use it", agent.name);
                found.push(error("agent", what).fix(agent.install.hint.clone()));
            }
            continue;
        };
        let what = format!("{} at {}", agent.name, program.display());
        // Known from the last probe; to ask again would run the program.
        let version = app.detector.cached_version(&program);
        found.push(match (&version, &agent.tested) {
            (Some(has), Some(tested)) if newer(has, tested) => {
                note("agent", format!("{what} is {has}; clown was tried with versions up to {tested}"))
            }
            (Some(has), Some(tested)) if has == tested => ok("agent", format!("{what} is {has}, as tested")),
            (Some(has), Some(tested)) => {
                note("agent", format!("{what} is {has}; clown was tried with {tested}")).fix(agent.install.hint.clone())
            }
            (Some(has), None) => note("agent", format!("{what} is {has}; clown's tests have never run this agent")),
            (None, _) => note("agent", format!("{what}: its version was not asked yet")).fix("clown agents detect"),
        });
    }
    if found.iter().all(|f| f.id != "agent") {
        found.push(warning("agent", "no agent is on your PATH").fix("see how to install one: clown agents list"));
    }
    found
}

fn newer(has: &str, tested: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> { text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect() };
    numbers(has) > numbers(tested)
}

pub(super) fn profiles(app: &App) -> Vec<Finding> {
    let (profiles, problems) = match app.profiles.list() {
        Ok(listed) => listed,
        Err(error) => return vec![failed("profile", &error)],
    };
    let mut found: Vec<Finding> =
        problems.iter().map(|p| error("profile", p.to_string()).fix("mend the file, or move it away; clown leaves it as it is")).collect();
    if profiles.is_empty() && found.is_empty() {
        return vec![note("profile", "there is none yet").fix("clown profiles create AGENT ALIAS --provider PROVIDER")];
    }
    let snapshot = app.manifests.snapshot();
    for profile in &profiles {
        let home = Path::new(&profile.home);
        if !home.is_dir() {
            let what = format!("the home of {}, {}, is gone; the next run makes an empty one", profile.alias, profile.home);
            found
                .push(warning("profile", what).fix(format!("put it back, or delete the profile: clown profiles delete {}", profile.alias)));
        }
        found.extend(replaced_links(home).iter().map(|path| {
            let text = place::replaced_warning(home, path);
            let (what, fix) = text.split_once("; ").unwrap_or((&text, ""));
            warning("link", format!("{}: {what}", profile.alias)).fix(fix)
        }));
        match resolve(&snapshot, profile) {
            Ok(resolved) => {
                if let Err(error) = keys::check_hosts(profile, &resolved) {
                    found.push(failed("profile", &error));
                }
                found.push(credential(profile, &resolved));
            }
            Err(error) => found.push(failed("profile", &error)),
        }
    }
    if let Err(error) = app.sessions.live() {
        found.push(failed("sessions", &error));
    }
    found
}

/// Which key a run of the profile uses, and why none other.
fn credential(profile: &Profile, resolved: &Resolved) -> Finding {
    let (alias, agent, provider) = (&profile.alias, &resolved.agent.item.name, &profile.provider);
    if !resolved.needs_key() {
        return ok(
            "credential",
            match resolved.provider.item.kind {
                ProviderKind::Own => format!("{alias}: {agent}'s own login inside the profile counts; clown gives it no key"),
                ProviderKind::Offline => format!("{alias}: the model in clown needs no key"),
                ProviderKind::Remote => format!("{alias}: {provider} needs no key"),
            },
        );
    }
    let from = match &profile.credential {
        Credential::None => {
            return error("credential", format!("{alias}: {provider} needs a key, and the profile has none"))
                .fix(format!("clown profiles edit {alias} --api-key-stdin"));
        }
        Credential::Stored { store, .. } => format!("the key in the {}", crate::base::secret::store_name(store)),
        Credential::Env { var } => format!("the key in ${var}, read at each run,"),
        // Its arguments may say more than a report should.
        Credential::Command { argv } => format!("the key `{}` prints at each run", argv.first().map(String::as_str).unwrap_or_default()),
    };
    let why = match resolved.proxy {
        Use::Off => format!("counts; variables of your shell for {agent}'s key are left out"),
        Use::Enabled | Use::Needed => "goes to the proxy, and the agent gets a token of its session".to_owned(),
    };
    ok("credential", format!("{alias}: {from} {why}"))
}

pub(super) fn proxies(app: &App, caller: &Caller) -> Vec<Finding> {
    let instances = match flows::proxy::status(app, Status { alias: None }, caller) {
        Ok(status) => status.instances,
        Err(error) => return vec![failed("proxy", &error)],
    };
    let wrong = instances.into_iter().filter(|i| i.problem.is_some() || i.state == State::Failed);
    wrong
        .map(|i| {
            let why = i.problem.unwrap_or_else(|| "it ended too often and was given up".into());
            error("proxy", format!("the proxy of {} has a problem: {why}", i.alias)).fix(format!("clown proxy logs {}", i.alias))
        })
        .collect()
}

pub(super) fn variables(app: &App) -> Vec<Watched> {
    let snapshot = app.manifests.snapshot();
    let (profiles, _) = app.profiles.list().unwrap_or_default();
    let used: BTreeSet<&str> = profiles.iter().map(|p| p.agent.as_str()).collect();
    let agents = snapshot.agents.values().map(|found| &found.item).filter(|agent| used.contains(agent.id.as_str()));
    let mut watched: Vec<Watched> = agents
        .flat_map(|agent| {
            agent.isolation.strip_env.iter().map(|pattern| Watched::Removed { pattern: pattern.clone(), agent: agent.id.to_string() })
        })
        .collect();
    watched.extend(profiles.iter().filter_map(|p| match &p.credential {
        Credential::Env { var } => Some(Watched::Key { name: var.clone(), profile: p.alias.to_string() }),
        _ => None,
    }));
    let vendors = snapshot.providers.values().map(|found| &found.item);
    watched.extend(vendors.filter_map(|p| Some(Watched::Vendor { name: p.key_env.clone()?, provider: p.id.to_string() })));
    watched
}

#[cfg(test)]
mod tests {
    use super::newer;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(newer("2.10.0", "2.9.9") && newer("2.1.331", "2.1.330") && newer("1.0.1", "1.0"));
        assert!(!newer("2.1.330", "2.1.330") && !newer("2.1.9", "2.1.330") && !newer("0.9", "1.0.0-beta.1"));
    }
}
