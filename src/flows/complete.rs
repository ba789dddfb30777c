//! Words for a shell's completion: only what is in memory or in small files.

use crate::{
    app::App,
    base::error::Result,
    config::SETTINGS,
    providers::fits,
    wire::{
        complete::{Ask, Kind, Word, Words},
        envelope::Caller,
        sessions,
    },
};

const MOST: usize = 200;
/// Of the newest sessions.
const SESSIONS: usize = 50;

pub fn words(app: &App, ask: Ask, caller: &Caller) -> Result<Words> {
    let mut words = all(app, &ask, caller)?;
    words.retain(|word| word.word.starts_with(&ask.begins));
    // The newest session comes first.
    if ask.kind != Kind::Sessions {
        words.sort_by(|a, b| a.word.cmp(&b.word));
        words.dedup_by(|a, b| a.word == b.word);
    }
    words.truncate(MOST);
    Ok(Words { words })
}

fn word(word: impl ToString, help: impl Into<String>) -> Word {
    Word { word: word.to_string(), help: help.into() }
}

fn all(app: &App, ask: &Ask, caller: &Caller) -> Result<Vec<Word>> {
    let snapshot = app.manifests.snapshot();
    // A wrong name on the line leads to no words, not to an error.
    let agent = ask.agent.as_deref().and_then(|id| snapshot.agent(id).ok());
    Ok(match ask.kind {
        Kind::Profiles => app.profiles.list()?.0.iter().map(|p| word(&p.alias, format!("{} at {}", p.agent, p.provider))).collect(),
        Kind::Agents => snapshot.agents.values().map(|a| word(&a.item.id, a.item.name.as_str())).collect(),
        Kind::Providers => {
            let fitting = snapshot.providers.values().filter(|p| agent.is_none_or(|agent| fits(&agent.item, &p.item)));
            fitting.map(|p| word(&p.item.id, p.item.name.as_str())).collect()
        }
        Kind::Models => {
            let profile = ask.profile.as_deref().and_then(|alias| app.profiles.find(alias).ok());
            let of = ask.provider.clone().or_else(|| profile.map(|p| p.provider.to_string()));
            let chosen = snapshot.providers.values().filter(|p| of.as_ref().is_none_or(|of| of == p.item.id.as_str()));
            chosen.flat_map(|p| p.item.models.iter().map(|m| word(&m.id, p.item.name.as_str()))).collect()
        }
        Kind::Sessions => {
            let listed = app.sessions.list(&sessions::List { limit: SESSIONS, ..Default::default() })?;
            listed.sessions.iter().map(|s| word(&s.id, format!("{} {}", s.profile, s.started))).collect()
        }
        Kind::Scripts => snapshot.scripts.keys().map(|name| word(name, "")).collect(),
        Kind::Templates => {
            let listed = super::templates::list(app, crate::wire::templates::List { agent: ask.agent.clone() }, caller)?;
            listed.templates.iter().map(|t| word(&t.name, "")).collect()
        }
        Kind::Settings => SETTINGS.iter().map(|known| word(known.key, known.help)).collect(),
    })
}
