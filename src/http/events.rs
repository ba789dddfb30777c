//! Events for one reader: what it missed, then what comes, by topic.

use std::sync::Arc;

use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    app::App,
    wire::{event::Event, http::Seen},
};

pub(super) struct Feed {
    epoch: String,
    newest: Box<dyn Fn() -> u64 + Send + Sync>,
    live: Receiver<Event>,
    topics: Vec<String>,
    last: u64,
    /// Owed to the reader before anything that comes.
    owed: std::vec::IntoIter<Event>,
    missed: bool,
}

pub(super) enum Next {
    Event(Event),
    /// Events are gone; the newest there is.
    Missed(Seen),
    Closed,
}

impl Feed {
    /// `after`: what the reader saw last.
    pub fn open(app: &Arc<App>, topics: Vec<String>, after: Option<&Seen>) -> Self {
        // Before the look at what was: what comes in between is seen twice, and left out by its number.
        let live = app.bus.subscribe();
        let (last, owed, missed) = match after {
            None => (app.bus.newest(), Vec::new(), false),
            Some(seen) => {
                let past = app.bus.since(&seen.epoch, seen.seq);
                (past.seq, if past.resync { Vec::new() } else { past.events }, past.resync)
            }
        };
        let (epoch, app) = (app.bus.epoch().to_owned(), Arc::clone(app));
        let newest = Box::new(move || app.bus.newest());
        Self { epoch, newest, live, topics, last, owed: owed.into_iter(), missed }
    }

    /// The newest there is for this reader.
    pub fn seen(&self) -> Seen {
        Seen { epoch: self.epoch.clone(), seq: self.last }
    }

    /// May be dropped while it waits; nothing is lost by that.
    pub async fn next(&mut self) -> Next {
        if std::mem::take(&mut self.missed) {
            return Next::Missed(self.seen());
        }
        if let Some(event) = self.owed.by_ref().find(|e| wanted(&self.topics, e)) {
            return Next::Event(event);
        }
        loop {
            match self.live.recv().await {
                Ok(event) if event.seq <= self.last => {}
                Ok(event) => {
                    self.last = event.seq;
                    if wanted(&self.topics, &event) {
                        return Next::Event(event);
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    // What is left in the queue is older than the newest, and would be overtaken again.
                    self.live = self.live.resubscribe();
                    self.last = (self.newest)();
                    return Next::Missed(self.seen());
                }
                Err(RecvError::Closed) => return Next::Closed,
            }
        }
    }
}

fn wanted(topics: &[String], event: &Event) -> bool {
    topics.iter().any(|topic| event.topic.starts_with(topic.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_falls_behind_is_told_once_and_goes_on_after_the_newest() {
        let (sender, live) = tokio::sync::broadcast::channel(4);
        let send = |seq| {
            let event = Event { epoch: "e".into(), seq, time: String::new(), topic: "a/b".into(), subject: String::new() };
            sender.send(event).unwrap();
        };
        let newest = Box::new(|| 9);
        let owed = Vec::new().into_iter();
        let mut feed = Feed { epoch: "e".into(), newest, live, topics: vec!["a/".into()], last: 0, owed, missed: false };
        send(1);
        assert!(matches!(feed.next().await, Next::Event(event) if event.seq == 1));
        (2..10).for_each(send);
        assert!(matches!(feed.next().await, Next::Missed(seen) if seen.seq == 9));
        send(10);
        assert!(matches!(feed.next().await, Next::Event(event) if event.seq == 10));
    }
}
