//! `clown export` and `clown import`

use std::{
    io::{self, IsTerminal, Read, Write},
    path::PathBuf,
};

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, printable},
    prompt,
    table::Table,
};
use crate::{
    base::{
        error::{Error, Result},
        fsx,
        paths::Paths,
    },
    wire::{
        moving::{Export, Exported, Import, Imported, OnConflict},
        secret::KeyText,
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Write profiles, the settings in their homes, budgets, MCP servers and your own manifests into one file, for another machine or as a backup.
/// Keys stay out unless --with-secrets is given.
#[argh(
    subcommand,
    name = "export",
    example = "clown export > clown.tar.gz\nclown export --with-history --with-secrets --output backup.tar.gz"
)]
pub(super) struct ExportArgs {
    /// only this profile; may be repeated
    #[argh(option, arg_name = "alias")]
    profile: Vec<String>,
    /// with the agents' transcripts, as they are: they may quote anything an agent saw
    #[argh(switch)]
    with_history: bool,
    /// with the registry as it is here, and its pin
    #[argh(switch)]
    registry: bool,
    /// with keys, encrypted under a passphrase (age)
    #[argh(switch)]
    with_secrets: bool,
    /// read the passphrase from standard input
    #[argh(switch)]
    passphrase_stdin: bool,
    /// take the passphrase from this variable
    #[argh(option, arg_name = "var")]
    passphrase_env: Option<String>,
    /// write this new file (default: standard output)
    #[argh(option, short = 'o', arg_name = "file")]
    output: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Take in what an export holds: all of it, or nothing. Settings can run programs, so import only files you trust.
#[argh(
    subcommand,
    name = "import",
    usage = "<file> [<options>]",
    example = "clown import clown.tar.gz --dry-run\nclown import clown.tar.gz --on-conflict rename"
)]
pub(super) struct ImportArgs {
    /// file that clown export wrote
    #[argh(positional)]
    file: String,
    /// show what would be done, change nothing
    #[argh(switch)]
    dry_run: bool,
    /// what to do about names that are taken: fail (default), skip, rename or replace
    #[argh(option, default = "String::from(\"fail\")", arg_name = "what")]
    on_conflict: String,
    /// read the passphrase of its keys from standard input
    #[argh(switch)]
    passphrase_stdin: bool,
    /// take the passphrase from this variable
    #[argh(option, arg_name = "var")]
    passphrase_env: Option<String>,
}

impl ExportArgs {
    pub fn run(self, output: Output) -> Result<i32> {
        if !self.with_secrets && (self.passphrase_stdin || self.passphrase_env.is_some()) {
            return Err(Error::usage("a passphrase is for keys").hint("add --with-secrets"));
        }
        if self.output.is_none() && (io::stdout().is_terminal() || output.json) {
            let why =
                if output.json { "with --json, standard output is not for the export" } else { "an export is no text for a terminal" };
            return Err(Error::usage(why).hint("name a file: clown export --output FILE"));
        }
        let mut passphrase = given(self.passphrase_stdin, self.passphrase_env.as_deref())?;
        if self.with_secrets && passphrase.is_none() {
            passphrase = Some(new_passphrase()?);
        }
        let paths = Paths::from_env()?;
        let target = match &self.output {
            Some(file) => std::path::absolute(file).map_err(|e| Error::invalid(format!("{file} is not a usable path")).cause(e))?,
            None => {
                fsx::create_private_dir(paths.root())?;
                paths.root().join(format!("{}{}{}", fsx::TEMP_START, uuid::Uuid::new_v4().simple(), fsx::TEMP_END))
            }
        };
        // Large: it does not go through the socket.
        let passing = Passing(self.output.is_none().then(|| target.clone()));
        let path = target.to_str().ok_or_else(|| Error::invalid("the file's path is not valid UTF-8"))?.to_owned();
        let call = Export { path, profiles: self.profile, history: self.with_history, registry: self.registry, passphrase };
        let exported = Daemon::needed(output)?.call(&call)?;
        if let Some(file) = &passing.0 {
            let mut from = std::fs::File::open(file).map_err(Error::reading(file))?;
            let mut out = io::stdout().lock();
            io::copy(&mut from, &mut out)
                .and_then(|_| out.flush())
                .map_err(|e| Error::io("the export could not be written to standard output").cause(e))?;
        } else if output.json {
            output.data(&exported, String::new);
        }
        tell(&exported, self.output.as_deref(), output);
        Ok(0)
    }
}

/// A file on its way, removed whatever happens.
struct Passing(Option<PathBuf>);

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            let _ = std::fs::remove_file(file);
        }
    }
}

