//! `clown ultrallm`: the embedded proxy engine, under the name and with the file of the external one.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use argh::{ArgsInfo, FromArgs};

use super::output::{Output, write_stdout};
use crate::{
    base::error::{Error, Result},
    wire::error::exit,
};

#[derive(FromArgs, ArgsInfo)]
/// Run the proxy engine by itself. Profiles need none of this: see clown proxy.
#[argh(subcommand, name = "ultrallm", example = "clown ultrallm serve --config config.yaml")]
pub(super) struct Ultrallm {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Serve(ServeArgs),
    Check(CheckArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Serve requests until a signal ends it. SIGHUP reads the file again.
#[argh(subcommand, name = "serve", example = "clown ultrallm serve --config config.yaml")]
struct ServeArgs {
    /// the configuration: config.yaml, with ${NAME} for what the environment holds
    #[argh(option, arg_name = "file")]
    config: PathBuf,
    /// stdin: the listening socket is descriptor 0
    #[argh(option, arg_name = "stdin", hidden_help)]
    listener: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Read a configuration and tell its first mistake.
#[argh(subcommand, name = "check", example = "clown ultrallm check --config config.yaml")]
struct CheckArgs {
    /// the configuration
    #[argh(option, arg_name = "file")]
    config: PathBuf,
}

/// What the engine is asked for.
pub enum Engine<'e> {
    Serve {
        config: &'e Path,
        /// Descriptor 0 is the listening socket.
        stdin: bool,
        ready: &'e dyn Fn(SocketAddr),
    },
    Check {
        config: &'e Path,
    },
}

impl Ultrallm {
    pub(super) fn run(self, output: Output, engine: &dyn Fn(&Engine<'_>) -> Result<()>) -> Result<i32> {
        match self.command {
            Command::Check(args) => {
                engine(&Engine::Check { config: &args.config })?;
                output.data(&serde_json::json!({ "ok": true }), || format!("{} is fine\n", args.config.display()));
            }
            Command::Serve(args) => {
                let stdin = match args.listener.as_deref() {
                    None => false,
                    Some("stdin") => true,
                    Some(other) => return Err(Error::usage(format!("--listener takes stdin, not {other:?}"))),
                };
                let ready = |address: SocketAddr| write_stdout(&format!("listening on http://{address}\n"));
                engine(&Engine::Serve { config: &args.config, stdin, ready: &ready })?;
            }
        }
        Ok(exit::SUCCESS)
    }
}
