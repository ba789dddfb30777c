//! Linux and macOS.

use std::{
    fs,
    io::{self, ErrorKind},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use crate::base::error::{Error, Result};

pub fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The name that any client may try first.
pub fn well_known_socket() -> PathBuf {
    PathBuf::from("/tmp/clownd.sock")
}

/// A directory only this user can enter: `$XDG_RUNTIME_DIR/clown`, else `/tmp/clown-<uid>`.
/// Made when missing, checked by lstat always: a real directory, own uid, no other bits.
pub fn runtime_dir() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|p| p.is_absolute() && p.is_dir());
    let path = match base {
        // A longer one leaves no room for a socket name.
        Some(base) if base.as_os_str().len() <= 50 => base.join("clown"),
        _ => PathBuf::from(format!("/tmp/clown-{}", uid())),
    };
    private_dir(&path)?;
    Ok(path)
}

/// Where profiles' TMPDIRs are: on the disk of /tmp, because agents' tools put large files there and
/// a runtime directory is small and ends with the login. `otherwise` when that place is not safe.
pub fn temp_dir(otherwise: &Path) -> PathBuf {
    let path = PathBuf::from(format!("/tmp/clown-{}", uid()));
    if private_dir(&path).is_ok() { path } else { otherwise.to_owned() }
}

/// Whether it is a file of this user that nobody else can read.
pub fn only_ours(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.uid() == uid() && meta.mode() & 0o077 == 0)
}

/// Makes or checks a 0700 directory of this user.
pub fn private_dir(path: &Path) -> Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(Error::writing(path)(e)),
        _ => {}
    }
    let meta = fs::symlink_metadata(path).map_err(Error::reading(path))?;
    let why = if !meta.is_dir() {
        "it is not a directory"
    } else if meta.uid() != uid() {
        "it belongs to another user"
    } else if meta.mode() & 0o077 != 0 {
        "others may enter it"
    } else {
        return Ok(());
    };
    Err(Error::refused(format!("{} is not safe to use: {why}", path.display()))
        .hint(format!("look at it and move it away: ls -ld {}", path.display())))
}

/// Makes a link to a directory, or makes the one that is there lead elsewhere: whoever reads it, and a crash at any point, sees the old
/// target or the new one. `temp` is a free name in the same directory; a crash may leave it.
pub fn point_link(link: &Path, target: &Path, temp: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, temp)?;
    fs::rename(temp, link).inspect_err(|_| {
        let _ = fs::remove_file(temp);
    })
}

/// Whether a socket of this user is at the path. Nothing there is `Ok(false)`.
pub fn own_socket(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(meta) if !meta.file_type().is_socket() => Err(Error::refused(format!("{} is not a socket", path.display()))),
        Ok(meta) if meta.uid() != uid() => Err(Error::refused(format!("{} belongs to another user (uid {})", path.display(), meta.uid()))),
        Ok(_) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::reading(path)(e)),
    }
}

/// Device and inode, to know a socket file again.
pub fn file_identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

/// Uid and pid of the process that listens at the other end. `None` where only the socket's place
/// vouches for it.
pub fn peer(stream: &std::os::unix::net::UnixStream) -> io::Result<Option<(u32, u32)>> {
    #[cfg(target_os = "linux")]
    {
        let peer = rustix::net::sockopt::socket_peercred(stream.as_fd())?;
        Ok(Some((peer.uid.as_raw(), peer.pid.as_raw_nonzero().get().unsigned_abs())))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = stream.as_fd();
        Ok(None)
    }
}

/// Connects, at most so long: a stopped listener lets its queue run full, and then connecting waits.
pub fn connect_within(path: &Path, limit: Duration) -> io::Result<std::os::unix::net::UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};
    #[cfg(target_os = "linux")]
    let flags = SocketFlags::CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = SocketFlags::empty();
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(limit))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}

/// Whether any process listens at the path. Not a sign that it works: only tells a leftover file.
pub fn listens(path: &Path) -> bool {
    !connect_within(path, Duration::from_secs(1)).is_err_and(|e| matches!(e.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound))
}

/// The program of this process, for starting it again; right even after an upgrade replaced the file.
pub fn own_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { std::env::current_exe() }
}

/// Leaves the session and terminal of whoever started this process.
pub fn detach() {
    // Fails only for a group leader, which already has no such tie.
    let _ = rustix::process::setsid();
}

/// From now on stdout leads nowhere.
pub fn close_stdout() -> io::Result<()> {
    let null = fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
}

/// The listening socket that whoever started this process put at descriptor 0.
pub fn stdin_listener() -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Where the system does not tell, the first accept does.
    #[cfg(target_os = "linux")]
    if !rustix::net::sockopt::socket_acceptconn(&listener)? {
        return Err(io::Error::from(ErrorKind::InvalidInput));
    }
    Ok(listener)
}

/// Name of this process in lists of processes: started through `/proc` it would be `exe`.
pub fn name_process(name: &std::ffi::CStr) {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(name);
    #[cfg(not(target_os = "linux"))]
    let _ = name;
}

