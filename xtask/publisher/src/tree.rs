//! `build`: the files of a channel, and the index that lists them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use argh::FromArgs;
use clown::wire::registry::{Channel, Entry, Index, Kind, SCHEMA};
use sha2::{Digest, Sha256};

use crate::{Outcome, in_days, json, read, write};

#[derive(FromArgs)]
/// Make a channel of a registry from a tree of manifests.
#[argh(subcommand, name = "build")]
pub(crate) struct Build {
    /// directory with agents/, providers/, scripts/, templates/ and models/ (default: manifests)
    #[argh(option, default = "PathBuf::from(\"manifests\")")]
    from: PathBuf,
    /// directory of the registry, other channels of which are left as they are
    #[argh(option)]
    out: PathBuf,
    /// stable, beta or nightly (default: stable)
    #[argh(option, default = "Channel::Stable", from_str_fn(channel))]
    channel: Channel,
    /// number of this publication (default: one more than the last)
    #[argh(option)]
    version: Option<u64>,
    /// days until it is no longer used (default: 30)
    #[argh(option, default = "30")]
    days: u32,
    /// number of the root whose keys will sign it (default: the newest in the directory, else 1)
    #[argh(option)]
    root: Option<u64>,
}

pub(crate) fn channel(text: &str) -> Result<Channel, String> {
    Channel::parse(text).ok_or_else(|| format!("no channel is named {text:?}: take stable, beta or nightly"))
}

impl Build {
    pub fn run(self) -> Outcome {
        let place = self.out.join(self.channel.as_str());
        let found = find(&self.from)?;
        if found.is_empty() {
            return Err(format!("{} has no manifest", self.from.display()));
        }
        let version = match self.version {
            Some(version) => version,
            None => last(&place)?.map_or(1, |version| version + 1),
        };
        let mut index = Index {
            schema: SCHEMA,
            version,
            expires: in_days(self.days)?,
            channel: self.channel,
            commit: String::new(),
            root: self.root.unwrap_or_else(|| crate::root::newest(&self.out)),
            entries: found.iter().map(|(entry, _)| entry.clone()).collect(),
        };
        // Names the whole publication, so that two that differ in anything never share a name.
        index.commit = blake3::hash(&json(&index)?).to_hex().to_string();
        let bytes = json(&index)?;
        // Entries first: an index never names what is not there yet.
        for place in [place.join("commits").join(&index.commit), place.clone()] {
            for (entry, content) in &found {
                write(&place.join(&entry.path), content)?;
            }
            write(&place.join("registry.json"), &bytes)?;
            let _ = fs::remove_file(place.join("registry.json.minisig"));
        }
        println!("{} version {version}, commit {}, {} entries, expires {}", self.channel, index.commit, found.len(), index.expires);
        println!("sign it: cargo xtask registry sign {} --key KEYFILE", place.join("registry.json").display());
        Ok(())
    }
}

/// Version of what was published there last.
fn last(place: &Path) -> Outcome<Option<u64>> {
    let file = place.join("registry.json");
    if !file.exists() {
        return Ok(None);
    }
    let index: Index = serde_json::from_slice(&read(&file)?).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(Some(index.version))
}

/// Every artifact of the tree with its content, in the order of their paths.
fn find(from: &Path) -> Outcome<Vec<(Entry, Vec<u8>)>> {
    let mut found = Vec::new();
    for (kind, dir, end) in [
        (Kind::Agent, "agents", "toml"),
        (Kind::Models, "models", "toml"),
        (Kind::Provider, "providers", "toml"),
        (Kind::Script, "scripts", "rhai"),
        (Kind::Template, "templates", "toml"),
    ] {
        for file in files(&from.join(dir), if kind == Kind::Template { 1 } else { 0 })? {
            let relative = file.strip_prefix(from.join(dir)).map_err(|e| e.to_string())?;
            let id = relative.with_extension("").to_string_lossy().replace('\\', "/");
            if relative.extension().is_none_or(|e| e != end) {
                return Err(format!("{}: a file of {dir} ends in .{end}", file.display()));
            }
            let content = read(&file)?;
            found.push((entry(kind, &id, &content), content));
        }
    }
    Ok(found)
}

fn entry(kind: Kind, id: &str, content: &[u8]) -> Entry {
    Entry {
        kind,
        id: id.to_owned(),
        path: kind.path(id),
        blake3: blake3::hash(content).to_hex().to_string(),
        sha256: Sha256::digest(content).iter().map(|b| format!("{b:02x}")).collect(),
        length: content.len() as u64,
    }
}

/// Files of a directory, sorted; `deeper` says how many levels of directories there are above them.
fn files(dir: &Path, deeper: usize) -> Outcome<Vec<PathBuf>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let told = |e: std::io::Error| format!("cannot read {}: {e}", dir.display());
    let mut paths: Vec<PathBuf> = Vec::new();
    for item in fs::read_dir(dir).map_err(told)? {
        paths.push(item.map_err(told)?.path());
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        match (deeper, path.is_dir()) {
            (0, false) => files.push(path),
            (1.., true) => files.extend(self::files(&path, deeper - 1)?),
            _ => return Err(format!("{} does not belong there", path.display())),
        }
    }
    Ok(files)
}
