//! Where agents keep logs: the user's home and every profile's.

use std::{collections::BTreeMap, path::Path};

use super::moved;
use crate::{
    app::App,
    base::{error::Result, paths::Paths},
    flows::place::BASE_DIRS,
    usage::{service::Scope, side::Log, source::Place},
    wire::{manifest::Isolation, profiles::Profile},
};

pub(crate) fn scope(app: &App) -> Result<Scope> {
    let mut scope = Scope::default();
    if let Some(home) = directories::BaseDirs::new() {
        let moved = BASE_DIRS.iter().filter_map(|(var, _)| Some(((*var).to_owned(), std::env::var(var).ok().filter(|v| !v.is_empty())?)));
        scope.places.push(Place { home: home.home_dir().to_owned(), profile: None, env: moved.collect(), only: None });
    }
    // What is wrong there is told by `usage doctor` and keeps nothing else from being read.
    scope.places.extend(moved::places(app).unwrap_or_default());
    let snapshot = app.manifests.snapshot();
    // A file that cannot be read is told by `profiles list`.
    let (profiles, _) = app.profiles.list()?;
    for profile in &profiles {
        let agent = snapshot.agents.get(profile.agent.as_str()).map(|found| &found.item);
        let own = agent.map(|agent| agent.isolation.env.clone()).unwrap_or_default();
        scope.places.push(place(profile, own.into_iter()));
        scope.providers.insert(profile.alias.to_string(), profile.provider.to_string());
        if let Some(agent) = agent {
            let file = Paths::proxy_usage(Path::new(&profile.home));
            // What an agent without a log of its own used only the proxy can tell.
            let word = agent.usage.clone().unwrap_or_else(|| agent.id.to_string());
            scope.sides.push(Log { file, profile: profile.alias.to_string(), agent: word });
        }
    }
    Ok(scope)
}

fn place(profile: &Profile, own: impl Iterator<Item = (String, String)>) -> Place {
    let home = Path::new(&profile.home);
    let inside = |below: &str| Paths::in_home(home, below).to_string_lossy().into_owned();
    let mut env: BTreeMap<String, String> = own.map(|(var, below)| (var, inside(&below))).collect();
    if profile.isolation == Isolation::HomeWrapper {
        env.extend(BASE_DIRS.iter().map(|(var, below)| ((*var).to_owned(), inside(below))));
    }
    Place { home: home.to_owned(), profile: Some(profile.alias.to_string()), env, only: None }
}
