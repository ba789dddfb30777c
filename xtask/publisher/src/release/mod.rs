//! `release`: archives, packages, lists and signatures of programs that were built.
//!
//! `cargo xtask dist` builds the programs and calls this. The index is written last, and nothing is signed before all of it is there.

mod archive;
mod bom;
mod deb;
mod index;
mod licences;
mod recipes;
#[cfg(test)]
mod tests;
mod tree;

use std::{
    fs,
    path::{Path, PathBuf},
};

use argh::FromArgs;
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};
use minisign::PublicKey;

use crate::{Outcome, sign, write};

#[derive(FromArgs)]
/// Pack built programs as a release. `cargo xtask dist` does this after building them.
#[argh(subcommand, name = "release")]
pub(crate) struct Pack {
    /// directory with TARGET/clown, or TARGET/clown.exe, for each target, and man/
    #[argh(option)]
    stage: PathBuf,
    /// directory of the release; what is in it is removed
    #[argh(option)]
    out: PathBuf,
    /// where the newest release will be served; without one, install.sh has to be told
    #[argh(option)]
    base_url: Option<String>,
    /// where this version stays served (default: the base URL)
    #[argh(option)]
    version_url: Option<String>,
    /// name of the npm package (default: clown)
    #[argh(option, default = "String::from(\"clown\")")]
    npm_name: String,
    /// who answers for the Debian package: name and mail address, as its Maintainer field has them
    #[argh(option, default = "String::from(\"clown <clown@localhost>\")")]
    maintainer: String,
    /// secret key of minisign's format; may be repeated
    #[argh(option)]
    key: Vec<PathBuf>,
    /// time of every file in the archives, in seconds since 1970
    #[argh(option)]
    epoch: u64,
}

/// What every part of a release is made from.
pub(crate) struct Release {
    pub version: String,
    pub description: String,
    pub licence: String,
    pub epoch: u64,
    /// The repository.
    pub root: PathBuf,
    pub out: PathBuf,
    pub base_url: Option<String>,
    pub version_url: Option<String>,
    pub npm_name: String,
    pub maintainer: String,
    /// Public keys of those who sign.
    pub keys: Vec<String>,
    pub built: Vec<Built>,
}

/// One target's program.
pub(crate) struct Built {
    pub target: String,
    pub program: Vec<u8>,
    /// `clown` or `clown.exe`.
    pub name: &'static str,
    /// What goes beside it into archives, by path.
    pub files: Vec<tree::File>,
}

impl Pack {
    pub fn run(self) -> Outcome {
        let keys: Vec<_> = self.key.iter().map(|file| sign::secret(file)).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err("--key KEYFILE says which key signs the release".into());
        }
        let public = keys.iter().map(|key| PublicKey::from_secret_key(key).map(|k| k.to_base64()).map_err(|e| e.to_string()));
        let metadata = metadata(None)?;
        let package = own_package(&metadata)?;
        let base_url = self.base_url.map(|url| url.trim_end_matches('/').to_owned());
        let mut release = Release {
            version: package.version.to_string(),
            description: package.description.clone().unwrap_or_default(),
            licence: package.license.clone().unwrap_or_default(),
            epoch: self.epoch,
            root: metadata.workspace_root.clone().into_std_path_buf(),
            out: self.out,
            version_url: self.version_url.map(|url| url.trim_end_matches('/').to_owned()).or_else(|| base_url.clone()),
            base_url,
            npm_name: self.npm_name,
            maintainer: self.maintainer,
            keys: public.collect::<Result<_, String>>()?,
            built: Vec::new(),
        };
        if release.out.exists() {
            fs::remove_dir_all(&release.out).map_err(|e| format!("cannot empty {}: {e}", release.out.display()))?;
        }
        for target in targets(&self.stage)? {
            let built = built(&release, &self.stage, &target)?;
            release.built.push(built);
        }
        if release.built.is_empty() {
            return Err(format!("{} has no program: build one first, with cargo xtask dist --build", self.stage.display()));
        }
        for built in &release.built {
            archive::write(&release, built)?;
            deb::write(&release, built)?;
            bom::write(&release, &metadata_of(built)?, built)?;
        }
        recipes::write(&release)?;
        let signed = index::write(&release)?;
        for file in signed {
            sign::add(&file, &keys)?;
        }
        println!("{}: clown {} for {}", release.out.display(), release.version, names(&release.built));
        Ok(())
    }
}

