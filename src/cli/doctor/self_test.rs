//! `clown doctor --self-test`: short forms of what clown promises, tried on this machine in a home of their own.
//!
//! Everything is below one scratch directory, which is removed at the end; the user's own tree, homes and daemon are not touched.
//! Only the keychain is the real one: an entry of its own is put in, read and removed.

mod agent;
mod scratch;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anstyle::AnsiColor;
use serde::Serialize;

pub use agent::{CHILD_COMMAND, child};

use self::{agent::Upstream, scratch::Scratch};
use crate::{
    base::{
        error::{Error, Result},
        fsx,
        paths::Paths,
        seams::SystemSpawn,
        secret::{Secret, SecretStore, keychain::Keychain},
    },
    cli::output::{Output, paint, printable, write_stdout},
    ipc::client::Lost,
    wire::profiles::{self, Edit, Inspect, Settings},
};

/// All of it ends within about this time.
const LIMIT: Duration = Duration::from_secs(20);
/// A keychain that asks on the screen is not waited for.
const KEYCHAIN_LIMIT: Duration = Duration::from_secs(4);
const ROUNDS: u64 = 4;
const STARTERS: usize = 6;
const WRITES: u32 = 20;
/// A disk that takes longer for one small file makes every change slow.
const SLOW_WRITE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Ok,
    Failed,
    /// There was no time or no need.
    LeftOut,
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    verdict: Verdict,
    /// One line without a full stop.
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    self_test: &'a [Line],
    milliseconds: u64,
}

type Check = fn(&mut Scratch) -> Result<String>;

/// Name, check, and what to do when it fails.
const CHECKS: [(&str, Check, &str); 6] = [
    ("daemon", daemon, "see whether something keeps clown from starting itself or from listening in its runtime directory"),
    ("profile", profile, "see whether your temporary directory can be written, and report it with: clown doctor --bundle FILE"),
    ("kill", kill, "the disk or its file system loses what it confirmed; look at it before you trust it with anything"),
    ("one daemon", one_daemon, "locks do not hold on this file system; put your home on another one"),
    ("counting", counting, "see whether something filters connections on this machine; report it with: clown doctor --bundle FILE"),
    ("disk", disk, "see how full and how busy the disk is"),
];

pub(super) fn run(paths: &Paths, output: Output) -> Result<i32> {
    let start = Instant::now();
    let mut scratch = Scratch::new(start + LIMIT)?;
    let mut lines = vec![];
    for (name, check, advice) in CHECKS {
        let line = if Instant::now() > scratch.deadline {
            Line { name, verdict: Verdict::LeftOut, what: "there was no time left".into(), fix: None }
        } else {
            told(name, check(&mut scratch), advice)
        };
        show(&line, output);
        lines.push(line);
    }
    let line = keychain(paths);
    show(&line, output);
    lines.push(line);
    let cleaned = scratch.end();
    if let Err(error) = cleaned {
        let line = told("clean-up", Err(error), "remove it yourself");
        show(&line, output);
        lines.push(line);
    }
    let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    if output.json {
        output.data(&Document { self_test: &lines, milliseconds }, String::new);
    }
    let failed = lines.iter().filter(|line| line.verdict == Verdict::Failed).count();
    output.say(&match failed {
        0 => format!("Everything held. {:.1} s.", start.elapsed().as_secs_f32()),
        n => format!("{n} of {} failed.", lines.len()),
    });
    Ok(i32::from(failed > 0))
}

fn told(name: &'static str, result: Result<String>, advice: &str) -> Line {
    match result {
        Ok(what) => Line { name, verdict: Verdict::Ok, what, fix: None },
        Err(error) => {
            let fix = error.hints().first().cloned().unwrap_or_else(|| advice.to_owned());
            Line { name, verdict: Verdict::Failed, what: error.to_string(), fix: Some(fix) }
        }
    }
}

