//! The program's files: the new one is whole and has run before it takes the place of the old one, and at each moment one of the two is
//! there (on Windows, which lets no running program be replaced, but for a moment between two renames).

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::base::{
    error::{Error, Result},
    fsx, os,
    seams::{Spawn, SpawnSpec, SystemSpawn},
};

/// A program that says its version needs far less.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Place {
    /// Links resolved.
    pub program: PathBuf,
    /// The program of before the last update.
    pub kept: PathBuf,
    /// The next one, until it has the place. A run that was cut off leaves it, and the next one writes over it.
    next: PathBuf,
    /// The old one under a second name, for a moment.
    second: PathBuf,
}

impl Place {
    /// Of the program of this process. Errors: `Refused` for the kept one.
    pub(super) fn here() -> Result<Self> {
        let unknown =
            |e| Error::io("clown's own program is not found").cause(e).hint("it may have been replaced while it ran; run it again");
        let program = std::env::current_exe().and_then(fs::canonicalize).map_err(unknown)?;
        let place = Self::of(program);
        if place.program == place.kept {
            return Err(Error::refused(format!("{} is the program that was kept", place.kept.display()))
                .hint(format!("run the one in its place: {}", place.program.with_file_name("clown").display())));
        }
        Ok(place)
    }

    fn of(program: PathBuf) -> Self {
        let end = std::env::consts::EXE_SUFFIX;
        let beside = |name: &str| program.with_file_name(format!("{name}{end}"));
        Self { kept: beside("clown.old"), next: beside(".clown-next"), second: beside(".clown-second"), program }
    }

    /// Asked before anything is fetched.
    pub(super) fn may_change(&self) -> Result<()> {
        self.remove(&self.next)?;
        fs::File::create_new(&self.next).map_err(|e| self.not_ours(e))?;
        self.remove(&self.next)
    }

    /// Writes the next program and has it say its version, which must be this one.
    pub(super) fn stage(&self, bytes: &[u8], version: Option<&str>) -> Result<String> {
        let staged = self.write_next(bytes).and_then(|()| self.version_of_next(version));
        if staged.is_err() {
            let _ = fs::remove_file(&self.next);
        }
        staged
    }

    fn write_next(&self, bytes: &[u8]) -> Result<()> {
        self.remove(&self.next)?;
        let mut file = fs::File::create_new(&self.next).map_err(|e| self.not_ours(e))?;
        file.write_all(bytes).map_err(Error::writing(&self.next))?;
        match os::mode(&self.program) {
            Some(mode) => os::set_mode(&self.next, mode)?,
            None => os::make_executable(&self.next).map_err(Error::writing(&self.next))?,
        }
        file.sync_all().map_err(Error::writing(&self.next))
    }

    fn version_of_next(&self, wanted: Option<&str>) -> Result<String> {
        let spec = SpawnSpec {
            program: self.next.clone(),
            args: vec!["--version".into()],
            env: std::env::vars_os().collect(),
            cwd: None,
            stdin: Vec::new(),
            timeout: PATIENCE,
            max_output: 4096,
        };
        let refuse = |why: String| Error::refused(format!("the new program is not taken: {why}")).hint("the former one is unchanged");
        let ran = SystemSpawn.run(&spec).map_err(|e| refuse("it does not run on this system".into()).cause(e))?;
        let said = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
        match (ran.code, said.strip_prefix("clown "), wanted) {
            (Some(0), Some(version), None) => Ok(version.to_owned()),
            (Some(0), Some(version), Some(wanted)) if version == wanted => Ok(version.to_owned()),
            (Some(0), _, _) => {
                Err(refuse(format!("it says that it is {said:?}, not {:?}", format!("clown {}", wanted.unwrap_or("of some version")))))
            }
            (code, _, _) => Err(refuse(format!("asked for its version, it ended with {code:?}"))),
        }
    }

    /// The next program gets the place, and the one of now is kept.
    pub(super) fn swap(&self) -> Result<()> {
        self.keep().and_then(|()| self.take_place()).inspect_err(|_| {
            let _ = fs::remove_file(&self.next);
            let _ = fs::remove_file(&self.second);
        })?;
        self.program.parent().map_or(Ok(()), fsx::sync_dir).map_err(Error::writing(&self.program))
    }

    #[cfg(not(windows))]
    fn keep(&self) -> Result<()> {
        self.remove(&self.second)?;
        // Where there are no second names, a copy.
        fs::hard_link(&self.program, &self.second)
            .or_else(|_| fs::copy(&self.program, &self.second).map(drop))
            .and_then(|()| fs::rename(&self.second, &self.kept))
            .map_err(Error::writing(&self.kept))?;
        // A rename between two names of one file, as a run that was cut off leaves them, does nothing.
        self.remove(&self.second)
    }

    #[cfg(not(windows))]
    fn take_place(&self) -> Result<()> {
        fs::rename(&self.next, &self.program).map_err(Error::writing(&self.program))
    }

    #[cfg(windows)]
    fn keep(&self) -> Result<()> {
        self.remove(&self.kept)?;
        fs::rename(&self.program, &self.kept).map_err(Error::writing(&self.kept))
    }

    #[cfg(windows)]
    fn take_place(&self) -> Result<()> {
        fs::rename(&self.next, &self.program).map_err(|e| {
            let _ = fs::rename(&self.kept, &self.program);
            Error::writing(&self.program)(e)
        })
    }

    fn remove(&self, path: &Path) -> Result<()> {
        match fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(self.not_ours(e)),
            _ => Ok(()),
        }
    }

    fn not_ours(&self, error: std::io::Error) -> Error {
        let dir = self.program.parent().unwrap_or(&self.program);
        Error::io(format!("{} cannot be written, so {} stays as it is", dir.display(), self.program.display()))
            .cause(error)
            .hint("run it as the user who installed clown, or install clown where you may write: install.sh --prefix DIR")
    }
}
