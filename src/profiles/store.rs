//! `profiles/<alias>.json`.

use std::{fs, path::PathBuf};

use crate::{
    base::{
        error::{Error, Result, closest},
        fsx,
        paths::Paths,
        stored,
    },
    wire::{
        ids::Alias,
        manifest::Problem,
        profiles::{Profile, STORED_VERSION},
    },
};

#[derive(Clone)]
pub struct Store {
    paths: Paths,
}

impl Store {
    pub fn new(paths: Paths) -> Self {
        Self { paths }
    }

    /// Held while a profile is made, changed or removed, so that a check and its write are one step.
    pub fn lock(&self) -> Result<fs::File> {
        fsx::lock_beside(&self.paths.profiles_dir().join("profiles"))
    }

    /// Every readable profile by alias, and a problem for every other file.
    pub fn list(&self) -> Result<(Vec<Profile>, Vec<Problem>)> {
        let dir = self.paths.profiles_dir();
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
            Err(e) => return Err(Error::reading(&dir)(e).hint("see what is at that place; make it readable for you, or move it away")),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
        paths.sort();
        let (mut profiles, mut problems) = (Vec::new(), Vec::new());
        for path in paths {
            let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
            match Alias::parse(stem).map_err(Error::from).and_then(|alias| self.get(&alias)) {
                Ok(profile) => profiles.push(profile),
                Err(error) => {
                    problems.push(Problem { file: path.display().to_string(), line: None, key: None, message: error.to_string() })
                }
            }
        }
        Ok((profiles, problems))
    }

    pub fn exists(&self, alias: &Alias) -> bool {
        fs::symlink_metadata(self.paths.profile_file(alias)).is_ok()
    }

    pub fn get(&self, alias: &Alias) -> Result<Profile> {
        let path = self.paths.profile_file(alias);
        let Some(bytes) = fsx::read_optional(&path)? else { return Err(self.missing(alias)) };
        let damaged = |why: String| {
            Error::corrupt(format!("profile {alias} cannot be read: {}: {why}", path.display()))
                .hint("mend the file or move it away; clown leaves it as it is")
        };
        let profile = stored::parse(&bytes, |profile: &Profile| profile.version, STORED_VERSION, damaged)?;
        if profile.alias != *alias {
            return Err(damaged(format!("it says its alias is {}", profile.alias)));
        }
        if !std::path::Path::new(&profile.home).is_absolute() {
            return Err(damaged("its home is not an absolute path".into()));
        }
        Ok(profile)
    }

    /// By a name as the user typed it.
    pub fn find(&self, name: &str) -> Result<Profile> {
        match Alias::parse(name) {
            Ok(alias) => self.get(&alias),
            Err(bad) => Err(bad.into()),
        }
    }

    fn missing(&self, alias: &Alias) -> Error {
        let error = Error::not_found(format!("profile {:?} not found", alias.as_str()));
        let known: Vec<String> = self.list().map(|(p, _)| p.into_iter().map(|p| p.alias.into()).collect()).unwrap_or_default();
        if known.is_empty() {
            return error.hint("there is none yet; create one: clown profiles create AGENT ALIAS --provider PROVIDER");
        }
        let error = match closest(alias.as_str(), known.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean {near}")),
            None => error,
        };
        error.hint("list profiles: clown profiles list")
    }

    /// Refuses an alias that is taken, before anything is made for it.
    pub fn require_free(&self, alias: &Alias) -> Result<()> {
        if self.exists(alias) { Err(taken(alias)) } else { Ok(()) }
    }

    /// Commits a new profile; refuses when the alias is taken.
    pub fn create(&self, profile: &Profile) -> Result<()> {
        let path = self.paths.profile_file(&profile.alias);
        if fsx::create_atomic(&path, &encode(profile)?)? { Ok(()) } else { Err(taken(&profile.alias)) }
    }

    pub fn replace(&self, profile: &Profile) -> Result<()> {
        fsx::write_atomic(&self.paths.profile_file(&profile.alias), &encode(profile)?, fsx::Mode::Private)
    }

    pub fn delete(&self, alias: &Alias) -> Result<()> {
        fsx::remove(&self.paths.profile_file(alias))
    }
}

fn taken(alias: &Alias) -> Error {
    Error::exists(format!("a profile called {:?} exists already", alias.as_str()))
        .hint(format!("look at it: clown profiles inspect {alias}"))
        .hint("choose another alias, or change it: clown profiles edit")
}

/// As it is stored.
pub fn encode(profile: &Profile) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(profile).map_err(|e| Error::io("cannot encode a profile").cause(e))?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(alias: &str) -> Profile {
        serde_json::from_value(serde_json::json!({
            "version": 1, "alias": alias, "agent": "claude", "provider": "zai", "isolation": "home-wrapper",
            "home": "/h", "created": "2026-01-01T00:00:00.000Z", "later_field": {"kept": true}
        }))
        .unwrap()
    }

    #[test]
    fn unknown_fields_survive_a_rewrite() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(Paths::at(dir.path()));
        store.create(&profile("a")).unwrap();
        let mut read = store.find("a").unwrap();
        read.model = Some("m".into());
        store.replace(&read).unwrap();
        assert_eq!(store.find("a").unwrap().rest["later_field"]["kept"], true);
        assert!(store.create(&profile("a")).is_err());
    }

    #[test]
    fn a_damaged_file_is_reported_left_alone_and_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(Paths::at(dir.path()));
        store.create(&profile("good")).unwrap();
        let bad = dir.path().join("profiles/bad.json");
        for content in ["", "{", "[]", "{\"version\":9}"] {
            fs::write(&bad, content).unwrap();
            let (profiles, problems) = store.list().unwrap();
            assert_eq!((profiles.len(), problems.len()), (1, 1), "{content}");
            assert!(store.find("bad").is_err());
            assert!(store.create(&profile("bad")).is_err());
            assert_eq!(fs::read_to_string(&bad).unwrap(), content);
        }
        assert!(store.find("../good").is_err());
    }

    #[test]
    fn the_golden_files_of_version_1_still_read() {
        for golden in [include_str!("../../tests/golden/profile-v1.json"), include_str!("../../tests/golden/profile-v1-proxy.json")] {
            let profile: Profile = serde_json::from_str(golden).unwrap();
            assert_eq!(String::from_utf8(encode(&profile).unwrap()).unwrap(), golden);
        }
    }
}