/// At once, since all of it takes its time.
fn show(line: &Line, output: Output) {
    if output.json {
        return;
    }
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    let (word, color) = match line.verdict {
        Verdict::Ok => ("ok", AnsiColor::Green),
        Verdict::Failed => ("failed", AnsiColor::Red),
        Verdict::LeftOut => ("left out", AnsiColor::Yellow),
    };
    let fix = line.fix.as_ref().map(|fix| format!("{:22}fix: {}\n", "", printable(fix))).unwrap_or_default();
    let what = printable(&line.what).replace('\n', " ");
    write_stdout(&format!("{}  {:<10} {what}\n{fix}", paint(&format!("{word:<8}"), color, terminal), line.name));
}

/// Starts, answers, and is alone in its directory.
fn daemon(scratch: &mut Scratch) -> Result<String> {
    let start = Instant::now();
    scratch.clown(&["config", "set", "secrets.backend", "file"], b"")?;
    let pid = scratch.pid()?;
    Ok(format!("it started and answered within {} ms (process {pid})", start.elapsed().as_millis()))
}

fn profile(scratch: &mut Scratch) -> Result<String> {
    scratch.clown(&["profiles", "create", "self-test", "first", "--provider", "offline"], b"")?;
    let detail = scratch.client()?.call(&Inspect { alias: "first".into() }).map_err(Lost::into_error)?;
    let home = std::path::PathBuf::from(detail.profile.home);
    if !home.starts_with(scratch.dir()) || !home.is_dir() {
        return Err(Error::defect(format!("its home {} is not where it belongs", home.display())));
    }
    Ok("a profile was made, with a home of its own".into())
}

/// While one thread changes a profile without a pause, the daemon is killed; what was confirmed must be there.
fn kill(scratch: &mut Scratch) -> Result<String> {
    let confirmed = Arc::new(AtomicU64::new(0));
    let tried = Arc::new(AtomicU64::new(0));
    for round in 0..ROUNDS {
        let mut client = scratch.client()?;
        let pid = scratch.pid()?;
        let writer = {
            let (confirmed, tried) = (Arc::clone(&confirmed), Arc::clone(&tried));
            std::thread::spawn(move || {
                loop {
                    let n = tried.fetch_add(1, Ordering::SeqCst) + 1;
                    let env = BTreeMap::from([("COUNT".to_owned(), Some(n.to_string()))]);
                    let edit = Edit {
                        alias: "first".into(),
                        provider: None,
                        settings: Settings { env, ..Settings::default() },
                        key: profiles::KeyInput::Absent,
                        unset: Vec::new(),
                    };
                    if client.call(&edit).is_err() {
                        return;
                    }
                    confirmed.store(n, Ordering::SeqCst);
                }
            })
        };
        // Somewhere within a change, elsewhere each time.
        let before = confirmed.load(Ordering::SeqCst);
        while confirmed.load(Ordering::SeqCst) < before + 3 && !writer.is_finished() && Instant::now() < scratch.deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_micros(700 * round));
        scratch.kill(pid)?;
        writer.join().map_err(|_| Error::defect("the writer ended with a panic"))?;
        let (least, most) = (confirmed.load(Ordering::SeqCst), tried.load(Ordering::SeqCst));
        scratch.clown(&["profiles", "list"], b"")?;
        let mut client = scratch.client()?;
        let listed = client.call(&profiles::List::default()).map_err(Lost::into_error)?;
        if let Some(problem) = listed.problems.first() {
            return Err(Error::corrupt(format!("after a kill: {problem}")));
        }
        let now = client.call(&Inspect { alias: "first".into() }).map_err(Lost::into_error)?;
        let count = now.profile.env.get("COUNT").and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        if count < least || count > most {
            return Err(Error::corrupt(format!("after a kill the profile has change {count}, and {least} was confirmed")));
        }
    }
    Ok(format!("killed {ROUNDS} times while it wrote: all {} confirmed changes were there", confirmed.load(Ordering::SeqCst)))
}

fn one_daemon(scratch: &mut Scratch) -> Result<String> {
    scratch.clown(&["daemon", "stop"], b"")?;
    let results: Vec<Result<Vec<u8>>> = std::thread::scope(|scope| {
        let shared: &Scratch = scratch;
        let starters: Vec<_> = (0..STARTERS).map(|_| scope.spawn(move || shared.clown(&["profiles", "list"], b""))).collect();
        starters.into_iter().map(|s| s.join().unwrap_or_else(|_| Err(Error::defect("a starter ended with a panic")))).collect()
    });
    results.into_iter().collect::<Result<Vec<_>>>()?;
    let pid = scratch.pid()?;
    match scratch.holders() {
        Some(pids) if pids != [pid] => Err(Error::conflict(format!("{} daemons run for one directory: {pids:?}", pids.len()))),
        _ => Ok(format!("{STARTERS} commands at once started one")),
    }
}

