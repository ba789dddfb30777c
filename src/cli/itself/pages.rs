//! The manual pages and completions that install.sh put beside the program: said anew by the new program.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use crate::base::{
    error::{Error, Result},
    fsx,
    seams::{Spawn, SpawnSpec, SystemSpawn},
};

const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST: u64 = 1 << 20;
const MAN: &str = "share/man/man1/";
/// Shell, and place below the prefix.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/clown"),
    ("zsh", "share/zsh/site-functions/_clown"),
    ("fish", "share/fish/vendor_completions.d/clown.fish"),
];

/// Renews those that install.sh noted; none where it did not install the program. At each moment its note lists all that is there.
pub(super) fn renew(program: &Path) -> Result<()> {
    let Some(prefix) = program.parent().and_then(Path::parent) else { return Ok(()) };
    let note = prefix.join("share/clown/installed");
    let Some(text) = fsx::read_optional(&note)? else { return Ok(()) };
    let noted: BTreeSet<String> = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
    for (shell, place) in COMPLETIONS.into_iter().filter(|(_, place)| noted.contains(*place)) {
        let said = ask(program, &["completions", shell])?;
        fsx::write_atomic(&prefix.join(place), &said, fsx::Mode::Shared)?;
    }
    let (old, other): (BTreeSet<String>, BTreeSet<String>) = noted.into_iter().partition(|line| is_page(line));
    if old.is_empty() {
        return Ok(());
    }
    let pages = pages(program)?;
    let new: BTreeSet<String> = pages.keys().cloned().collect();
    let write = |lines: BTreeSet<String>| {
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        fsx::write_atomic(&note, text.as_bytes(), fsx::Mode::Shared)
    };
    write(&(&other | &old) | &new)?;
    for (place, page) in &pages {
        fsx::write_atomic(&prefix.join(place), page, fsx::Mode::Shared)?;
    }
    old.difference(&new).try_for_each(|gone| fsx::remove(&prefix.join(gone)))?;
    write(&other | &new)
}

/// One of ours, by its place below the prefix.
fn is_page(place: &str) -> bool {
    let name = place.strip_prefix(MAN).and_then(|name| name.strip_suffix(".1"));
    name.is_some_and(|name| name == "clown" || name.starts_with("clown-") && !name.contains('/'))
}

/// By their places below the prefix.
fn pages(program: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let dir = tempfile::tempdir().map_err(|e| Error::io("no temporary directory can be made").cause(e))?;
    ask(program, &["__man", &dir.path().to_string_lossy()])?;
    let entries = fs::read_dir(dir.path()).map_err(Error::reading(dir.path()))?;
    let places = entries.flatten().map(|entry| (format!("{MAN}{}", entry.file_name().to_string_lossy()), entry.path()));
    places.filter(|(place, _)| is_page(place)).map(|(place, file)| Ok((place, fs::read(&file).map_err(Error::reading(&file))?))).collect()
}

fn ask(program: &Path, args: &[&str]) -> Result<Vec<u8>> {
    let spec = SpawnSpec {
        program: program.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        env: std::env::vars_os().collect(),
        cwd: None,
        stdin: Vec::new(),
        timeout: PATIENCE,
        max_output: LONGEST,
    };
    let failed = || Error::io(format!("the new program did not answer to `clown {}`", args.join(" ")));
    let ran = SystemSpawn.run(&spec).map_err(|e| failed().cause(e))?;
    if ran.code == Some(0) { Ok(ran.stdout.to_vec()) } else { Err(failed()) }
}
