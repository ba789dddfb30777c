//! Variables of the caller that come between. Names are told, never values.

use std::collections::BTreeSet;

use crate::{
    base::glob,
    wire::doctor::{Finding, Level, Watched},
};

/// Of these a value matters to clown itself or to every agent.
const ALWAYS: &[(&str, Level, &str)] = &[
    ("CLOWN_DAEMON_ENDPOINT", Level::Note, "moves the daemon's socket"),
    ("CLOWN_REGISTRY_URL", Level::Note, "is used in place of registry.url"),
    ("CLOWN_REGISTRY_CHANNEL", Level::Note, "is used in place of registry.channel"),
    ("CLOWN_REAL_HOME", Level::Note, "is set because this shell runs inside a profile"),
    ("NODE_TLS_REJECT_UNAUTHORIZED", Level::Warning, "can switch off the check of certificates in agents, and then anyone may read a key"),
    ("NODE_OPTIONS", Level::Note, "reaches every agent that runs on Node"),
    ("LD_PRELOAD", Level::Warning, "puts code into every agent, where keys are"),
    ("DYLD_INSERT_LIBRARIES", Level::Warning, "puts code into every agent, where keys are"),
    ("HTTP_PROXY", Level::Note, "leads requests of agents through another proxy"),
    ("HTTPS_PROXY", Level::Note, "leads requests of agents through another proxy"),
    ("ALL_PROXY", Level::Note, "leads requests of agents through another proxy"),
    ("http_proxy", Level::Note, "leads requests of agents through another proxy"),
    ("https_proxy", Level::Note, "leads requests of agents through another proxy"),
    ("all_proxy", Level::Note, "leads requests of agents through another proxy"),
];

/// `set`: names of this process's variables that are not empty.
pub(super) fn compare(watched: &[Watched], set: &BTreeSet<String>) -> Vec<Finding> {
    let mut found: Vec<Finding> = ALWAYS
        .iter()
        .filter(|(name, ..)| set.contains(*name))
        .map(|(name, level, why)| {
            Finding::new("variable", *level, format!("{name} {why}")).fix(format!("unset {name}, if you did not set it on purpose"))
        })
        .collect();
    let removed = |name: &str| -> Vec<&str> {
        let of = watched.iter().filter_map(|w| match w {
            Watched::Removed { pattern, agent } if glob::matches(pattern, name) => Some(agent.as_str()),
            _ => None,
        });
        sorted(of)
    };
    let agents = sorted(watched.iter().filter_map(|w| match w {
        Watched::Removed { agent, .. } => Some(agent.as_str()),
        _ => None,
    }));
    for name in set {
        let left_out = removed(name);
        if !left_out.is_empty() {
            let who = left_out.join(" and ");
            let what = format!("{name} is set: clown keeps it from {who}, and {who} started without clown uses it");
            found.push(Finding::new("variable", Level::Note, what).fix(format!("unset {name}, if only profiles should count")));
        }
    }
    for w in watched {
        match w {
            Watched::Key { name, profile } if !set.contains(name) => {
                let what = format!("profile {profile} reads its key from {name}, which is not set here");
                found.push(Finding::new("credential", Level::Warning, what).fix(format!("export {name}=...")));
            }
            Watched::Vendor { name, provider } if set.contains(name) => {
                let left_out = removed(name);
                let reached: Vec<&str> = agents.iter().copied().filter(|agent| !left_out.contains(agent)).collect();
                if !reached.is_empty() {
                    let what = format!("{name} is set and reaches {}, which may use {provider} with it", reached.join(" and "));
                    found.push(Finding::new("variable", Level::Warning, what).fix(format!("unset {name}, and give the key to a profile")));
                }
            }
            _ => {}
        }
    }
    found
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_is_told_with_who_gets_it() {
        let removed = |pattern: &str, agent: &str| Watched::Removed { pattern: pattern.into(), agent: agent.into() };
        let watched = [
            removed("ANTHROPIC_*", "claude"),
            removed("OPENCODE*", "opencode"),
            Watched::Key { name: "MY_KEY".into(), profile: "work".into() },
            Watched::Vendor { name: "ANTHROPIC_API_KEY".into(), provider: "anthropic".into() },
            Watched::Vendor { name: "ZAI_API_KEY".into(), provider: "zai".into() },
        ];
        let told = |names: &[&str]| -> Vec<String> {
            compare(&watched, &names.iter().map(|n| (*n).to_owned()).collect()).into_iter().map(|f| f.what).collect()
        };
        assert_eq!(told(&["MY_KEY", "PATH"]), [""; 0]);
        assert_eq!(told(&[]), ["profile work reads its key from MY_KEY, which is not set here"]);
        assert_eq!(
            told(&["MY_KEY", "ANTHROPIC_API_KEY"]),
            [
                "ANTHROPIC_API_KEY is set: clown keeps it from claude, and claude started without clown uses it",
                "ANTHROPIC_API_KEY is set and reaches opencode, which may use anthropic with it",
            ]
        );
        assert_eq!(told(&["MY_KEY", "ZAI_API_KEY"]), ["ZAI_API_KEY is set and reaches claude and opencode, which may use zai with it"]);
        assert!(told(&["MY_KEY", "LD_PRELOAD"])[0].starts_with("LD_PRELOAD puts code"));
    }
}
