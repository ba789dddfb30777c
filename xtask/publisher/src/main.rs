//! What is published: `cargo xtask registry` makes a registry of a tree of manifests, signs it, and serves it for a trial; `cargo xtask dist`
//! has a release packed and signed here.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

mod key;
mod release;
mod root;
mod serve;
mod sign;
mod tree;

use std::process::ExitCode;

use argh::FromArgs;

type Outcome<T = ()> = Result<T, String>;

#[derive(FromArgs)]
/// Make, sign and serve a registry for clown; pack a release.
struct Args {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Command {
    Build(tree::Build),
    Key(key::Key),
    Release(release::Pack),
    Root(root::Make),
    Sign(sign::Sign),
    Serve(serve::Serve),
}

fn main() -> ExitCode {
    let args: Args = argh::from_env();
    let outcome = match args.command {
        Command::Build(build) => build.run(),
        Command::Key(key) => key.run(),
        Command::Release(pack) => pack.run(),
        Command::Root(make) => make.run(),
        Command::Sign(sign) => sign.run(),
        Command::Serve(serve) => serve.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("error: {what}");
            ExitCode::FAILURE
        }
    }
}

/// RFC 3339 in UTC, so many days from now.
fn in_days(days: u32) -> Outcome<String> {
    let hours = jiff::Span::new().try_hours(i64::from(days) * 24).map_err(|e| format!("--days {days}: {e}"))?;
    let at = jiff::Timestamp::now().checked_add(hours).map_err(|e| format!("--days {days}: {e}"))?;
    Ok(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Outcome {
    let told = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(told)?;
    }
    std::fs::write(path, bytes).map_err(told)
}

fn read(path: &std::path::Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// As it is published: indented, so that a person can read what was signed.
fn json(value: &impl serde::Serialize) -> Outcome<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|e| e.to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}
