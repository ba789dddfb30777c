//! What providers say is left.

use std::collections::BTreeMap;

use super::{
    keys::{self, ForRun},
    probe::{asked, of_profile, verdict},
    resolve::resolve,
};
use crate::{
    app::App,
    base::{
        error::Result,
        secret::{Secret, clean_key},
    },
    providers::account,
    wire::{
        envelope::Caller,
        manifest::{Endpoint, ProviderKind, ProviderManifest},
        profiles::{Credential, Profile},
        providers::{Outcome, Quota, QuotaRow, Quotas},
        secret::KeyText,
    },
};

/// Questions under way at once.
const AT_ONCE: usize = 8;

pub fn quota(app: &App, ask: Quota, caller: &Caller) -> Result<Quotas> {
    let profiles = match &ask.alias {
        Some(alias) => vec![app.profiles.find(alias)?],
        None => app.profiles.list()?.0,
    };
    // Profiles that share key and endpoint have one answer.
    let mut shared: BTreeMap<String, Vec<&Profile>> = BTreeMap::new();
    for profile in &profiles {
        let own = match &profile.credential {
            Credential::Stored { store, key } => format!("{store} {key}"),
            _ => profile.alias.to_string(),
        };
        shared.entry(format!("{} {own} {}", profile.provider, profile.endpoint.as_deref().unwrap_or_default())).or_default().push(profile);
    }
    let groups: Vec<Vec<&Profile>> = shared.into_values().collect();
    let mut rows = Vec::new();
    for batch in groups.chunks(AT_ONCE) {
        let answers: Vec<QuotaRow> = std::thread::scope(|scope| {
            let asked: Vec<_> =
                batch.iter().filter_map(|group| group.first()).map(|p| scope.spawn(|| one(app, p, &ask.keys, caller))).collect();
            asked.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        for (group, answer) in batch.iter().zip(answers) {
            rows.extend(group.iter().map(|p| QuotaRow { alias: p.alias.to_string(), ..answer.clone() }));
        }
    }
    rows.sort_by(|a, b| a.alias.cmp(&b.alias));
    Ok(Quotas { profiles: rows })
}

fn one(app: &App, profile: &Profile, given: &BTreeMap<String, KeyText>, caller: &Caller) -> QuotaRow {
    let mut row = QuotaRow {
        alias: profile.alias.to_string(),
        provider: profile.provider.to_string(),
        outcome: Outcome::Unknown,
        message: None,
        figures: Vec::new(),
        needs: None,
    };
    if let Err(error) = fill(app, profile, given, caller, &mut row) {
        (row.outcome, row.message) = (Outcome::Failed, Some(error.to_string()));
    }
    row
}

fn fill(app: &App, profile: &Profile, given: &BTreeMap<String, KeyText>, caller: &Caller, row: &mut QuotaRow) -> Result<()> {
    let snapshot = app.manifests.snapshot();
    let provider = snapshot.provider(profile.provider.as_str())?.item.clone();
    match provider.kind {
        ProviderKind::Own => row.message = Some("the agent's own login: ask the agent, such as with /usage or /status".into()),
        ProviderKind::Offline => row.message = Some("the model inside clown costs nothing".into()),
        ProviderKind::Remote if provider.balance.is_empty() => {
            let see = provider.homepage.as_ref().map(|page| format!("; see {page}")).unwrap_or_default();
            row.message = Some(format!("nothing is known of how {} tells what is left{see}", provider.name));
        }
        ProviderKind::Remote => {
            let resolved = resolve(&snapshot, profile)?;
            let key = match given.get(profile.alias.as_str()) {
                Some(text) => clean_key(text.expose())?,
                None => match keys::for_run(app, &caller.env, profile, &resolved)? {
                    ForRun::Held(key) => key,
                    ForRun::Client(source) => {
                        row.message = Some("its key is read at each run, where it runs".into());
                        row.needs = Some(source);
                        return Ok(());
                    }
                    ForRun::None => {
                        row.message = Some("its endpoint takes no key".into());
                        return Ok(());
                    }
                },
            };
            let endpoint = of_profile(app, &provider, profile, None)?;
            read(app, &provider, &endpoint, &key, row);
        }
    }
    Ok(())
}

/// Every document for the region; one that fails hides no other.
fn read(app: &App, provider: &ProviderManifest, endpoint: &Endpoint, key: &Secret, row: &mut QuotaRow) {
    let here = |regions: &[String]| regions.is_empty() || endpoint.region.as_ref().is_some_and(|r| regions.contains(r));
    let mut failed = None;
    for balance in provider.balance.iter().filter(|b| here(&b.regions)) {
        let told = asked(app, endpoint, Some(key), balance.bare_key, &account::at(endpoint, &balance.path));
        let read = told.as_ref().ok().filter(|t| t.status == 200).map(|told| account::figures(balance, &told.body));
        match read {
            Some(Ok(figures)) => row.figures.extend(figures),
            Some(Err(why)) => failed = Some((Outcome::Failed, format!("{} says: {why}", provider.name))),
            None => failed = Some(verdict(provider, endpoint, true, told, false)),
        }
    }
    (row.outcome, row.message) = match (row.figures.is_empty(), failed) {
        (false, _) => (Outcome::Ok, None),
        (true, Some((outcome, message))) => (outcome, Some(message)),
        (true, None) => (Outcome::Unknown, Some("nothing is known of how this endpoint tells what is left".into())),
    };
}
