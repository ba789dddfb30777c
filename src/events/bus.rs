//! Numbers events, keeps the latest, wakes the faces.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::broadcast;

use crate::{
    base::seams::{Clock, rfc3339},
    wire::event::{Event, Events},
};

/// Events kept for readers that missed some.
const KEEP: usize = 1024;

pub struct Bus {
    epoch: String,
    clock: Arc<dyn Clock>,
    /// Events in order of their numbers; the lock also orders publication.
    recent: Mutex<VecDeque<Event>>,
    live: broadcast::Sender<Event>,
}

impl Bus {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { epoch: uuid::Uuid::new_v4().to_string(), clock, recent: Mutex::default(), live: broadcast::channel(KEEP).0 }
    }

    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Call after the change is committed.
    pub fn publish(&self, topic: &str, subject: &str) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event {
            epoch: self.epoch.clone(),
            seq: recent.back().map_or(0, |e| e.seq) + 1,
            time: rfc3339(&*self.clock),
            topic: topic.to_owned(),
            subject: subject.to_owned(),
        };
        if recent.len() == KEEP {
            recent.pop_front();
        }
        recent.push_back(event.clone());
        // No receiver is fine: events are signals, not a log.
        let _ = self.live.send(event);
    }

    /// Number of the newest event; 0 before the first.
    pub fn newest(&self) -> u64 {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).back().map_or(0, |e| e.seq)
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.live.subscribe()
    }

    /// Events after `seq` of `epoch`; all kept ones, with `resync`, for a reader that is too far behind.
    pub fn since(&self, epoch: &str, seq: u64) -> Events {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = recent.back().map_or(0, |e| e.seq);
        let oldest = recent.front().map_or(newest + 1, |e| e.seq);
        let resync = epoch != self.epoch || seq > newest || seq + 1 < oldest;
        let events = recent.iter().filter(|e| resync || e.seq > seq).cloned().collect();
        Events { epoch: self.epoch.clone(), seq: newest, resync, events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seams::SystemClock;

    #[test]
    fn a_reader_learns_whether_it_missed_something() {
        let bus = Bus::new(Arc::new(SystemClock));
        for n in 0..(KEEP + 10) {
            bus.publish("test/n", &n.to_string());
        }
        let newest = (KEEP + 10) as u64;
        let tail = bus.since(bus.epoch(), newest - 2);
        assert_eq!((tail.events.len(), tail.resync, tail.seq), (2, false, newest));
        assert!(bus.since(bus.epoch(), 3).resync, "older than the buffer");
        assert!(bus.since("another life", newest).resync);
        assert!(!bus.since(bus.epoch(), newest).resync);
    }
}
