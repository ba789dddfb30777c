//! `clown providers`

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    create::key_input,
    output::{Output, printable},
    table::{Table, fields},
};
use crate::{
    base::{error::Result, secret::reference},
    wire::{
        profiles::{self, Credential, KeyInput, Profile},
        providers::{Approve, Inspect, List, Outcome, Probe, Probed, ProviderDetail},
        runs::KeySource,
        secret::KeyText,
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Show the providers clown knows, and agree to where their keys go.
#[argh(subcommand, name = "providers", example = "clown providers list")]
pub(super) struct Providers {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    List(ListArgs),
    Inspect(InspectArgs),
    Approve(ApproveArgs),
    Probe(ProbeArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Check a key and list the models it may use, by asking the provider. Ends with 1 when the key is not good or the provider is not reached.
#[argh(
    subcommand,
    name = "probe",
    usage = "<provider> [<options>]",
    example = "clown providers probe zai --profile work\nclown providers probe openai --api-key-env OPENAI_API_KEY"
)]
struct ProbeArgs {
    /// provider id
    #[argh(positional)]
    provider: String,
    /// with the key and endpoint of this profile
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
    /// region of the provider, or a URL of your own
    #[argh(option, arg_name = "region|url")]
    endpoint: Option<String>,
    /// read a key from standard input; it is not kept
    #[argh(switch)]
    api_key_stdin: bool,
    /// take a key from this variable; it is not kept
    #[argh(option, arg_name = "var")]
    api_key_env: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// List providers with their formats and regions.
#[argh(subcommand, name = "list", example = "clown providers list")]
struct ListArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Show one provider's endpoints and models.
#[argh(subcommand, name = "inspect", example = "clown providers inspect minimax")]
struct InspectArgs {
    /// provider id
    #[argh(positional)]
    provider: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Agree that keys of this provider's profiles go to the hosts its manifest names now.
#[argh(subcommand, name = "approve", example = "clown providers approve minimax --profile work")]
struct ApproveArgs {
    /// provider id
    #[argh(positional)]
    provider: String,
    /// only this profile
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
}

impl Providers {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(_) => {
                let listed = daemon.call(&List {})?;
                output.data(&listed, || {
                    let mut table = Table::new(&["provider", "name", "formats", "regions", "model", "profiles", "origin"]);
                    for row in &listed.providers {
                        table.row([
                            row.id.to_string(),
                            row.name.clone(),
                            row.formats.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                            row.regions.join(", "),
                            row.default_model.clone().unwrap_or_default(),
                            if row.profiles == 0 { String::new() } else { row.profiles.to_string() },
                            row.origin.to_string(),
                        ]);
                    }
                    table.render()
                });
                for problem in &listed.problems {
                    output.warn(&problem.to_string());
                }
            }
            Command::Inspect(args) => {
                let detail = daemon.call(&Inspect { id: args.provider })?;
                output.data(&detail, || describe(&detail));
            }
            Command::Probe(args) => {
                let probed = probe(&mut daemon, args)?;
                output.data(&probed, || models(&probed));
                return Ok(i32::from(!tell(&probed, output)));
            }
            Command::Approve(args) => {
                let approved = daemon.call(&Approve { id: args.provider, alias: args.profile })?;
                output.data(&approved, || {
                    let lines =
                        approved.changes.iter().map(|c| format!("{}: {} -> {}\n", c.alias, c.before.join(", "), c.after.join(", ")));
                    lines.collect()
                });
                if approved.changes.is_empty() {
                    output.say("Nothing to agree to: every profile's hosts are as agreed.");
                }
            }
        }
        Ok(0)
    }
}

fn probe(daemon: &mut Daemon, args: ProbeArgs) -> Result<Probed> {
    let mut key = match key_input(args.api_key_stdin, args.api_key_env.as_deref(), None, None)? {
        KeyInput::Text { key } => Some(key),
        _ => None,
    };
    if let (None, Some(alias)) = (&key, &args.profile) {
        key = own_key(&daemon.call(&profiles::Inspect { alias: alias.clone() })?.profile.credential)?;
    }
    daemon.call(&Probe { id: args.provider, profile: args.profile, endpoint: args.endpoint, key })
}

/// Asks the provider of a profile whether it takes the profile's key.
pub(super) fn probe_profile(daemon: &mut Daemon, profile: &Profile) -> Result<Probed> {
    let key = own_key(&profile.credential)?;
    daemon.call(&Probe { id: profile.provider.to_string(), profile: Some(profile.alias.to_string()), endpoint: None, key })
}

/// A key that is read where the profile runs, which is here.
fn own_key(credential: &Credential) -> Result<Option<KeyText>> {
    let source = match credential {
        Credential::Env { var } => KeySource::Env { var: var.clone() },
        Credential::Command { argv } => KeySource::Command { argv: argv.clone() },
        _ => return Ok(None),
    };
    let text = reference::fetch(&source, |name| std::env::var_os(name))?;
    Ok(Some(KeyText::new(text.expose().to_owned())))
}

/// Says what the provider said, and whether it is no reason to change anything.
pub(super) fn tell(probed: &Probed, output: Output) -> bool {
    let well = matches!(probed.outcome, Outcome::Ok | Outcome::Reached | Outcome::Unknown);
    let time = probed.milliseconds.map(|ms| format!(" ({ms} ms)")).unwrap_or_default();
    let line = format!("{}{time}", printable(&probed.message));
    if well {
        output.say(&format!("{line}."));
    } else {
        output.error(&line, probed.fix.as_deref());
    }
    well
}

fn models(probed: &Probed) -> String {
    probed.models.iter().map(|model| format!("{}\n", printable(model))).collect()
}

fn describe(detail: &ProviderDetail) -> String {
    let provider = &detail.manifest;
    let endpoints: Vec<String> = provider
        .endpoints
        .iter()
        .map(|e| format!("{} {}{}", e.format, e.base_url, e.region.as_ref().map(|r| format!(" ({r})")).unwrap_or_default()))
        .collect();
    let models: Vec<String> = provider
        .models
        .iter()
        .map(|m| {
            let window = m.context.map(|c| format!("{} K", c / 1000));
            let notes: Vec<String> = window.into_iter().chain((!m.priced).then(|| "no price known".to_owned())).collect();
            if notes.is_empty() { m.id.clone() } else { format!("{} ({})", m.id, notes.join(", ")) }
        })
        .collect();
    fields(&[
        ("provider", provider.id.to_string()),
        ("name", provider.name.clone()),
        ("endpoints", endpoints.join("\n")),
        ("models", models.join("\n")),
        ("default", provider.default_model.clone().unwrap_or_default()),
        ("unlisted", if provider.any_model { "accepted with a warning".into() } else { "refused".into() }),
        ("key", provider.key_env.clone().unwrap_or_default()),
        ("key from", provider.key_url.clone().unwrap_or_default()),
        ("quirks", provider.quirks.join(", ")),
        ("note", provider.caveats.join("\n")),
        ("agents", detail.agents.join(", ")),
        ("known from", provider.evidence.clone().unwrap_or_default()),
        ("origin", detail.file.clone().unwrap_or_else(|| detail.origin.to_string())),
        ("homepage", provider.homepage.clone().unwrap_or_default()),
    ])
}
