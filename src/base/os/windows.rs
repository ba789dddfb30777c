//! Windows: type-checked and linked in CI, not run there. What the system guards by ACL on the
//! user's own directories is not checked again here.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::base::error::{Error, Result};

/// Users have no numbers here.
pub fn uid() -> u32 {
    0
}

/// The name that any client may try first: a named pipe.
pub fn well_known_socket() -> PathBuf {
    local_data().join("clown").join("clownd.ipc")
}

fn local_data() -> PathBuf {
    directories::BaseDirs::new().map_or_else(std::env::temp_dir, |b| b.data_local_dir().to_owned())
}

pub fn runtime_dir() -> Result<PathBuf> {
    let path = local_data().join("clown").join("run");
    private_dir(&path)?;
    Ok(path)
}

pub fn temp_dir(otherwise: &Path) -> PathBuf {
    otherwise.to_owned()
}

/// Files below the user's profile are the user's by their inherited rights.
pub fn only_ours(path: &Path) -> bool {
    path.is_file()
}

pub fn private_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::writing(path))
}

/// As on Unix, but where a link was, there is none for a moment: the system replaces no directory by another.
pub fn point_link(link: &Path, target: &Path, temp: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, temp)?;
    let moved = fs::rename(temp, link).or_else(|_| fs::remove_dir(link).and_then(|()| fs::rename(temp, link)));
    moved.inspect_err(|_| {
        let _ = fs::remove_dir(temp);
    })
}

/// Sockets are not handed over as descriptor 0 here.
pub fn stdin_listener() -> io::Result<std::net::TcpListener> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Pipes are no files; dialling tells.
pub fn own_socket(_path: &Path) -> Result<bool> {
    Ok(true)
}

pub fn file_identity(_path: &Path) -> Option<(u64, u64)> {
    None
}

pub fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

pub fn detach() {}

pub fn close_stdout() -> io::Result<()> {
    Ok(())
}

pub fn name_process(_name: &std::ffi::CStr) {}

pub fn private_umask() {}

pub fn guard_memory() {}

pub fn allow_many_files() {}

pub fn listens(_path: &Path) -> bool {
    false
}

pub fn resident_memory() -> Option<u64> {
    None
}

pub fn limit_resources(_memory: u64, _cpu_seconds: u64) -> io::Result<()> {
    Ok(())
}

/// Only whether the process is there: the system's start time needs calls this crate does not make.
pub fn process_start(pid: u32) -> Option<u64> {
    let filter = format!("PID eq {pid}");
    let listed = Command::new("tasklist").args(["/NH", "/FO", "CSV", "/FI", &filter]).stdin(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&listed.stdout).contains(&format!("\"{pid}\"")).then_some(0)
}

pub(super) fn watch_exit(_pid: u32, left: Duration, pause: Duration) {
    std::thread::sleep(pause.min(left));
}

pub fn own_group(command: &mut Command) {
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NEW_PROCESS_GROUP);
}

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    End,
    Reload,
}

/// A console program cannot be asked to end in good order, nor to read its configuration again.
pub fn tell(pid: u32, word: Word) {
    if word == Word::End {
        kill_group(pid);
    }
}

/// A socket is no file here.
pub fn as_stdin(_listener: std::net::TcpListener) -> Option<Stdio> {
    None
}

pub fn listens_at(_leader: u32, _port: u16) -> Option<bool> {
    None
}

pub fn kill_group(leader: u32) {
    let _ = Command::new("taskkill").args(["/T", "/F", "/PID", &leader.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// What can be run is told by its name there.
pub fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

pub fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// npm installs `.cmd` launchers, native programs end in `.exe`.
pub fn program_names(name: &str) -> Vec<String> {
    [".exe", ".cmd", ".bat"].iter().map(|end| format!("{name}{end}")).collect()
}

pub fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    if target.is_dir() { std::os::windows::fs::symlink_dir(target, link) } else { std::os::windows::fs::symlink_file(target, link) }
}

/// Access on Windows is by lists, not by bits.
pub fn mode(_path: &Path) -> Option<u32> {
    None
}

pub fn set_mode(_path: &Path, _mode: u32) -> Result<()> {
    Ok(())
}

/// Not asked for yet.
pub fn free_space(_path: &Path) -> Option<u64> {
    None
}

pub fn written_only_by_us(path: &Path) -> bool {
    path.exists()
}

pub fn adopt_orphans() {}

pub struct Below {
    pub pid: u32,
    pub memory: u64,
}

pub fn descendants() -> Vec<Below> {
    Vec::new()
}

pub fn end_descendants(_limit: Duration) {}
