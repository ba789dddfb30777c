//! The processes below this one, however far.

use std::{fs, time::Duration};

/// Makes this process the parent of what its children leave behind, where the system can.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// A process below this one.
pub struct Below {
    pub pid: u32,
    /// Resident bytes.
    pub memory: u64,
}

/// Every process below this one. Empty where the system has no `/proc`.
pub fn descendants() -> Vec<Below> {
    let own = std::process::id();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let all: Vec<(u32, u32, u64)> = pids
        .filter_map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name in brackets may hold spaces; state, parent and resident pages come after it.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let alive = !matches!(*fields.first()?, "Z" | "X");
            let pages: u64 = fields.get(21)?.parse().ok()?;
            alive.then_some((pid, fields.get(1)?.parse().ok()?, pages * rustix::param::page_size() as u64))
        })
        .collect();
    let (mut family, mut found) = (vec![own], Vec::new());
    while let Some(parent) = family.pop() {
        for (pid, _, memory) in all.iter().filter(|(_, of, _)| *of == parent) {
            family.push(*pid);
            found.push(Below { pid: *pid, memory: *memory });
        }
    }
    found
}

/// Ends every process below this one, until there is none or the time is up.
pub fn end_descendants(limit: Duration) {
    use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
    let until = std::time::Instant::now() + limit;
    loop {
        let below = descendants();
        for process in &below {
            if let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
                // Those that were left to us are ours to collect.
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            }
        }
        if below.is_empty() || std::time::Instant::now() >= until {
            return;
        }
    }
}
