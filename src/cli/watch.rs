//! `clown watch`

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, printable, write_stdout},
};
use crate::{
    base::{error::Result, paths::Paths},
    ipc::watch,
    wire::event::{Event, Since},
};

#[derive(FromArgs, ArgsInfo)]
/// Print events as they happen. With --json one document a line.
#[argh(subcommand, name = "watch", example = "clown watch --topic session/")]
pub(super) struct Watch {
    /// only topics that begin with this
    #[argh(option, default = "String::new()")]
    topic: String,
    /// end after this many events
    #[argh(option, arg_name = "n")]
    count: Option<u64>,
}

impl Watch {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        let start = daemon.call(&Since { epoch: String::new(), seq: 0 })?;
        let events = watch::Watch::open(&Paths::from_env()?, "")?;
        // Between the first question and the subscription something may have happened.
        let missed = daemon.call(&Since { epoch: start.epoch.clone(), seq: start.seq })?;
        drop(daemon);
        let mut seen = start.seq;
        let mut left = self.count.unwrap_or(u64::MAX);
        output.say("Watching. End with Ctrl-C.");
        for event in missed.events.into_iter().chain(events) {
            if event.seq <= seen {
                continue;
            }
            if event.seq > seen + 1 {
                // Signals may be dropped; the daemon keeps the latest.
                let gap = Daemon::needed(output)?.call(&Since { epoch: event.epoch.clone(), seq: seen })?;
                if gap.resync {
                    output.warn("some events were missed");
                }
                for event in gap.events.into_iter().filter(|e| e.seq < event.seq && e.seq > seen) {
                    left -= u64::from(self.show(&event, output));
                    if left == 0 {
                        return Ok(0);
                    }
                }
            }
            seen = event.seq;
            left -= u64::from(self.show(&event, output));
            if left == 0 {
                return Ok(0);
            }
        }
        output.say("The daemon ended.");
        Ok(0)
    }

    fn show(&self, event: &Event, output: Output) -> bool {
        if !event.topic.starts_with(&self.topic) {
            return false;
        }
        if output.json {
            write_stdout(&(serde_json::to_string(event).unwrap_or_default() + "\n"));
        } else {
            write_stdout(&format!("{}  {:5}  {:20} {}\n", event.time, event.seq, printable(&event.topic), printable(&event.subject)));
        }
        true
    }
}
