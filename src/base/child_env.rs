//! The only place where an agent's environment is made: the caller's, less what the agent must not
//! inherit, plus what the profile says.

use std::{collections::BTreeMap, ffi::OsString};

use super::{
    error::{Error, Result},
    glob,
    secret::Secret,
};
use crate::wire::runs::{EnvChange, KEY_PLACEHOLDER};

/// For glibc's allocator in processes of ours that live long: large messages go back to the system at once instead of staying with the
/// thread that read them.
pub const MEMORY_VARS: &[(&str, &str)] =
    &[("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// Applies a change to an environment. `key` stands in for [`KEY_PLACEHOLDER`] when the change says
/// that the client fetches the key.
pub fn apply(
    caller: impl IntoIterator<Item = (OsString, OsString)>,
    change: &EnvChange,
    key: Option<&Secret>,
) -> Result<BTreeMap<OsString, OsString>> {
    let mut env: BTreeMap<OsString, OsString> = caller
        .into_iter()
        .filter(|(name, _)| {
            let name = name.to_string_lossy();
            !change.remove.iter().any(|pattern| glob::matches(pattern, &name))
        })
        .collect();
    for (name, value) in &change.set {
        let value = value.expose();
        let value = match key {
            Some(key) => value.replace(KEY_PLACEHOLDER, key.expose()),
            None if change.key.is_some() && value.contains(KEY_PLACEHOLDER) => {
                return Err(Error::secrets("the key of this profile was not fetched"));
            }
            None => value.to_owned(),
        };
        env.insert(name.into(), value.into());
    }
    Ok(env)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{runs::KeySource, secret::KeyText};

    fn change(remove: &[&str], set: &[(&str, &str)]) -> EnvChange {
        EnvChange {
            remove: remove.iter().map(|s| (*s).to_owned()).collect(),
            set: set.iter().map(|(k, v)| ((*k).to_owned(), KeyText::new((*v).to_owned()))).collect(),
            key: None,
            fetch: BTreeMap::new(),
        }
    }

    #[test]
    fn removes_by_pattern_then_sets() {
        let caller =
            [("ANTHROPIC_API_KEY", "x"), ("ANTHROPIC_MODEL", "y"), ("PATH", "/bin"), ("TERM", "xterm")].map(|(k, v)| (k.into(), v.into()));
        let env = apply(caller, &change(&["ANTHROPIC_*"], &[("ANTHROPIC_MODEL", "m"), ("HOME", "/h")]), None).unwrap();
        let names: Vec<_> = env.keys().map(|k| k.to_str().unwrap()).collect();
        assert_eq!(names, ["ANTHROPIC_MODEL", "HOME", "PATH", "TERM"]);
        assert_eq!(env[&OsString::from("ANTHROPIC_MODEL")], "m");
    }

    #[test]
    fn a_key_of_the_client_fills_the_placeholder_and_its_absence_is_an_error() {
        let mut change = change(&[], &[("K", "Bearer ${API_KEY}")]);
        change.key = Some(KeySource::Env { var: "V".into() });
        let env = apply([], &change, Some(&Secret::new("abc".into()))).unwrap();
        assert_eq!(env[&OsString::from("K")], "Bearer abc");
        assert!(apply([], &change, None).is_err());
    }
}
