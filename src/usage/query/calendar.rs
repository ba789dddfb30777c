//! Days of a zone, found for moments.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::span::start_of;

/// Remembers the days it met: logs are written in order, so most moments are of the day before them.
pub(super) struct Calendar {
    zone: TimeZone,
    /// By their first millisecond: the first one after, and the day.
    days: BTreeMap<i64, (i64, Date)>,
    latest: (i64, i64, Date),
}

impl Calendar {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { zone, days: BTreeMap::new(), latest: (0, 0, Date::default()) }
    }

    pub(super) fn day(&mut self, ms: i64) -> Date {
        if (self.latest.0..self.latest.1).contains(&ms) {
            return self.latest.2;
        }
        let known = self.days.range(..=ms).next_back().filter(|(_, (end, _))| ms < *end);
        let (start, (end, day)) = known.map_or_else(|| self.find(ms), |(start, rest)| (*start, *rest));
        self.days.insert(start, (end, day));
        self.latest = (start, end, day);
        day
    }

    fn find(&self, ms: i64) -> (i64, (i64, Date)) {
        let moment = Timestamp::from_millisecond(ms).unwrap_or_default();
        let day = moment.to_zoned(self.zone.clone()).date();
        let start = start_of(day, &self.zone).unwrap_or(ms);
        let end = day.tomorrow().ok().and_then(|next| start_of(next, &self.zone)).unwrap_or(ms + 1);
        (start, (end, day))
    }
}
