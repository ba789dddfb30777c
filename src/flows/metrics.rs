//! Figures of all rooms for monitoring.

use std::collections::BTreeMap;

use crate::{
    app::App,
    base::{error::Result, os},
    flows::{proxy, usage},
    wire::{
        envelope::Caller,
        metrics::{Ask, Family, Kind, Metrics, Point, Spread},
        proxy::{State, Status},
        sessions::Session,
        usage::{Figures, Group, Line, Page, Report, Select},
    },
};

pub fn metrics(app: &App, _ask: Ask, caller: &Caller) -> Result<Metrics> {
    let mut families = daemon(app);
    families.extend(sessions(app)?);
    families.extend(used(app, caller)?);
    families.extend(proxies(app, caller)?);
    families.retain(|family| !family.points.is_empty());
    Ok(Metrics { since: app.host.status().started, families })
}

fn family(name: &str, kind: Kind, unit: &str, help: &str, points: Vec<Point>) -> Family {
    Family { name: name.into(), help: help.into(), kind, unit: unit.into(), points }
}

fn point<const N: usize>(labels: [(&str, &str); N], value: f64) -> Point {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Point { labels, value: Some(value), spread: None }
}

fn daemon(app: &App) -> Vec<Family> {
    let status = app.host.status();
    let calls = app.tally.seen();
    let calls = calls.iter().map(|(call, outcome, n)| point([("call", call), ("outcome", outcome)], *n as f64)).collect();
    let memory = os::resident_memory().map(|bytes| point([], bytes as f64)).into_iter().collect();
    vec![
        family("clown_info", Kind::Gauge, "", "1, with the version.", vec![point([("version", &status.version)], 1.0)]),
        family("clown_requests_total", Kind::Counter, "{request}", "Calls over any way in, by what became of them.", calls),
        family("clown_defects_total", Kind::Counter, "{defect}", "Calls that a defect stopped.", vec![point([], status.defects as f64)]),
        family("clown_events_total", Kind::Counter, "{event}", "Events sent.", vec![point([], app.bus.newest() as f64)]),
        family("clown_resident_memory_bytes", Kind::Gauge, "By", "Memory of the daemon.", memory),
    ]
}

fn sessions(app: &App) -> Result<Vec<Family>> {
    let by = |sessions: &[Session]| {
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for session in sessions {
            *counts.entry((&session.profile, &session.agent)).or_default() += 1;
        }
        counts.iter().map(|((profile, agent), n)| point([("profile", profile), ("agent", agent)], *n as f64)).collect::<Vec<_>>()
    };
    let mut live = by(&app.sessions.live()?);
    if live.is_empty() {
        live.push(point([], 0.0));
    }
    let total = vec![point([], app.sessions.count()? as f64)];
    Ok(vec![
        family("clown_sessions_live", Kind::Gauge, "{session}", "Sessions that run now.", live),
        family("clown_sessions_total", Kind::Counter, "{session}", "Sessions there ever were.", total),
    ])
}

/// Each agent's use by profile and model.
fn used(app: &App, caller: &Caller) -> Result<Vec<Family>> {
    let ask = |group: Group, agents: Vec<String>, breakdown: bool| -> Result<Page> {
        let select = Select { agents, ..Select::default() };
        usage::report(app, Report { group, select, breakdown, skip: 0, last: None }, caller)
    };
    let (mut requests, mut tokens, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for agent in ask(Group::Agents, Vec::new(), false)?.lines.iter().filter_map(|line| line.agent.clone()) {
        for line in ask(Group::Profiles, vec![agent.clone()], true)?.lines {
            let profile = line.profile.as_deref().unwrap_or("-");
            for Line { model, figures, .. } in &line.breakdown {
                let labels = [("profile", profile), ("agent", &agent), ("model", model.as_deref().unwrap_or("-"))];
                requests.push(point(labels, figures.requests as f64));
                let [one, two, three] = labels;
                tokens.extend(
                    kinds(figures).into_iter().filter(|(_, n)| *n > 0).map(|(kind, n)| point([one, two, three, ("kind", kind)], n as f64)),
                );
                costs.extend(figures.cost_usd.map(|cost| point(labels, cost)));
            }
        }
    }
    Ok(vec![
        family("clown_model_requests_total", Kind::Counter, "{request}", "Billed requests of agents.", requests),
        family("clown_tokens_total", Kind::Counter, "{token}", "Tokens of agents; the kinds are disjoint.", tokens),
        // Other prices change it in both directions.
        family("clown_cost_usd", Kind::Gauge, "{USD}", "What the tokens cost, where that is known.", costs),
    ])
}

fn kinds(f: &Figures) -> [(&'static str, u64); 5] {
    [
        ("input", f.input_tokens),
        ("output", f.output_tokens.saturating_sub(f.reasoning_tokens)),
        ("reasoning", f.reasoning_tokens),
        ("cache_read", f.cache_read_tokens),
        ("cache_write", f.cache_write_tokens()),
    ]
}

fn proxies(app: &App, caller: &Caller) -> Result<Vec<Family>> {
    let (mut up, mut restarts, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for instance in proxy::status(app, Status::default(), caller)?.instances {
        let running = instance.state == State::Running;
        up.push(point([("profile", &instance.alias)], f64::from(u8::from(running))));
        restarts.push(point([("profile", &instance.alias)], f64::from(instance.restarts)));
        if running {
            let spreads = app.proxies.times(&instance.alias);
            times.extend(spreads.into_iter().map(|(outcome, spread)| timed(&instance.alias, &outcome, spread)));
        }
    }
    Ok(vec![
        family("clown_proxy_up", Kind::Gauge, "", "Whether a profile's proxy serves.", up),
        family("clown_proxy_restarts", Kind::Gauge, "{restart}", "Times it was started again by itself.", restarts),
        family(
            "clown_proxy_request_seconds",
            Kind::Histogram,
            "s",
            "From a request to the end of its answer, since the proxy's process began.",
            times,
        ),
    ])
}

fn timed(profile: &str, outcome: &str, spread: Spread) -> Point {
    Point { value: None, spread: Some(spread), ..point([("profile", profile), ("outcome", outcome)], 0.0) }
}