/// A run through the proxy: its one request is seen by the proxy and written down by the agent, and is one.
fn counting(scratch: &mut Scratch) -> Result<String> {
    let upstream = Upstream::start()?;
    scratch.provider(upstream.port())?;
    scratch.clown(
        &["profiles", "create", "self-test", "counted", "--provider", "self-test", "--proxy", "--api-key-stdin"],
        b"sk-self-test-key",
    )?;
    scratch.clown(&["run", "counted"], b"")?;
    let asked = upstream.asked();
    // The proxy's own note may come a moment after the answer.
    let told = loop {
        let report: serde_json::Value = serde_json::from_slice(&scratch.clown(&["usage", "models", "--json"], b"")?)
            .map_err(|e| Error::defect("the report of usage is no JSON").cause(e))?;
        let requests = report["totals"]["requests"].as_u64().unwrap_or(0);
        if requests > 0 || Instant::now() > scratch.deadline {
            break requests;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    match (asked, told) {
        (1, 1) => Ok("a run through the proxy made one request, and one was counted".into()),
        (asked, told) => Err(Error::defect(format!("a run made {asked} requests, and {told} were counted"))),
    }
}

fn disk(scratch: &mut Scratch) -> Result<String> {
    let file = scratch.dir().join("synced");
    let start = Instant::now();
    for n in 0..WRITES {
        let text = n.to_string().repeat(1000);
        fsx::write_atomic(&file, text.as_bytes(), fsx::Mode::Private)?;
        if fsx::read_optional(&file)?.as_deref() != Some(text.as_bytes()) {
            return Err(Error::corrupt("a file that was just written reads back differently"));
        }
    }
    let each = start.elapsed() / WRITES;
    let shown = format!("{WRITES} files replaced and synced, {:.1} ms each", each.as_secs_f64() * 1000.0);
    if each > SLOW_WRITE { Err(Error::io(format!("{shown}: that is slow"))) } else { Ok(shown) }
}

/// The real one, with an entry of its own.
fn keychain(paths: &Paths) -> Line {
    const NAME: &str = "keychain";
    let config = fsx::read_optional(&paths.config_file()).ok().flatten().unwrap_or_default();
    let backend = String::from_utf8(config).ok().and_then(|text| text.parse::<toml_edit::DocumentMut>().ok());
    let file = backend.is_some_and(|doc| doc.get("secrets").and_then(|s| s.get("backend")).and_then(|b| b.as_str()) == Some("file"));
    if file {
        return Line { name: NAME, verdict: Verdict::LeftOut, what: "keys are kept in a file here (secrets.backend)".into(), fix: None };
    }
    let env: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
    let (done, result) = std::sync::mpsc::channel();
    // A dialog on the screen may stay open; nobody waits for it.
    std::thread::spawn(move || done.send(round_trip(&Keychain::new(Arc::new(SystemSpawn), &env))));
    let result = match result.recv_timeout(KEYCHAIN_LIMIT) {
        Ok(result) => result,
        Err(_) => Err(Error::secrets(format!("it did not answer within {} s", KEYCHAIN_LIMIT.as_secs()))
            .hint("unlock it, or keep keys in a file only you can read: clown config set secrets.backend file")),
    };
    told(NAME, result, "unlock or start the keychain, or keep keys in a file: clown config set secrets.backend file")
}

fn round_trip(keychain: &Keychain) -> Result<String> {
    let name = format!("self-test/{}", uuid::Uuid::new_v4().simple());
    keychain.set(&name, &Secret::new("not a key".into()))?;
    let read = keychain.get(&name);
    keychain.delete(&name)?;
    match (read?, keychain.get(&name)?) {
        (Some(key), None) if key.expose() == "not a key" => Ok("an entry was put in, read by another process, and removed".into()),
        _ => Err(Error::secrets("it did not keep what it took, or keeps what was removed")),
    }
}
