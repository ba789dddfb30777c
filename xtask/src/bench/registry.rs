//! A sync of two hundred entries: from nothing, with nothing new, and with one changed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{machine, measure, record};
use crate::dirs;
use crate::outcome::{Failure, Outcome, step};
use crate::scratch::Scratch;
use crate::shell::{self, cargo, run};

const ENTRIES: usize = 200;

pub(crate) fn bench(quick: bool) -> Outcome {
    let (calls, changes) = if quick { (20, 3) } else { (200, 20) };
    step("release build", || run(&mut cargo(&["build", "--release", "--package", "clown", "--locked"])))?;
    step("publisher", || run(&mut cargo(&["build", "--package", "publisher", "--locked"])))?;
    let scratch = Scratch::fresh("bench-registry", &dirs::clown("release"), &[])?;
    let site = Site::new(&scratch)?;
    site.write(None)?;
    site.publish()?;
    let server = site.serve()?;
    for (key, value) in [
        ("registry.url", server.url.as_str()),
        ("registry.trusted_keys", site.key.as_str()),
        ("registry.refresh_hours", "0"),
        ("registry.prices_url", "off"),
    ] {
        run(&mut scratch.clown(&["config", "set", key, value]))?;
    }
    let sync = || scratch.clown(&["registry", "sync", "--json"]);
    let first = measure::time(&mut sync())?;

    let nothing = shell::which("true").ok_or_else(|| Failure::new("there is no `true` on PATH to compare with"))?;
    let daemon = daemon(&scratch)?;
    let before = measure::activity(daemon)?;
    let (base, ours) = measure::side_by_side(calls, &mut scratch.command(&nothing, &[]), &mut sync())?;
    let each = measure::activity(daemon)?.since(before).ticks as f64 * 10.0 / (calls + 3) as f64;

    let mut times = Vec::new();
    let mut moved = String::new();
    for n in 0..changes {
        site.write(Some(n))?;
        site.publish()?;
        let begun = std::time::Instant::now();
        let text = shell::capture(&mut sync(), std::time::Duration::from_secs(30))?.1;
        times.push(begun.elapsed());
        moved = ["new", "kept", "requests", "bytes"].map(|field| format!("{field} {}", number(&text, field))).join(", ");
        if number(&text, "new") != "1" {
            return Err(Failure::new(format!("one entry changed, and the sync says: {moved}")));
        }
    }
    let times = measure::Times::new(times);
    drop(server);

    let median = ours.median() - base.median();
    let met = if median < 50.0 { "met" } else { "missed" };
    let text = format!(
        "## Registry\n\n{}{}\n\n{ENTRIES} entries over HTTP from a server on this machine.\n\n| what | value | goal |\n|---|---|---|\n\
         | the first sync | {:.0} ms | - |\n\
         | a sync with nothing new, over `true`, min / median / p95 of {calls} | {:.2} / {:.2} / {:.2} ms, `true` {:.2}; the daemon's processor {each:.2} ms each | < 50 ms more than `true`: {met} |\n\
         | a sync with one entry changed, median of {changes} | {:.1} ms; {moved} | one entry moves: met |\n",
        machine::describe(),
        if quick { " (quick)" } else { "" },
        first.as_secs_f64() * 1000.0,
        ours.min(),
        ours.median(),
        ours.p95(),
        base.median(),
        times.median(),
    );
    record::keep("registry", &text)?;
    println!("\n{text}");
    eprintln!("Written to BENCHMARKS.md.");
    Ok(())
}

fn daemon(scratch: &Scratch) -> Result<u32, Failure> {
    let text = shell::capture(&mut scratch.clown(&["daemon", "status", "--json"]), std::time::Duration::from_secs(10))?.1;
    number(&text, "pid").parse().map_err(|_| Failure::new("no daemon runs"))
}

/// The number behind a name in a JSON document.
fn number(text: &str, name: &str) -> String {
    let rest = text.split_once(&format!("\"{name}\":")).map_or("", |(_, rest)| rest);
    rest.trim_start().chars().take_while(char::is_ascii_digit).collect()
}

struct Site {
    tree: PathBuf,
    out: PathBuf,
    secret: PathBuf,
    key: String,
}

struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Site {
    fn new(scratch: &Scratch) -> Result<Self, Failure> {
        let at = |name: &str| scratch.home().join(name);
        let (tree, out, secret) = (at("tree"), at("site"), at("bench.key"));
        let key = publisher(&["key", "--no-password", "--out"], &[&secret])?;
        Ok(Self { tree, out, secret, key: key.trim().to_owned() })
    }

    /// Two hundred providers; the name of one tells of the change.
    fn write(&self, change: Option<usize>) -> Outcome {
        let told = |err: std::io::Error| Failure::new(format!("the tree cannot be written: {err}"));
        let text = fs::read_to_string(dirs::root().join("manifests/providers/zai.toml")).map_err(told)?;
        let dir = self.tree.join("providers");
        fs::create_dir_all(&dir).map_err(told)?;
        for n in 0..ENTRIES {
            let mut text = text.replace("id = \"zai\"", &format!("id = \"p{n}\""));
            if change.is_some_and(|change| n <= change) {
                text.push_str("# changed\n");
            }
            fs::write(dir.join(format!("p{n}.toml")), text).map_err(told)?;
        }
        Ok(())
    }

    fn publish(&self) -> Outcome {
        publisher(&["build", "--from"], &[&self.tree, Path::new("--out"), &self.out])?;
        publisher(&["sign"], &[&self.out.join("stable/registry.json"), Path::new("--key"), &self.secret])?;
        Ok(())
    }

    fn serve(&self) -> Result<Server, Failure> {
        let mut child = Command::new(program())
            .arg("serve")
            .arg(&self.out)
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .map_err(|err| Failure::new(format!("the registry cannot be served: {err}")))?;
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(|| Failure::new("no pipe"))?).lines();
        let url = lines.next().and_then(Result::ok).ok_or_else(|| Failure::new("the server said nothing"))?;
        // It tells of each request, and nobody may stop reading that.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Server { child, url })
    }
}

fn program() -> PathBuf {
    dirs::target().join("debug").join(format!("publisher{}", std::env::consts::EXE_SUFFIX))
}

fn publisher(args: &[&str], paths: &[&Path]) -> Result<String, Failure> {
    let (good, text) = shell::capture(Command::new(program()).args(args).args(paths), std::time::Duration::from_secs(60))?;
    if good { Ok(text) } else { Err(Failure::new(format!("the publisher failed at {}", args.join(" ")))) }
}
