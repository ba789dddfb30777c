//! The program that serves an instance, and starting it.

use std::{
    ffi::OsString,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::{Child, Command};

use super::{logfile, state::Launch};
use crate::{
    base::{
        child_env,
        error::{Error, Result},
        os,
        paths::Paths,
        secret::Secret,
    },
    proxy::generate::SECRET_VAR,
};

/// Which program it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// `clown ultrallm serve`
    Embedded,
    External(PathBuf),
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::External(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What an engine may have of the daemon's environment.
const KEPT_VARS: &[&str] =
    &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT", "TEMP", "TMP"];

/// `auto`, `embedded` or a path, as the setting `proxy.engine` has it.
pub fn find_program(setting: &str) -> Result<Program> {
    match setting {
        "embedded" => Ok(Program::Embedded),
        "auto" | "" => {
            let names = os::program_names("ultrallm");
            let places = Paths::engine_dirs().into_iter().flat_map(|dir| names.iter().map(move |n| dir.join(n)).collect::<Vec<_>>());
            Ok(places.into_iter().find(|p| os::is_executable(p)).map_or(Program::Embedded, Program::External))
        }
        path if os::is_executable(Path::new(path)) && Path::new(path).is_absolute() => Ok(Program::External(path.into())),
        path => Err(Error::not_found(format!("proxy.engine names {path:?}, and there is no such program"))
            .hint("use the one inside clown: clown config set proxy.engine embedded")),
    }
}

/// Starts it. With a listener it serves that one, else it binds the port of its file itself.
pub(super) fn spawn(launch: &Launch, master: &Secret, listener: Option<&TcpListener>) -> Result<Child> {
    let failed = |e: std::io::Error| Error::io(format!("the proxy engine {} cannot be started", launch.program)).cause(e);
    let mut command = std::process::Command::new(match &launch.program {
        Program::Embedded => os::own_program().map_err(failed)?,
        Program::External(path) => path.clone(),
    });
    if launch.program == Program::Embedded {
        command.arg("ultrallm");
    }
    command.arg("serve").arg("--config").arg(&launch.config);
    match listener {
        Some(listener) => {
            let stdin = os::as_stdin(listener.try_clone().map_err(failed)?);
            command.args(["--listener", "stdin"]).stdin(stdin.unwrap_or_else(Stdio::null));
        }
        None => {
            command.stdin(Stdio::null());
        }
    }
    let kept = KEPT_VARS.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    command.env_clear().envs(kept).envs(child_env::MEMORY_VARS.iter().copied()).env(SECRET_VAR, master.expose());
    let keys = launch
        .keys
        .as_deref()
        .ok_or_else(|| Error::secrets("the keys of this proxy are not at hand").hint("start it: clown proxy start"))?;
    command.envs(keys.iter().map(|(name, key)| (name, key.expose())));
    if let Some(dir) = launch.config.parent() {
        command.current_dir(dir);
    }
    // Says one line there when it accepts connections.
    command.stdout(Stdio::piped()).stderr(logfile::open(&launch.log)?);
    // A signal for the daemon's terminal is not for it; and all it starts can be ended with it.
    os::own_group(&mut command);
    Command::from(command).spawn().map_err(failed)
}
