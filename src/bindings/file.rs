//! The file itself.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::find::{FILE, read};
use crate::{
    base::{
        env_names::env_name_allowed,
        error::{Error, Result},
        fsx,
    },
    wire::ids::Alias,
};

/// What `.clown.toml` may say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    pub profile: Option<Alias>,
    /// Arguments of each run.
    #[serde(default)]
    pub args: Vec<String>,
    /// Variables of each run.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl Binding {
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::invalid(format!("{} is not understood: {why}", path.display()))
                .hint("it may hold profile = \"NAME\", args = [\"...\"] and a table [env]; correct it, or remove the file")
        };
        let binding: Self = toml::from_str(text).map_err(|e| wrong(e.message().to_owned()))?;
        if let Some(name) = binding.env.keys().find(|name| !env_name_allowed(name)) {
            return Err(wrong(format!("the variable {name} may not be set")));
        }
        Ok(binding)
    }

    /// Whether it says more than which profile.
    pub fn says_more(&self) -> bool {
        !self.args.is_empty() || !self.env.is_empty()
    }
}

/// Sets the profile and keeps the rest, comments included.
pub fn bind(dir: &Path, alias: &Alias) -> Result<()> {
    let path = dir.join(FILE);
    let mut document = document(&path)?.unwrap_or_default();
    document["profile"] = toml_edit::value(alias.as_str());
    fsx::write_atomic(&path, document.to_string().as_bytes(), fsx::Mode::Shared)
}

/// Takes the profile out. Whether there was one.
pub fn unbind(dir: &Path) -> Result<bool> {
    let path = dir.join(FILE);
    let Some(mut document) = document(&path)? else { return Ok(false) };
    let was = document.remove("profile").is_some();
    if was && document.is_empty() {
        fsx::remove(&path)?;
    } else if was {
        fsx::write_atomic(&path, document.to_string().as_bytes(), fsx::Mode::Shared)?;
    }
    Ok(was)
}

fn document(path: &Path) -> Result<Option<toml_edit::DocumentMut>> {
    let Some(text) = read(path)? else { return Ok(None) };
    // Whatever is wrong with it is said before anything is written.
    Binding::parse(path, &text)?;
    let document = text.parse().map_err(|e: toml_edit::TomlError| {
        Error::invalid(format!("{} is not TOML", path.display())).cause(e).hint("correct it, or remove the file")
    })?;
    Ok(Some(document))
}
