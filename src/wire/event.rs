//! Signals that something changed. They carry no new value and no secret: readers ask again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect};

/// `{"epoch":"..","seq":7,"time":"..","topic":"profile/created","subject":"work"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Life of the daemon that sent it. Another epoch means: read everything again.
    pub epoch: String,
    /// Counts up by one within an epoch. A gap means events were missed.
    pub seq: u64,
    /// RFC 3339, UTC.
    pub time: String,
    /// `noun/verb`; a reader ignores topics it does not know.
    pub topic: String,
    /// Alias, session id or other name of what changed.
    pub subject: String,
}

/// Frame on the pub/sub socket: topic, a newline, then the event as JSON, so that a subscriber can
/// filter by topic prefix.
pub fn frame(event: &Event) -> Vec<u8> {
    let mut bytes = event.topic.clone().into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(&serde_json::to_vec(event).unwrap_or_default());
    bytes
}

/// Reads a frame made by [`frame`]; `None` when it is none.
pub fn parse_frame(bytes: &[u8]) -> Option<Event> {
    let cut = bytes.iter().position(|b| *b == b'\n')?;
    serde_json::from_slice(bytes.get(cut + 1..)?).ok()
}

/// Events after a sequence number, from the daemon's ring buffer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EventsSince")]
pub struct Since {
    pub epoch: String,
    pub seq: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Events {
    pub epoch: String,
    /// Newest sequence number of this epoch.
    pub seq: u64,
    /// True when events asked for are gone from the buffer, or belong to another epoch.
    pub resync: bool,
    pub events: Vec<Event>,
}

impl Call for Since {
    const NAME: &'static str = "events.since";
    const EFFECT: Effect = Effect::Read;
    type Reply = Events;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back() {
        let event = Event {
            epoch: "e".into(),
            seq: 3,
            time: "2026-01-01T00:00:00Z".into(),
            topic: "profile/created".into(),
            subject: "work".into(),
        };
        assert_eq!(parse_frame(&frame(&event)), Some(event));
        assert_eq!(parse_frame(b"no newline"), None);
    }
}