fn tell(exported: &Exported, file: Option<&str>, output: Output) {
    exported.warnings.iter().for_each(|warning| output.warn(&printable(warning)));
    for profile in &exported.profiles {
        let history = if profile.history > 0 { format!(", {} of history", count(profile.history, "file")) } else { String::new() };
        output.say(&format!("{} ({}): {} of settings{history}", profile.alias, profile.agent, count(profile.settings, "file")));
    }
    if exported.profiles.is_empty() {
        output.say("There are no profiles to export.");
    }
    let keys = match exported.keys {
        0 => "It holds no keys.".to_owned(),
        n => format!("It holds {}, encrypted: keep the passphrase, nothing opens it without.", count(n, "key")),
    };
    output.say(&format!("Exported {} KiB{}. {keys}", exported.bytes.div_ceil(1024), file.map(|f| format!(" to {f}")).unwrap_or_default()));
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

impl ImportArgs {
    pub fn run(self, output: Output) -> Result<i32> {
        let on_conflict = OnConflict::parse(&self.on_conflict).ok_or_else(|| {
            Error::usage(format!("--on-conflict cannot be {:?}", self.on_conflict)).hint("use one of: fail, skip, rename, replace")
        })?;
        let file = std::path::absolute(&self.file).map_err(|e| Error::invalid(format!("{} is not a usable path", self.file)).cause(e))?;
        let path = file.to_str().ok_or_else(|| Error::invalid("the file's path is not valid UTF-8"))?.to_owned();
        let passphrase = given(self.passphrase_stdin, self.passphrase_env.as_deref())?;
        let mut daemon = Daemon::needed(output)?;
        let mut call = Import { path, on_conflict, passphrase, dry_run: self.dry_run };
        if call.passphrase.is_none() && prompt::possible() && !output.json && !self.dry_run {
            let look = Import { dry_run: true, ..call.clone() };
            if daemon.call(&look)?.sealed {
                let text = prompt::key("Passphrase of the keys in it (not shown; empty: without keys)")?;
                call.passphrase = Some(text).filter(|t| !t.is_empty()).map(KeyText::new);
            }
        }
        let imported = daemon.call(&call)?;
        output.data(&imported, || table(&imported));
        imported.warnings.iter().for_each(|warning| output.warn(&printable(warning)));
        output.say(match (imported.dry_run, imported.items.is_empty()) {
            (_, true) => "Everything in it is here already.",
            (true, _) => "Nothing was changed.",
            (false, _) => "Imported. See your profiles: clown profiles list",
        });
        Ok(0)
    }
}

fn table(imported: &Imported) -> String {
    if imported.items.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["what", "name", "action", "to", "files"]);
    for item in &imported.items {
        table.row([
            item.kind.clone(),
            printable(&item.name),
            item.action.to_string(),
            item.to.clone().unwrap_or_default(),
            if item.files == 0 { String::new() } else { item.files.to_string() },
        ]);
    }
    table.render()
}

/// A passphrase by a way that needs no terminal.
fn given(stdin: bool, var: Option<&str>) -> Result<Option<KeyText>> {
    let text = match (stdin, var) {
        (true, Some(_)) => {
            return Err(Error::usage("the passphrase is given in more than one way").hint("use --passphrase-stdin or --passphrase-env VAR"));
        }
        (false, None) => return Ok(None),
        (true, None) => {
            let mut text = zeroize::Zeroizing::new(String::new());
            let read = io::stdin().lock().take(64 * 1024).read_to_string(&mut text);
            read.map_err(|e| Error::invalid("the passphrase was not read from standard input").cause(e))?;
            text.lines().next().unwrap_or_default().to_owned()
        }
        (false, Some(var)) => std::env::var(var).map_err(|_| {
            Error::invalid(format!("the variable {var} is not set, or is not text")).hint(format!("set it: export {var}=..."))
        })?,
    };
    if text.is_empty() {
        return Err(Error::invalid("the passphrase is empty").hint("give one of several words"));
    }
    Ok(Some(KeyText::new(text)))
}

fn new_passphrase() -> Result<KeyText> {
    if !prompt::possible() {
        return Err(Error::usage("clown export --with-secrets needs a passphrase").hint("use --passphrase-stdin or --passphrase-env VAR"));
    }
    loop {
        let first = prompt::key("New passphrase for the keys (not shown)")?;
        if first.is_empty() {
            prompt::tell("It cannot be empty.");
        } else if prompt::key("The same once more")? == first {
            return Ok(KeyText::new(first));
        } else {
            prompt::tell("The two are not the same.");
        }
    }
}