/// Files this process makes are for this user only.
pub fn private_umask() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// No core dump and no reading of this process's memory by others of the same user.
pub fn guard_memory() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Every connection takes descriptors, and some systems begin with 256.
pub fn allow_many_files() {
    const ENOUGH: u64 = 8192;
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.current.map(|now| now.max(limit.maximum.unwrap_or(ENOUGH).min(ENOUGH)));
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
}

/// Memory of this process in bytes, where the system tells.
pub fn resident_memory() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Ceilings for a process that runs a foreign script: memory in bytes, processor time in seconds.
pub fn limit_resources(memory: u64, cpu_seconds: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = |n| Rlimit { current: Some(n), maximum: Some(n) };
    setrlimit(Resource::Cpu, limit(cpu_seconds))?;
    setrlimit(Resource::Core, limit(0))?;
    setrlimit(Resource::Fsize, limit(0))?;
    setrlimit(Resource::Nofile, limit(16))?;
    #[cfg(target_os = "linux")]
    setrlimit(Resource::As, limit(memory))?;
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
    Ok(())
}

/// When the process started, in the system's own count; tells a reused pid from the old process.
/// `None` when there is no such process (a zombie counts as none).
pub fn process_start(pid: u32) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold spaces; the fields after it do not.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        if matches!(fields.first(), Some(&"Z" | &"X")) {
            return None;
        }
        fields.get(19)?.parse().ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
        rustix::process::test_kill_process(pid).ok().map(|()| 0)
    }
}

/// Something that becomes readable when the process ends, where the system has such a thing.
pub fn exit_watch(pid: u32) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        let pid =
            i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
        Ok(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = pid;
        Err(io::Error::from(ErrorKind::Unsupported))
    }
}

/// Blocks until the process ends, or `left` is over; without an exit watch, until `pause` is over.
pub(super) fn watch_exit(pid: u32, left: Duration, pause: Duration) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let Ok(fd) = exit_watch(pid) else { return std::thread::sleep(pause.min(left)) };
    let limit = Timespec::try_from(left).ok();
    let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], limit.as_ref());
}

/// A child made with this leads its own process group, so that all it starts can be ended with it.
pub fn own_group(command: &mut std::process::Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// End in good order.
    End,
    /// Read your configuration again.
    Reload,
}

/// Tells a process something. That it is gone is no error.
pub fn tell(pid: u32, word: Word) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match word {
        Word::End => Signal::TERM,
        Word::Reload => Signal::HUP,
    };
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// A listening socket as the standard input of a child, where the system can do that.
pub fn as_stdin(listener: std::net::TcpListener) -> Option<std::process::Stdio> {
    Some(OwnedFd::from(listener).into())
}

/// Whether a process, or one it started, listens at this port of the loopback interface. `None` where
/// the system does not tell.
pub fn listens_at(leader: u32, port: u16) -> Option<bool> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let mut sockets = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = fs::read_to_string(table).unwrap_or_default();
        sockets.extend(text.lines().skip(1).filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let here = fields.get(1)?.rsplit_once(':')?.1 == format!("{port:04X}") && *fields.get(3)? == "0A";
            here.then(|| format!("socket:[{}]", fields.get(9).copied().unwrap_or_default()))
        }));
    }
    let holds = |pid: u32| {
        let fds = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        fds.filter_map(|fd| fs::read_link(fd.path()).ok()).any(|to| sockets.iter().any(|s| to.as_os_str() == s.as_str()))
    };
    let group = |pid: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
    };
    let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    Some(holds(leader) || pids.filter(|pid| group(*pid) == Some(leader)).any(holds))
}

/// Ends a process group made by [`own_group`].
pub fn kill_group(leader: u32) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

/// Access bits of a file or directory; `None` for a link, and for what is not there.
pub fn mode(path: &Path) -> Option<u32> {
    let meta = fs::symlink_metadata(path).ok()?;
    (!meta.is_symlink()).then(|| meta.mode() & 0o7777)
}

pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).map_err(Error::writing(path))
}

/// Bytes a user may still write at this place.
pub fn free_space(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A file the user may execute.
pub fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.is_file() && m.mode() & 0o111 != 0)
}

/// 0755.
pub fn make_executable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
}

/// Names under which a program may stand in a PATH directory.
pub fn program_names(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

pub fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Whether a file or directory belongs to this user or to root, and nobody else may write it.
pub fn written_only_by_us(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| (meta.uid() == uid() || meta.uid() == 0) && meta.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_others_may_enter_and_a_link_are_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(private_dir(&open).is_err());
        let good = dir.path().join("good");
        private_dir(&good).unwrap();
        let link = dir.path().join("link");
        symlink(&good, &link).unwrap();
        assert!(private_dir(&link).is_err());
    }

    #[test]
    fn who_listens_at_a_port_is_known() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if cfg!(target_os = "linux") {
            assert_eq!(listens_at(std::process::id(), port), Some(true));
            let mut other = std::process::Command::new("sleep").arg("600").spawn().unwrap();
            assert_eq!(listens_at(other.id(), port), Some(false));
            other.kill().unwrap();
            other.wait().unwrap();
        }
        drop(listener);
        assert_ne!(listens_at(std::process::id(), port), Some(true));
    }

    #[test]
    fn a_dead_process_has_no_start_time() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert_eq!(process_start(pid), None);
        assert!(process_start(std::process::id()).is_some());
    }
}
