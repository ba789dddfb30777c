//! Limits on what a profile may use: set, shown, told of, and held to.

use crate::{
    app::App,
    base::error::{Error, Result},
    flows::{proxy, resolve::resolve},
    usage::{budgets::state, service::Known},
    wire::{
        Done,
        budgets::{Action, Budget, Every, List, Remove, Set, State, States},
        envelope::Caller,
        proxy::Use,
    },
};

pub fn set(app: &App, ask: Set, caller: &Caller) -> Result<States> {
    for budget in &ask.budgets {
        let profile = app.profiles.find(&budget.profile)?;
        if let Action::Route { target } = &budget.action {
            let snapshot = app.manifests.snapshot();
            let resolved = resolve(&snapshot, &profile)?;
            if resolved.proxy == Use::Off {
                return Err(Error::conflict(format!("profile {} uses no proxy, so nothing can be routed", profile.alias))
                    .hint(format!("enable it: clown proxy enable {}", profile.alias)));
            }
            proxy::check_target(app, &snapshot, &profile, &resolved, target)?;
        }
    }
    app.budgets.set(&ask.budgets)?;
    let profiles: std::collections::BTreeSet<&str> = ask.budgets.iter().map(|budget| budget.profile.as_str()).collect();
    let mut budgets = Vec::new();
    for profile in profiles {
        app.bus.publish("budget/changed", profile);
        budgets.extend(list(app, List { profile: Some(profile.to_owned()) }, caller)?.budgets);
        reroute(app, profile);
    }
    Ok(States { budgets })
}

pub fn list(app: &App, ask: List, _caller: &Caller) -> Result<States> {
    if let Some(alias) = &ask.profile {
        app.profiles.find(alias)?;
    }
    let some = !app.budgets.list(ask.profile.as_deref())?.is_empty();
    Ok(States { budgets: if some { states(app, &super::usage::known(app)?, ask.profile.as_deref())? } else { Vec::new() } })
}

pub fn remove(app: &App, ask: Remove, _caller: &Caller) -> Result<Done> {
    if app.budgets.remove(&ask.profile, ask.every)? == 0 {
        return Err(Error::not_found(format!("profile {:?} has no such budget", ask.profile)).hint("list budgets: clown budget list"));
    }
    app.bus.publish("budget/changed", &ask.profile);
    reroute(app, &ask.profile);
    Ok(Done {})
}

/// Those of a profile, or all.
pub(crate) fn states(app: &App, known: &Known, profile: Option<&str>) -> Result<Vec<State>> {
    let now = app.seams.clock.now();
    app.budgets.list(profile)?.into_iter().map(|budget| state(&known.ledger, budget, now)).collect()
}

/// Before a run: what the user is told, or why it does not begin.
pub(super) fn before_run(app: &App, profile: &str) -> Result<Vec<String>> {
    if app.budgets.list(Some(profile))?.is_empty() {
        return Ok(Vec::new());
    }
    let mut warnings = Vec::new();
    for state in states(app, &super::usage::known(app)?, Some(profile))? {
        let told = told(&state);
        if state.level == 100 && state.budget.action == Action::Refuse {
            let every = if state.budget.every == Every::Day { "--daily" } else { "--monthly" };
            return Err(Error::refused(told)
                .hint(format!("it begins anew at {}", state.resets_at))
                .hint(format!("raise it: clown budget set --profile {profile} {every} AMOUNT"))
                .hint(format!("or remove it: clown budget remove --profile {profile} {every}")));
        }
        match &state.budget.action {
            Action::Route { target } if state.level == 100 => warnings.push(format!("{told}; requests go to {target}")),
            _ if state.level > 0 => warnings.push(told),
            _ => {}
        }
    }
    Ok(warnings)
}

fn told(state: &State) -> String {
    let Budget { profile, every, usd, tokens, .. } = &state.budget;
    let every = if *every == Every::Day { "day" } else { "month" };
    let used = state.used_usd.unwrap_or(0.0);
    let mut parts = Vec::new();
    parts.extend(usd.map(|limit| format!("${used:.2} of ${limit:.2}")));
    parts.extend(tokens.map(|limit| format!("{} of {limit} tokens", state.used_tokens)));
    let unknown = if state.partial && usd.is_some() { "; some of its use has no known price" } else { "" };
    format!("profile {profile} has used {:.0} % of its budget for this {every}: {}{unknown}", state.percent, parts.join(", "))
}

/// After a change of the sums: who passed a level is told of, once, and its proxy routed.
pub(super) fn notice(app: &App, known: &Known) -> Result<()> {
    let mut reached = Vec::new();
    {
        let states = states(app, known, None)?;
        let mut levels = app.levels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for state in states {
            let key = (state.budget.profile.clone(), state.budget.every == Every::Month);
            let before = levels.insert(key, state.level).unwrap_or(0);
            if state.level != before {
                reached.push((state, before));
            }
        }
    }
    for (state, before) in reached {
        let profile = &state.budget.profile;
        if state.level > before {
            tracing::info!(%profile, level = state.level, "a budget reached a level");
            app.bus.publish("budget/reached", profile);
        }
        if (state.level == 100) != (before == 100) && matches!(state.budget.action, Action::Route { .. }) {
            reroute(app, profile);
        }
    }
    Ok(())
}

/// Where all requests of a profile go because its budget is used up.
pub(super) fn routed(app: &App, profile: &str) -> Option<String> {
    let routes = |budget: &Budget| matches!(budget.action, Action::Route { .. });
    if !app.budgets.list(Some(profile)).is_ok_and(|budgets| budgets.iter().any(routes)) {
        return None;
    }
    let states = super::usage::known(app).and_then(|known| states(app, &known, Some(profile)));
    states.ok()?.into_iter().filter(|state| state.level == 100).find_map(|state| match state.budget.action {
        Action::Route { target } => Some(target),
        _ => None,
    })
}

/// What runs is changed with the budget.
fn reroute(app: &App, profile: &str) {
    let Ok(profile) = app.profiles.find(profile) else { return };
    if let Some(warning) = proxy::refresh(app, &Caller::default(), &profile) {
        tracing::warn!(%warning, profile = %profile.alias, "its budget");
    }
}
