//! Who listens at ports of this machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{Ipv4Addr, TcpListener},
};

/// A port that somebody listens at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub port: u16,
    /// Absent when it is another user's process, or the system does not tell.
    pub owner: Option<(u32, String)>,
}

/// Ports of the range, both ends in it, that are taken on the loopback interface.
pub fn taken(first: u16, last: u16) -> Vec<Taken> {
    let Some(sockets) = sockets() else { return bound(first, last) };
    let ports: BTreeSet<u16> = sockets.values().copied().filter(|port| (first..=last).contains(port)).collect();
    if ports.is_empty() {
        return Vec::new();
    }
    let mut owners = owners(&sockets);
    ports.into_iter().map(|port| Taken { port, owner: owners.remove(&port) }).collect()
}

/// Where the system has no list: what cannot be bound.
fn bound(first: u16, last: u16) -> Vec<Taken> {
    let is_taken = |port: &u16| {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, *port));
        bound.is_err_and(|e| e.kind() == std::io::ErrorKind::AddrInUse)
    };
    (first..=last).filter(is_taken).map(|port| Taken { port, owner: None }).collect()
}

/// Addresses that loopback belongs to, as the tables of Linux write them.
const HERE: &[&str] =
    &["00000000", "0100007F", "00000000000000000000000000000000", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"];

/// Listening sockets by their name in `/proc/PID/fd`; `None` where there are no tables.
fn sockets() -> Option<BTreeMap<String, u16>> {
    let mut text = fs::read_to_string("/proc/net/tcp").ok()?;
    text += &fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let listening = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = fields.get(1)?.rsplit_once(':')?;
        let listens = *fields.get(3)? == "0A" && HERE.contains(&address);
        let port = u16::from_str_radix(port, 16).ok()?;
        listens.then(|| (format!("socket:[{}]", fields.get(9).copied().unwrap_or_default()), port))
    };
    Some(text.lines().filter_map(listening).collect())
}

fn owners(sockets: &BTreeMap<String, u16>) -> BTreeMap<u16, (u32, String)> {
    let mut owners = BTreeMap::new();
    let mut pids: Vec<u32> =
        fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    // Of several that share a socket, most often the one that opened it.
    pids.sort_unstable();
    for pid in pids {
        for fd in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let Ok(to) = fs::read_link(fd.path()) else { continue };
            let Some(port) = to.to_str().and_then(|to| sockets.get(to)) else { continue };
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            owners.entry(*port).or_insert((pid, name.trim().to_owned()));
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_told_with_its_owner_and_a_free_one_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = taken(port, port);
        assert_eq!(found.iter().map(|t| t.port).collect::<Vec<_>>(), [port]);
        assert_eq!(bound(port, port).len(), 1);
        drop(listener);
        assert_eq!((taken(port, port), bound(port, port)), (Vec::new(), Vec::new()));
        if cfg!(target_os = "linux") {
            assert_eq!(found[0].owner.as_ref().map(|(pid, _)| *pid), Some(std::process::id()));
        }
    }
}
