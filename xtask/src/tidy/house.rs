//! Who may import what.

use super::layout::{EXCEPTIONS, KEPT_IN, MAY_IMPORT, ROOM_MAY_IMPORT, ROOMS, is_known};
use super::paths::{Target, references};
use super::tree::{Source, Violation};

pub(crate) fn check(source: &Source) -> Vec<Violation> {
    if !source.is_ours() {
        return Vec::new();
    }
    let module = source.module();
    let mut found = Vec::new();
    let mut say = |line: usize, rule: String, todo: String| found.push(Violation::new(&source.path, line, rule, &todo));
    if let Some(part) = module.first().filter(|part| !is_known(part)) {
        say(
            1,
            format!("`{part}` is not a part of the house"),
            "put it in an existing one, or add it to xtask/src/tidy/layout.rs and ARCHITECTURE.md".into(),
        );
    }
    let tests_from = source.tests_from();
    for reference in references(&source.views.code, &module) {
        let line = reference.line;
        match &reference.target {
            Target::Ours(path) => {
                if let Some(todo) = refusal(source, &module, path, line >= tests_from) {
                    say(line, format!("{} may not import crate::{}", module.first().unwrap_or(&"it"), path.join("::")), todo);
                }
            }
            Target::Other(path) => {
                for (name, places) in KEPT_IN {
                    if starts_with(path, name) && !places.iter().any(|place| source.path.starts_with(place)) {
                        say(line, format!("{name} is used outside {}", places.join(" and ")), "go through that part's own types".into());
                    }
                }
            }
        }
    }
    found.dedup();
    found
}

/// Why `path` may not be named here, as what to do instead; `None` where it may.
fn refusal(source: &Source, module: &[&str], path: &[String], in_test: bool) -> Option<String> {
    let own = module.first()?; // main.rs and lib.rs join everything
    let target = path.first()?.as_str();
    if target == "*" {
        return Some("name what you need".into());
    }
    // A test may build the whole app around its room.
    let excused =
        EXCEPTIONS.iter().any(|(file, allowed)| *file == source.path && starts_with(path, allowed)) || (in_test && target == "app");
    if target == *own || !is_known(target) || excused || !is_known(own) {
        return None;
    }
    let allowed = MAY_IMPORT.iter().find(|(part, _)| part == own).map_or(ROOM_MAY_IMPORT, |(_, allowed)| allowed);
    let permits = |entry: &&str| {
        if **entry == *"rooms" { ROOMS.contains(&target) } else { starts_with(path, entry) }
    };
    if allowed.iter().any(permits) {
        return None;
    }
    Some(if ROOMS.contains(own) && ROOMS.contains(&target) {
        "rooms do not know each other: let a flow pass the data".into()
    } else if ROOMS.contains(&target) {
        "only flows, app and router join rooms: send a typed call".into()
    } else {
        format!("it may import: {}", if allowed.is_empty() { "nothing of ours".into() } else { allowed.join(", ") })
    })
}

fn starts_with(path: &[String], prefix: &str) -> bool {
    let mut parts = path.iter();
    prefix.split("::").all(|part| parts.next().is_some_and(|found| found == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, raw: &str) -> Vec<String> {
        check(&Source::new(path, raw)).into_iter().map(|violation| format!("{}: {}", violation.line, violation.rule)).collect()
    }

    #[test]
    fn rooms_stay_apart() {
        assert_eq!(rules("src/profiles/mod.rs", "use crate::agents::Agent;"), ["1: profiles may not import crate::agents::Agent"]);
        assert_eq!(rules("src/profiles/run.rs", "fn f() { super::super::flows::go() }"), ["1: profiles may not import crate::flows::go"]);
        assert!(rules("src/profiles/run.rs", "use crate::{wire::profile::Alias, base::paths, config};\nuse super::store;").is_empty());
        assert!(rules("src/profiles/run.rs", "// crate::agents::Agent\nlet x = \"crate::agents::Agent\";").is_empty());
        assert!(rules("src/profiles/run.rs", "#[cfg(test)]\nmod tests {\n use crate::app::App;\n}").is_empty());
        assert_eq!(rules("src/profiles/run.rs", "use crate::app::App;").len(), 1);
        assert_eq!(rules("src/profiles/run.rs", "use crate::*;").len(), 1);
    }

    #[test]
    fn layers() {
        assert_eq!(rules("src/wire/a.rs", "use crate::base::x;").len(), 1);
        assert_eq!(rules("src/base/a.rs", "use crate::config::x;").len(), 1);
        assert!(rules("src/flows/a.rs", "use crate::{agents, profiles::x, app::App};").is_empty());
        assert_eq!(rules("src/flows/a.rs", "use crate::ipc::x;").len(), 1);
        assert!(rules("src/cli/a.rs", "use crate::ipc::client::Client;").is_empty());
        assert_eq!(rules("src/cli/a.rs", "use crate::ipc;\nuse crate::ipc::server;\nuse crate::profiles;").len(), 3);
        assert!(rules("src/main.rs", "use crate::profiles::x;").is_empty());
        assert!(rules("src/http/offline.rs", "use crate::providers::offline::answer;").is_empty());
        assert_eq!(rules("src/http/offline.rs", "use crate::providers::x;").len(), 1);
        assert_eq!(rules("src/http/serve.rs", "use crate::providers::offline::answer;").len(), 1);
        assert_eq!(rules("src/helpers/mod.rs", ""), ["1: `helpers` is not a part of the house"]);
    }

    #[test]
    fn other_crates_stay_where_they_belong() {
        assert_eq!(rules("src/flows/a.rs", "use rhai::Engine;\nfn f() { nng::Socket::new(); }").len(), 2);
        assert!(rules("src/scripting/engine.rs", "use rhai::Engine;").is_empty());
        assert_eq!(rules("src/base/paths.rs", "use keyring::Entry;").len(), 1);
        assert!(rules("src/base/secret/keychain.rs", "use keyring::Entry;").is_empty());
        assert_eq!(rules("src/ipc/a.rs", "use hyper::{body::Bytes, server::conn::http1};").len(), 1);
        assert!(rules("src/ipc/a.rs", "use hyper::body::Bytes;").is_empty());
        assert!(rules("src/main.rs", "use rhai::Engine;").len() == 1);
    }
}
