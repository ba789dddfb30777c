//! One lane of waiting events for each plugin: it has one process at a time, and what it cannot keep up with is dropped and counted.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use crate::wire::{event::Event, ids::PluginName};

/// Events that wait for one plugin.
const WAITING: usize = 64;

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Event>,
    busy: bool,
    dropped: u64,
}

#[derive(Default)]
pub struct Lanes {
    /// Held for a look only.
    lanes: Mutex<HashMap<PluginName, Lane>>,
}

impl Lanes {
    /// Puts an event into a plugin's lane. True: nobody works on the lane, so the caller must, with [`Lanes::next`].
    pub fn put(&self, plugin: &PluginName, event: Event) -> bool {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(plugin.clone()).or_default();
        if lane.waiting.len() >= WAITING {
            lane.dropped += 1;
        } else {
            lane.waiting.push_back(event);
        }
        !std::mem::replace(&mut lane.busy, true)
    }

    /// The next event and how many were dropped before; `None` gives the lane up.
    pub fn next(&self, plugin: &PluginName) -> Option<(Event, u64)> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.get_mut(plugin)?;
        match lane.waiting.pop_front() {
            Some(event) => Some((event, std::mem::take(&mut lane.dropped))),
            None => {
                lanes.remove(plugin);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_plugin_holds_up_nobody_and_learns_what_it_missed() {
        let lanes = Lanes::default();
        let plugin = PluginName::parse("p").unwrap();
        let event = |seq| Event { epoch: "e".into(), seq, time: "t".into(), topic: "a/b".into(), subject: "s".into() };
        let workers = (0..100).filter(|seq| lanes.put(&plugin, event(*seq))).count();
        assert_eq!(workers, 1, "only the first finds the lane free");
        let (first, dropped) = lanes.next(&plugin).unwrap();
        assert_eq!((first.seq, dropped), (0, 100 - WAITING as u64));
        let rest = std::iter::from_fn(|| lanes.next(&plugin)).count();
        assert_eq!(rest, WAITING - 1);
        assert!(lanes.put(&plugin, event(7)), "free again");
    }
}
