//! The machine under both ends: epoll, the monotonic clock, one core for a thread.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::outcome::Failure;

/// Nanoseconds of the monotonic clock: the same in every thread.
pub(super) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Keeps this thread, and what it starts from now on, on one core, and ahead of others there where the user may do that.
pub(super) fn stay_on(core: usize) -> Result<(), Failure> {
    let mut set = CpuSet::new();
    set.set(core);
    let _ = setpriority_process(None, -10);
    sched_setaffinity(None, &set)
        .map_err(|err| Failure::new(format!("cannot use core {core} alone: {err}")).hint("the bench needs cores 0 and 1 for itself"))
}

const GROUP: &str = "/proc/self/autogroup";

/// Puts this session ahead of others, where the kernel shares processors out by session and the user may. Undone when dropped.
///
/// Without it a build in another terminal gets as much of a core as the proxy, however nice it is.
pub(super) struct Ahead(Option<String>);

impl Ahead {
    pub(super) fn of_others() -> Self {
        let now = fs::read_to_string(GROUP).ok().and_then(|text| text.trim().rsplit_once(' ').map(|(_, nice)| nice.to_owned()));
        Self(now.filter(|_| fs::write(GROUP, "-20").is_ok()))
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = fs::write(GROUP, before);
        }
    }
}

/// Edge-triggered: a socket is told once when it became readable or writable, so its owner reads and writes until it would block.
pub(super) struct Poll {
    epoll: OwnedFd,
}

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)? })
    }

    pub(super) fn add(&self, source: impl AsFd, key: usize) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, source, EventData::new_u64(key as u64), flags)?)
    }

    /// Waits for the first event, at most `limit`, and puts the keys of those ready into `keys`.
    pub(super) fn wait(&self, limit: Option<Duration>, keys: &mut VecDeque<usize>) -> io::Result<()> {
        // Whole milliseconds, rounded up: older kernels know nothing finer.
        let limit = limit.map(|limit| {
            let millis = limit.as_nanos().div_ceil(1_000_000);
            Timespec { tv_sec: i64::try_from(millis / 1000).unwrap_or(i64::MAX), tv_nsec: (millis % 1000 * 1_000_000) as _ }
        });
        let mut room = [const { MaybeUninit::<Event>::uninit() }; 128];
        match epoll::wait(&self.epoll, &mut room, limit.as_ref()) {
            Ok((ready, _)) => keys.extend(ready.iter().map(|event| event.data.u64() as usize)),
            Err(rustix::io::Errno::INTR) => {}
            Err(err) => return Err(err.into()),
        }
        Ok(())
    }
}

/// What one reading of a socket gave.
pub(super) enum Got {
    Bytes(usize),
    Nothing,
    Closed,
}

pub(super) fn read(mut socket: &TcpStream, into: &mut [u8]) -> Got {
    match socket.read(into) {
        Ok(0) => Got::Closed,
        Ok(count) => Got::Bytes(count),
        Err(err) if matches!(err.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Got::Nothing,
        Err(_) => Got::Closed,
    }
}

/// Writes what the socket takes now; how much, or an error when it is broken.
pub(super) fn write(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < bytes.len() {
        match socket.write(&bytes[done..]) {
            Ok(count) => done += count,
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(done)
}
