//! Some agents run a project's files inside their own process, and no setting stops them. With a key
//! in that process, such a project must be trusted first.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{place::user_home, resolve::Resolved};
use crate::{
    app::App,
    base::error::{Error, Result},
    wire::{
        envelope::Caller,
        manifest::{ProjectCode, Reach},
        profiles::Profile,
        proxy::Use,
    },
};

const PREFERENCE: &str = "project_config";

pub(crate) fn check(app: &App, profile: &Profile, resolved: &Resolved, caller: &Caller) -> Result<()> {
    let agent = &resolved.agent.item;
    // Most agents have no such files, and their runs read no settings for it. Behind a proxy the key is
    // not in the agent at all.
    if !resolved.needs_key() || resolved.proxy != Use::Off || agent.isolation.project_code.is_empty() {
        return Ok(());
    }
    let preferences = app.config.preferences()?;
    if profile.preferences.get(PREFERENCE).or_else(|| preferences.get(PREFERENCE)).is_some_and(|p| p == "trusted") {
        return Ok(());
    }
    match find(&agent.isolation.project_code, Path::new(&caller.cwd), &user_home(caller)?) {
        None => Ok(()),
        Some(found) => {
            Err(Error::refused(format!("{} would run {} with the key of profile {} in reach", agent.name, found.display(), profile.alias))
                .hint(format!("if you trust this project's code: clown profiles edit {} --pref {PREFERENCE}=trusted", profile.alias))
                .hint("or run it from another directory, or move that file away"))
        }
    }
}

/// The first such file in a directory or above it. Where an agent stops looking is git's decision, and
/// a damaged `.git` or one of another owner makes it go on to the root; so every parent counts.
fn find(places: &[ProjectCode], cwd: &Path, home: &Path) -> Option<PathBuf> {
    let looks = |place: &ProjectCode, dir: &Path| match place.reach {
        Reach::Above => true,
        Reach::BelowHome => dir == cwd || dir != home,
        Reach::Here => dir == cwd,
    };
    cwd.ancestors().find_map(|dir| {
        let mut paths = places.iter().filter(|place| looks(place, dir)).map(|place| (dir.join(&place.path), place));
        paths.find(|(path, place)| hit(path, place)).map(|(path, _)| path)
    })
}

fn hit(path: &Path, place: &ProjectCode) -> bool {
    match &place.key {
        // Text, not JSON: these files may hold comments, and a false alarm only asks for trust. An
        // escaped letter can be part of the key.
        Some(key) => fs::read(path).is_ok_and(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            text.contains(&format!("\"{key}\"")) || text.contains("\\u00")
        }),
        None if path.is_dir() => fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()),
        None => path.exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &str, key: Option<&str>, reach: Reach) -> ProjectCode {
        ProjectCode { path: path.into(), key: key.map(str::to_owned), reach }
    }

    #[test]
    fn code_is_found_in_the_directory_and_all_above_it() {
        let dir = tempfile::tempdir().unwrap();
        let (root, cwd) = (dir.path().join("repo"), dir.path().join("repo/a/b"));
        fs::create_dir_all(&cwd).unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        let places = [code(".x/plugin", None, Reach::Above), code("x.json", Some("plugin"), Reach::Above)];
        let find = |places: &[ProjectCode], cwd: &Path| find(places, cwd, dir.path());
        fs::create_dir_all(root.join(".x/plugin")).unwrap();
        assert_eq!(find(&places, &cwd), None, "an empty directory is no code");
        fs::write(root.join("x.json"), "{ \"theme\": [] }").unwrap();
        assert_eq!(find(&places, &cwd), None, "without the key it is no code");
        for key in ["plugin", r"plu\u0067in"] {
            fs::write(root.join("x.json"), format!("{{ // c\n \"{key}\": [] }}")).unwrap();
            assert_eq!(find(&places, &cwd), Some(root.join("x.json")), "{key}");
        }
        fs::remove_file(root.join("x.json")).unwrap();
        fs::create_dir_all(dir.path().join(".x/plugin")).unwrap();
        fs::write(dir.path().join(".x/plugin/evil.js"), "").unwrap();
        assert_eq!(find(&places, &cwd), Some(dir.path().join(".x/plugin")), "a damaged .git stops nobody");
    }
    #[test]
    fn an_agent_s_own_files_in_the_home_are_no_project_s() {
        let home = tempfile::tempdir().unwrap();
        let cwd = home.path().join("repo/inner");
        fs::create_dir_all(&cwd).unwrap();
        fs::write(home.path().join("s.json"), "").unwrap();
        let hits = |reach, cwd: &Path| find(&[code("s.json", None, reach)], cwd, home.path()).is_some();
        assert_eq!([Reach::Above, Reach::BelowHome, Reach::Here].map(|reach| hits(reach, &cwd)), [true, false, false]);
        assert!(hits(Reach::BelowHome, home.path()) && hits(Reach::Here, home.path()), "there they are the project's");
        fs::write(home.path().join("repo/s.json"), "").unwrap();
        assert_eq!([Reach::BelowHome, Reach::Here].map(|reach| hits(reach, &cwd)), [true, false]);
    }
}
