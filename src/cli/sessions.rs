//! `clown sessions`

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, ago},
    table::{Table, fields},
};
use crate::{
    base::error::Result,
    wire::{
        moving::MoveSession,
        runs::Exit,
        sessions::{Inspect, List, Session, State},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Show the sessions of agents run through clown.
#[argh(subcommand, name = "sessions", example = "clown sessions list")]
pub(super) struct Sessions {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    List(ListArgs),
    Inspect(InspectArgs),
    Move(MoveArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Move a session's transcript to another profile of the same agent, which can then resume it. It stays counted once.
#[argh(subcommand, name = "move", usage = "<id> --to <alias> [<options>]", example = "clown sessions move 4f6d2c1e --to work2")]
struct MoveArgs {
    /// the agent's own session id, or its beginning
    #[argh(positional)]
    id: String,
    /// profile to move it to
    #[argh(option, arg_name = "alias")]
    to: String,
    /// profile it is in, when it is in more than one
    #[argh(option, arg_name = "alias")]
    from: Option<String>,
    /// leave it where it is as well
    #[argh(switch)]
    copy: bool,
}

#[derive(FromArgs, ArgsInfo)]
/// List sessions, newest first.
#[argh(subcommand, name = "list", example = "clown sessions list --live")]
struct ListArgs {
    /// only sessions of this profile
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
    /// only sessions that are running
    #[argh(switch)]
    live: bool,
    /// how many (default 20, at most 500)
    #[argh(option, default = "20", arg_name = "n")]
    limit: usize,
}

#[derive(FromArgs, ArgsInfo)]
/// Show one session.
#[argh(subcommand, name = "inspect", example = "clown sessions inspect 0198c0de")]
struct InspectArgs {
    /// session id, or its beginning
    #[argh(positional)]
    id: String,
}

impl Sessions {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(args) => {
                let listed = daemon.call(&List { profile: args.profile, live: args.live, limit: args.limit, before: None })?;
                output.data(&listed, || if listed.sessions.is_empty() { String::new() } else { table(&listed.sessions) });
                if listed.sessions.is_empty() {
                    output.say("No sessions. Start one: clown run ALIAS");
                }
                if listed.bad_lines > 0 {
                    let lines = if listed.bad_lines == 1 { "line" } else { "lines" };
                    output.warn(&format!("{} {lines} of telemetry/sessions.jsonl cannot be read", listed.bad_lines));
                }
            }
            Command::Inspect(args) => {
                let session = daemon.call(&Inspect { id: args.id })?;
                output.data(&session, || describe(&session));
            }
            Command::Move(args) => {
                let moved = daemon.call(&MoveSession { id: args.id, to: args.to, from: args.from, copy: args.copy })?;
                output.data(&moved, || {
                    let files = ("files", moved.files.join("\n"));
                    fields(&[
                        ("session", moved.id.clone()),
                        ("agent", moved.agent.clone()),
                        ("from", moved.from.clone()),
                        ("to", moved.to.clone()),
                        files,
                    ])
                });
                output.say(if moved.copied { "Copied." } else { "Moved." });
            }
        }
        Ok(0)
    }
}

fn table(sessions: &[Session]) -> String {
    let mut table = Table::new(&["session", "profile", "agent", "state", "started", "lasted", "provider", "model"]);
    for s in sessions {
        let id = s.id.get(..13).unwrap_or(&s.id).to_owned();
        table.row([
            id,
            s.profile.clone(),
            s.agent.clone(),
            state(s),
            ago(&s.started),
            lasted(s),
            s.provider.clone(),
            s.model.clone().unwrap_or_default(),
        ]);
    }
    table.render()
}

fn describe(s: &Session) -> String {
    fields(&[
        ("session", s.id.clone()),
        ("profile", s.profile.clone()),
        ("agent", format!("{} {}", s.agent, s.agent_version.as_deref().unwrap_or_default()).trim_end().to_owned()),
        ("provider", s.provider.clone()),
        ("model", s.model.clone().unwrap_or_default()),
        ("directory", s.cwd.clone()),
        ("process", s.process.map(|p| p.pid.to_string()).unwrap_or_default()),
        ("started", s.started.clone()),
        ("ended", s.ended.clone().unwrap_or_default()),
        ("lasted", lasted(s)),
        ("state", state(s)),
    ])
}

fn state(s: &Session) -> String {
    match (s.state, s.exit) {
        (State::Starting, _) => "starting".into(),
        (State::Running, _) => "running".into(),
        (State::Lost, _) => "lost: nobody saw it end".into(),
        (State::Ended, Some(Exit::Code(code))) => format!("exit {code}"),
        (State::Ended, Some(Exit::Signal(signal))) => format!("signal {signal}"),
        (State::Ended, Some(Exit::NotStarted)) => "not started".into(),
        (State::Ended, _) => "ended".into(),
    }
}

fn lasted(s: &Session) -> String {
    let time = |t: &str| t.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond());
    let (Some(start), Some(end)) = (time(&s.started), s.ended.as_deref().and_then(time)) else { return String::new() };
    let ms = end - start;
    match ms {
        ..10_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        10_000..120_000 => format!("{} s", ms / 1000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}
