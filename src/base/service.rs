//! The daemon as a service of its user: a systemd unit, or a launchd agent.

use std::path::PathBuf;

use super::{
    child_env::MEMORY_VARS,
    error::{Error, Result},
    os,
    paths::{ENDPOINT_VAR, HOME_VAR, Paths, REAL_HOME_VAR},
};

/// A file with this line is ours to replace and to remove.
pub const MARK: &str = "Written by `clown service install`; `clown service uninstall` removes it.";

/// They decide which tree the daemon serves, and a service manager does not have them from the shell.
const KEPT: &[&str] = &[HOME_VAR, ENDPOINT_VAR, "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    Systemd,
    Launchd,
}

impl Manager {
    /// The one of this platform.
    pub fn here() -> Result<Self> {
        if cfg!(target_os = "linux") {
            Ok(Self::Systemd)
        } else if cfg!(target_os = "macos") {
            Ok(Self::Launchd)
        } else {
            Err(Error::unsupported("clown knows no service manager of this platform")
                .hint("commands start the daemon when they need it; or have `clown daemon --stay-alive` started at login"))
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Launchd => "launchd",
        }
    }
}

pub struct Service {
    pub manager: Manager,
    /// What the manager calls it.
    pub name: String,
    pub file: PathBuf,
    /// Absolute.
    program: PathBuf,
    env: Vec<(String, String)>,
}

impl Service {
    /// For the tree and the program of this process.
    pub fn here(paths: &Paths) -> Result<Self> {
        if std::env::var_os(REAL_HOME_VAR).is_some() {
            return Err(Error::refused("this shell runs inside a profile, whose home is no place for a service")
                .hint("run the command in a shell of your own"));
        }
        let manager = Manager::here()?;
        let (name, file) = match manager {
            Manager::Systemd => paths.systemd_unit()?,
            Manager::Launchd => paths.launch_agent()?,
        };
        let mut env: Vec<(String, String)> = MEMORY_VARS.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        for name in KEPT {
            if let Ok(value) = std::env::var(name)
                && !value.is_empty()
            {
                // A relative one means our working directory, not the daemon's.
                let value = if *name == HOME_VAR { paths.root().display().to_string() } else { value };
                env.push(((*name).to_owned(), value));
            }
        }
        Ok(Self { manager, name, file, program: program()?, env })
    }

    /// The whole file.
    pub fn text(&self) -> Result<String> {
        let program = self.program.display().to_string();
        if let Some((name, _)) =
            self.env.iter().map(|(k, v)| (k.as_str(), v)).chain([("the program", &program)]).find(|(_, v)| v.chars().any(char::is_control))
        {
            return Err(Error::invalid(format!("the path of {name} holds a control character, which a service cannot have")));
        }
        Ok(match self.manager {
            Manager::Systemd => self.unit(&program),
            Manager::Launchd => self.plist(&program),
        })
    }

    fn unit(&self, program: &str) -> String {
        let env: String =
            self.env.iter().map(|(name, value)| format!("Environment={}\n", quoted(&format!("{name}={value}"), false))).collect();
        // KillMode: sessions and their agents go on when the daemon is stopped or renewed.
        format!(
            "# {MARK}\n[Unit]\nDescription=clown daemon\nStartLimitIntervalSec=60\nStartLimitBurst=5\n\n\
             [Service]\nType=notify\nNotifyAccess=main\nExecStart={} daemon --stay-alive\nKillMode=process\nRestart=on-failure\nRestartSec=2\n\
             WatchdogSec=60\nTimeoutStopSec=20\nUMask=0077\n{env}\n[Install]\nWantedBy=default.target\n",
            quoted(program, true)
        )
    }

    fn plist(&self, program: &str) -> String {
        let text = |text: &str| format!("<string>{}</string>", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
        let args: String = [program, "daemon", "--stay-alive"].iter().map(|arg| format!("    {}\n", text(arg))).collect();
        let env: String = self.env.iter().map(|(name, value)| format!("    <key>{name}</key>{}\n", text(value))).collect();
        // AbandonProcessGroup: sessions and their agents go on when the daemon ends.
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<!-- {MARK} -->\n\
             <plist version=\"1.0\">\n<dict>\n  <key>Label</key>{}\n  <key>ProgramArguments</key>\n  <array>\n{args}  </array>\n  \
             <key>EnvironmentVariables</key>\n  <dict>\n{env}  </dict>\n  <key>RunAtLoad</key><true/>\n  <key>KeepAlive</key>\n  \
             <dict><key>SuccessfulExit</key><false/></dict>\n  <key>AbandonProcessGroup</key><true/>\n  <key>ProcessType</key>{}\n  \
             <key>Umask</key><integer>63</integer>\n</dict>\n</plist>\n",
            text(&self.name),
            text("Background"),
        )
    }
}

/// A word of a unit file. `$` means something in commands only.
fn quoted(word: &str, command: bool) -> String {
    let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    let word = if command { word.replace('$', "$$") } else { word };
    format!("\"{word}\"")
}

/// The name on PATH when it leads to this program: an upgrade keeps that and may replace what it leads to.
fn program() -> Result<PathBuf> {
    let own = std::env::current_exe().map_err(|e| Error::io("clown's own program is not found").cause(e))?;
    let real = std::fs::canonicalize(&own)
        .map_err(|e| Error::conflict(format!("{} was replaced while it ran", own.display())).cause(e).hint("run the command again"))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = os::path_dirs(&path)
        .into_iter()
        .flat_map(|dir| os::program_names("clown").into_iter().map(move |name| dir.join(name)).collect::<Vec<_>>());
    let mut same = named.filter(|file| std::fs::canonicalize(file).is_ok_and(|file| file == real));
    Ok(same.next().unwrap_or(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(manager: Manager) -> Service {
        let env = vec![("CLOWN_HOME".to_owned(), "/a & b/50% $x".to_owned())];
        Service { manager, name: "clown".into(), file: "/f".into(), program: "/opt/my \"tools\"/$clown%".into(), env }
    }

    #[test]
    fn words_of_a_unit_are_quoted_as_systemd_reads_them() {
        let text = service(Manager::Systemd).text().unwrap();
        assert!(text.contains("ExecStart=\"/opt/my \\\"tools\\\"/$$clown%%\" daemon --stay-alive\n"), "{text}");
        assert!(text.contains("Environment=\"CLOWN_HOME=/a & b/50%% $x\"\n"), "{text}");
        for line in ["Type=notify", "WatchdogSec=60", "KillMode=process", "WantedBy=default.target"] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        assert!(text.contains(MARK));
    }

    #[test]
    fn texts_of_a_launch_agent_are_escaped() {
        let text = service(Manager::Launchd).text().unwrap();
        assert!(text.contains("<key>CLOWN_HOME</key><string>/a &amp; b/50% $x</string>"), "{text}");
        assert!(text.contains("<key>AbandonProcessGroup</key><true/>") && text.contains(MARK));
    }

    #[test]
    fn a_path_that_would_begin_another_line_is_refused() {
        let mut service = service(Manager::Systemd);
        service.program = "/opt/a\nExecStartPre=/bin/evil".into();
        assert!(service.text().is_err());
    }
}
