//! `clown registry`

use std::path::Path;

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, ago, printable, short},
    table::{Table, fields},
};
use crate::{
    base::error::{Error, Result},
    wire::registry::{ChangeKind, Channel, Diff, Differences, Inspect, Lint, Pin, PricesSynced, Source, State, Sync, Synced, Verify},
};

#[derive(FromArgs, ArgsInfo)]
/// Keep agents, providers, scripts and prices up to date from a signed registry.
#[argh(subcommand, name = "registry", example = "clown registry sync")]
pub(super) struct Registry {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Sync(SyncArgs),
    Diff(DiffArgs),
    Inspect(InspectArgs),
    Pin(PinArgs),
    Verify(VerifyArgs),
    Lint(LintArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Fetch what changed, check it, and bring it into force.
#[argh(subcommand, name = "sync", example = "clown registry sync")]
struct SyncArgs {
    /// ask even when it was asked a moment ago; relaxes no check
    #[argh(switch)]
    force: bool,
    /// check and use what is here; no network
    #[argh(switch)]
    offline: bool,
    /// stable, beta or nightly
    #[argh(option, from_str_fn(channel))]
    channel: Option<Channel>,
}

#[derive(FromArgs, ArgsInfo)]
/// Show what a sync would change.
#[argh(subcommand, name = "diff", example = "clown registry diff")]
struct DiffArgs {
    /// stable, beta or nightly
    #[argh(option, from_str_fn(channel))]
    channel: Option<Channel>,
    /// only the names
    #[argh(switch)]
    names: bool,
}

#[derive(FromArgs, ArgsInfo)]
/// Show what is in force, whose signatures count, and how old it is.
#[argh(subcommand, name = "inspect", example = "clown registry inspect")]
struct InspectArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Stay at one commit, or follow the channel again.
#[argh(subcommand, name = "pin", example = "clown registry pin 41", example = "clown registry pin --none")]
struct PinArgs {
    /// commit, or the version number of one that is here
    #[argh(positional)]
    reference: Option<String>,
    /// follow the channel again
    #[argh(switch)]
    none: bool,
}

#[derive(FromArgs, ArgsInfo)]
/// Check the signatures and every artifact on disk.
#[argh(subcommand, name = "verify", example = "clown registry verify")]
struct VerifyArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Check a tree before it is published.
#[argh(subcommand, name = "lint", example = "clown registry lint ./my-registry")]
struct LintArgs {
    /// directory with agents/, providers/, scripts/, templates/ and models/
    #[argh(positional)]
    dir: String,
}

fn channel(text: &str) -> Result<Channel, String> {
    Channel::parse(text).ok_or_else(|| format!("{text:?} is no channel; use stable, beta or nightly"))
}

impl Registry {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::Sync(args) => {
                let synced = daemon.call(&Sync { force: args.force, offline: args.offline, channel: args.channel })?;
                output.data(&synced, || told(&synced));
                for note in &synced.notes {
                    output.warn(&printable(note));
                }
                if let Some(prices) = &synced.prices {
                    prices_told(prices, output);
                }
            }
            Command::Diff(args) => {
                let differences = daemon.call(&Diff { channel: args.channel })?;
                output.data(&differences, || changes(&differences, args.names));
                if differences.changes.is_empty() {
                    output.say("Nothing would change.");
                }
            }
            Command::Inspect(_) => {
                let state = daemon.call(&Inspect {})?;
                output.data(&state, || describe(&state));
                if let Some(error) = &state.last_error {
                    output.warn(&format!("the last sync failed: {}", printable(error)));
                }
            }
            Command::Pin(args) => {
                let reference = match (args.reference, args.none) {
                    (Some(reference), false) => Some(reference),
                    (None, true) => None,
                    _ => return Err(Error::usage("pin takes a commit, or --none").hint("see what is here: clown registry inspect")),
                };
                let state = daemon.call(&Pin { reference })?;
                output.data(&state, || describe(&state));
            }
            Command::Verify(_) => {
                let verified = daemon.call(&Verify {})?;
                output.data(&verified, || {
                    format!("commit {}: {} artifacts, signed by {}\n", verified.commit, verified.artifacts, verified.keys.join(", "))
                });
                for problem in &verified.problems {
                    output.warn(&printable(problem));
                }
                return Ok(i32::from(!verified.problems.is_empty()));
            }
            Command::Lint(args) => {
                let dir =
                    std::path::absolute(Path::new(&args.dir)).map_err(|e| Error::invalid(format!("{:?} is no path", args.dir)).cause(e))?;
                let linted = daemon.call(&Lint { dir: dir.display().to_string() })?;
                output.data(&linted, || {
                    let problems: String = linted.problems.iter().map(|p| format!("{}\n", printable(&p.to_string()))).collect();
                    format!("{problems}{} artifacts, {} problems\n", linted.artifacts, linted.problems.len())
                });
                return Ok(i32::from(!linted.problems.is_empty()));
            }
        }
        Ok(0)
    }
}

