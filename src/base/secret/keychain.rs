//! The operating system's key store, reached through a child process.
//!
//! A keychain call can hang on a dialog, and the library remembers a failed connection for the life
//! of its process. A child per call can be ended, speaks to the session bus of whoever asks, and
//! leaves no key in the daemon's memory. The key travels by pipe.

use std::{collections::BTreeMap, io::Read, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Secret, SecretStore};
use crate::{
    base::{
        error::{Error, Result},
        os,
        seams::{Spawn, SpawnSpec},
    },
    wire::secret::KeyText,
};

/// Hidden subcommand of the child.
pub const CHILD_COMMAND: &str = "__keychain";
/// The `service` attribute of every entry.
pub const SERVICE: &str = "clown";

/// Without a screen nobody can answer a dialog.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_WITH_SCREEN: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Ask {
    Get { name: String },
    Set { name: String, key: KeyText },
    Delete { name: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Key(Option<KeyText>),
    Done,
    Error(String),
}

pub struct Keychain {
    spawn: Arc<dyn Spawn>,
    env: BTreeMap<String, String>,
}

impl Keychain {
    /// `env` is the asking process's: it names the session bus and the screen.
    pub fn new(spawn: Arc<dyn Spawn>, env: &BTreeMap<String, String>) -> Self {
        let mut env = env.clone();
        for name in ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY", "HOME", "USER", "PATH"] {
            if let (false, Ok(value)) = (env.contains_key(name), std::env::var(name)) {
                env.insert(name.to_owned(), value);
            }
        }
        Self { spawn, env }
    }

    fn ask(&self, ask: &Ask) -> Result<Answer> {
        let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|n| self.env.contains_key(*n));
        self.ask_within(ask, if screen { PATIENCE_WITH_SCREEN } else { PATIENCE })
    }

    fn ask_within(&self, ask: &Ask, timeout: Duration) -> Result<Answer> {
        let spec = SpawnSpec {
            program: os::own_program().map_err(|e| Error::secrets("cannot find clown's own program").cause(e))?,
            args: vec![CHILD_COMMAND.into()],
            env: self.env.iter().map(|(k, v)| (k.into(), v.into())).collect(),
            cwd: None,
            stdin: serde_json::to_vec(ask).map_err(|e| Error::secrets("cannot ask the keychain").cause(e))?,
            timeout,
            max_output: 64 * 1024,
        };
        let ran = self.spawn.run(&spec).map_err(|e| unavailable("its helper cannot be started").cause(e))?;
        if ran.timed_out {
            return Err(unavailable(&format!("it did not answer within {} s", spec.timeout.as_secs())));
        }
        match serde_json::from_slice(&ran.stdout) {
            Ok(Answer::Error(why)) => Err(unavailable(&why)),
            Ok(answer) => Ok(answer),
            Err(_) => Err(unavailable("its helper ended without an answer")),
        }
    }
}

/// The failure names every way out, because none is taken silently.
fn unavailable(why: &str) -> Error {
    Error::secrets(format!("the keychain of this system cannot be used: {why}"))
        .hint("on a desktop: unlock or start the keychain (gnome-keyring, KWallet) and try again")
        .hint("keep keys in a file only you can read: clown config set secrets.backend file")
        .hint("let clown read the key at each run instead: --key-ref env:NAME or --key-ref 'command:op read op://vault/item'")
}

impl SecretStore for Keychain {
    fn kind(&self) -> &'static str {
        "keychain"
    }

    fn get(&self, name: &str) -> Result<Option<Secret>> {
        match self.ask(&Ask::Get { name: name.to_owned() })? {
            Answer::Key(key) => Ok(key.map(|k| Secret::new(k.into_inner()))),
            _ => Err(unavailable("it gave an answer to another question")),
        }
    }

    fn reach(&self, limit: Duration) -> Result<()> {
        // No key has this name: alias and provider are never empty.
        self.ask_within(&Ask::Get { name: "/".into() }, limit).map(|_| ())
    }

    /// Stores, then reads back in another process: some stores say yes and keep nothing.
    fn set(&self, name: &str, key: &Secret) -> Result<()> {
        self.ask(&Ask::Set { name: name.to_owned(), key: KeyText::new(key.expose().to_owned()) })?;
        match self.get(name)? {
            Some(kept) if kept.expose() == key.expose() => Ok(()),
            _ => Err(unavailable("it accepted the key and did not keep it")),
        }
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.ask(&Ask::Delete { name: name.to_owned() }).map(|_| ())
    }
}

/// The child's whole life: one question on stdin, one answer on stdout.
pub fn child() -> Encoded {
    os::guard_memory();
    let mut question = zeroize::Zeroizing::new(Vec::new());
    let read = std::io::stdin().lock().take(64 * 1024).read_to_end(&mut question);
    let answer = match read.map_err(|e| e.to_string()).and_then(|_| serde_json::from_slice(&question).map_err(|e| e.to_string())) {
        Ok(ask) => serve(ask).unwrap_or_else(Answer::Error),
        Err(why) => Answer::Error(why),
    };
    Encoded(serde_json::to_vec(&answer).unwrap_or_default().into())
}

/// The child's answer, encoded; wiped when dropped.
pub struct Encoded(zeroize::Zeroizing<Vec<u8>>);

impl Encoded {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn serve(ask: Ask) -> Result<Answer, String> {
    let entry = |name: &str| keyring::Entry::new(SERVICE, name).map_err(|e| told(&e));
    match ask {
        Ask::Get { name } => match entry(&name)?.get_password() {
            Ok(key) => Ok(Answer::Key(Some(KeyText::new(key)))),
            Err(keyring::Error::NoEntry) => Ok(Answer::Key(None)),
            Err(e) => Err(told(&e)),
        },
        Ask::Set { name, key } => {
            entry(&name)?.set_password(key.expose()).map_err(|e| told(&e))?;
            Ok(Answer::Done)
        }
        Ask::Delete { name } => match entry(&name)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(Answer::Done),
            Err(e) => Err(told(&e)),
        },
    }
}

/// What went wrong, in words that hold no key: some library errors quote the value.
fn told(error: &keyring::Error) -> String {
    match error {
        keyring::Error::NoStorageAccess(_) => "it is locked or has no collection".into(),
        keyring::Error::NoDefaultStore => "no keychain service is reachable".into(),
        keyring::Error::BadEncoding(_) => "the entry is not text".into(),
        keyring::Error::TooLong(what, limit) => format!("{what} is longer than {limit}"),
        keyring::Error::Ambiguous(_) => "more than one entry has this name".into(),
        keyring::Error::PlatformFailure(cause) => format!("platform failure: {cause}"),
        _ => "an unknown failure of the keychain library".into(),
    }
}
