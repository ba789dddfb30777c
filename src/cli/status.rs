//! A bare `clown`: how things stand, and what to type next. Starts no daemon.

use std::{sync::mpsc, time::Duration};

use serde::Serialize;

use super::{
    output::Output,
    table::fields,
    usage::{cost, local_zone},
};
use crate::{
    base::paths::Paths,
    ipc::client::Client,
    wire::{
        error::exit,
        usage::{Figures, Select, Summary},
    },
};

/// A first look at years of logs may take longer; nobody waits for it here.
const PATIENCE: Duration = Duration::from_millis(700);

#[derive(Serialize)]
struct Standing {
    version: &'static str,
    /// Process of the daemon.
    daemon: Option<u32>,
    profiles: Vec<String>,
    /// Absent: no daemon runs, or it is still counting.
    #[serde(skip_serializing_if = "Option::is_none")]
    today: Option<Figures>,
}

pub(super) fn show(output: Output) -> i32 {
    let paths = match Paths::from_env() {
        Ok(paths) => paths,
        Err(error) => return output.fail(error),
    };
    let asked = Client::connect(&paths).and_then(|mut client| client.hello().map(|hello| (client, hello.pid)));
    let (daemon, today) = match asked {
        Ok((client, pid)) => (Some(pid), today(client)),
        Err(_) => (None, None),
    };
    let standing = Standing { version: env!("CARGO_PKG_VERSION"), daemon, profiles: profiles(&paths), today };
    output.data(&standing, || text(&standing));
    exit::SUCCESS
}

/// By the names of their files, so that it needs nobody.
fn profiles(paths: &Paths) -> Vec<String> {
    let entries = std::fs::read_dir(paths.profiles_dir()).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|e| Some(e.file_name().to_str()?.strip_suffix(".json")?.to_owned())).collect();
    names.sort();
    names
}

fn today(mut client: Client) -> Option<Figures> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let select = Select { timezone: local_zone(), ..Select::default() };
        let _ = send.send(client.call(&Summary { select }).ok().map(|summary| summary.today));
    });
    receive.recv_timeout(PATIENCE).ok().flatten()
}

fn text(standing: &Standing) -> String {
    const NAMED: usize = 5;
    let profiles = &standing.profiles;
    let more = if profiles.len() > NAMED { format!(" and {} more", profiles.len() - NAMED) } else { String::new() };
    let named = profiles.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let spent = match (&standing.today, standing.daemon) {
        (Some(figures), _) if figures.requests == 0 => "nothing".to_owned(),
        (Some(figures), _) => cost(figures),
        (None, Some(_)) => "still counting; see clown usage".to_owned(),
        (None, None) => String::new(),
    };
    let head = fields(&[
        ("clown", standing.version.to_owned()),
        ("daemon", standing.daemon.map_or_else(|| "not running; starts when it is needed".to_owned(), |pid| format!("process {pid}"))),
        ("profiles", if profiles.is_empty() { "none yet".to_owned() } else { format!("{named}{more}") }),
        ("today", spent),
    ]);
    let next: [(String, &str); 3] = match profiles.first() {
        None => [
            ("clown init".to_owned(), "make your first profile"),
            ("clown agents list".to_owned(), "see which agents are here"),
            ("clown --help".to_owned(), "see every command"),
        ],
        Some(first) => [
            (format!("clown run {first}"), "run its agent here"),
            ("clown init".to_owned(), "make another profile"),
            ("clown --help".to_owned(), "see every command"),
        ],
    };
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let next: String = next.iter().map(|(command, what)| format!("  {command:width$}  {what}\n")).collect();
    format!("{head}\n{next}")
}