fn told(synced: &Synced) -> String {
    if synced.commit.is_empty() {
        return String::new();
    }
    let from = match synced.source {
        Source::Cache => "from what is here",
        Source::Network => "confirmed by the registry",
    };
    let mut lines = format!(
        "{} version {}, commit {}, {} artifacts, {from}\n",
        synced.channel,
        synced.version,
        short(&synced.commit),
        synced.artifacts
    );
    if synced.changed {
        lines += &format!("{} new, {} kept, {} removed; {} fetched\n", synced.new, synced.kept, synced.removed, bytes(synced.bytes));
    }
    if let Some(pinned) = &synced.pinned {
        lines += &format!("pinned at {}; follow the channel again: clown registry pin --none\n", short(pinned));
    }
    lines
}

fn prices_told(prices: &PricesSynced, output: Output) {
    if let Some(why) = &prices.refused {
        output.warn(&format!("the prices stay as they were: {}", printable(why)));
    } else if prices.changed {
        output.say(&format!("Prices of {} models taken; {} entries left out.", prices.models, prices.left_out));
    }
    for moved in &prices.moved {
        output.warn(&format!("{} of {} went from {} to {}", moved.field, printable(&moved.model), moved.before, moved.after));
    }
}

fn changes(differences: &Differences, names: bool) -> String {
    let mut text = String::new();
    for change in &differences.changes {
        let sign = match change.change {
            ChangeKind::Added => '+',
            ChangeKind::Changed => '~',
            ChangeKind::Removed => '-',
        };
        text += &format!("{sign} {} {}\n", change.kind, change.id);
        if !names {
            text += &change.text.lines().map(|line| format!("    {}\n", printable(line))).collect::<String>();
        }
    }
    text
}

fn describe(state: &State) -> String {
    let lock = state.lock.as_ref();
    let of = |pick: fn(&crate::wire::registry::Lock) -> String| lock.map(pick).unwrap_or_default();
    let mut text = fields(&[
        ("url", state.url.clone().unwrap_or_else(|| "none: clown config set registry.url URL".into())),
        ("channel", state.channel.to_string()),
        ("commit", of(|l| l.commit.clone())),
        ("version", of(|l| l.version.to_string())),
        ("synced", of(|l| ago(&l.synced))),
        ("checked", of(|l| ago(&l.checked))),
        ("expires", format!("{}{}", of(|l| l.expires.clone()), if state.expired { " (past)" } else { "" })),
        ("pinned", of(|l| l.pinned.clone().unwrap_or_default())),
        ("keys", state.keys.join(", ")),
        ("needed", if state.keys.is_empty() { String::new() } else { format!("{} of {}", state.threshold, state.keys.len()) }),
        ("root", if state.root == 0 { String::new() } else { state.root.to_string() }),
        ("here", state.commits.iter().map(|c| short(c)).collect::<Vec<_>>().join(", ")),
        ("refresh", if state.refresh_hours == 0 { "never".into() } else { format!("every {} h", state.refresh_hours) }),
        (
            "prices",
            if state.prices == 0 {
                String::new()
            } else {
                format!("{} models, {}", state.prices, state.prices_synced.as_deref().map(ago).unwrap_or_default())
            },
        ),
    ]);
    if let Some(lock) = lock {
        let mut table = Table::new(&["kind", "id", "bytes", "blake3"]);
        for entry in &lock.artifacts {
            table.row([entry.kind.to_string(), entry.id.clone(), entry.length.to_string(), short(&entry.blake3)]);
        }
        text += "\n";
        text += &table.render();
    }
    text
}

fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..10_000_000 => format!("{} kB", count / 1000),
        _ => format!("{} MB", count / 1_000_000),
    }
}