impl Release {
    /// Writes a file of the release.
    fn put(&self, name: &str, bytes: &[u8]) -> Outcome {
        write(&self.out.join(name), bytes)
    }

    fn read(&self, below_root: &str) -> Outcome<Vec<u8>> {
        crate::read(&self.root.join(below_root))
    }
}

fn names(built: &[Built]) -> String {
    built.iter().map(|b| b.target.as_str()).collect::<Vec<_>>().join(", ")
}

/// Directories of the stage that hold a program, sorted.
fn targets(stage: &Path) -> Outcome<Vec<String>> {
    let told = |e: std::io::Error| format!("cannot read {}: {e}", stage.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(stage).map_err(told)? {
        let entry = entry.map_err(told)?;
        if program(&entry.path()).is_some() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

fn program(dir: &Path) -> Option<&'static str> {
    ["clown", "clown.exe"].into_iter().find(|name| dir.join(name).is_file())
}

fn built(release: &Release, stage: &Path, target: &str) -> Outcome<Built> {
    let dir = stage.join(target);
    let name = program(&dir).ok_or_else(|| format!("{} has no program", dir.display()))?;
    let mut built = Built { target: target.to_owned(), program: crate::read(&dir.join(name))?, name, files: Vec::new() };
    let texts = licences::text(&metadata_of(&built)?)?;
    built.files = tree::files(release, &stage.join("man"), texts.into_bytes())?;
    Ok(built)
}

fn metadata_of(built: &Built) -> Outcome<Metadata> {
    metadata(Some(&built.target))
}

/// Of the workspace we stand in, with the dependencies of one platform.
fn metadata(target: Option<&str>) -> Outcome<Metadata> {
    let mut command = MetadataCommand::new();
    command.features(CargoOpt::SomeFeatures(Vec::new()));
    let mut options = vec!["--locked".to_owned()];
    options.extend(target.map(|target| format!("--filter-platform={target}")));
    command.other_options(options).exec().map_err(|e| format!("cargo metadata: {e}"))
}

fn own_package(metadata: &Metadata) -> Outcome<&Package> {
    metadata
        .packages
        .iter()
        .find(|p| p.name.as_str() == "clown" && p.source.is_none())
        .ok_or_else(|| "there is no package clown here".into())
}

/// Packages that are linked into the program, and which each of them asks for; the program's own comes first.
fn linked(metadata: &Metadata) -> Outcome<Vec<(&Package, Vec<&Package>)>> {
    use cargo_metadata::DependencyKind;
    let resolve = metadata.resolve.as_ref().ok_or("cargo metadata resolves nothing")?;
    let mut todo = vec![own_package(metadata)?.id.clone()];
    let mut seen = Vec::new();
    let mut found = Vec::new();
    while let Some(id) = todo.pop() {
        if seen.contains(&id) {
            continue;
        }
        let node = resolve.nodes.iter().find(|n| n.id == id).ok_or_else(|| format!("{id} is not resolved"))?;
        let normal = node.deps.iter().filter(|d| d.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal));
        let wanted: Vec<_> = normal.map(|d| d.pkg.clone()).collect();
        found.push((&metadata[&id], wanted.iter().map(|id| &metadata[id]).collect()));
        todo.extend(wanted);
        seen.push(id);
    }
    found[1..].sort_by_key(|(p, _)| (p.name.to_string(), p.version.clone()));
    Ok(found)
}
