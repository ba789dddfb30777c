//! Cheaper hours. What counts is when the request was made, not when it is priced.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::value::RawValue;

use super::entry::Fields;
use super::money::Money;
use super::price::Rates;

#[derive(Clone, Debug)]
pub(super) struct OffPeak {
    windows: Vec<Window>,
    /// On whose calendar the days of the week are read.
    calendar: TimeZone,
    input: Option<Money>,
    output: Option<Money>,
    reasoning: Option<Money>,
    read: Option<Money>,
    write: Option<Money>,
}

/// From one minute of the UTC day up to another, maybe past midnight; the whole day where they are the same.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: u32,
    to: u32,
    days: Days,
}

#[derive(Clone, Copy, Debug)]
enum Days {
    Every,
    /// Bit 1 is Monday, bit 7 Sunday.
    Of(u8),
}

impl OffPeak {
    pub(super) fn read(block: &Fields<'_>) -> Option<Self> {
        let mut windows = hours(block, Days::Every);
        let rules: Vec<&RawValue> = block.raw("windows").and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
        for rule in rules.into_iter().filter_map(|rule| Fields::parse(rule.get())) {
            windows.extend(hours(&rule, days(&rule)));
        }
        let calendar = block.text("weekday_timezone").and_then(|name| TimeZone::get(name.trim()).ok()).unwrap_or(TimeZone::UTC);
        let off_peak = Self {
            windows,
            calendar,
            input: block.rate("input_cost_per_token"),
            output: block.rate("output_cost_per_token"),
            reasoning: block.rate("output_cost_per_reasoning_token"),
            read: block.rate("cache_read_input_token_cost"),
            write: block.rate("cache_creation_input_token_cost"),
        };
        (!off_peak.windows.is_empty()).then_some(off_peak)
    }

    pub(super) fn holds_at(&self, ts_ms: i64) -> bool {
        let Ok(time) = Timestamp::from_millisecond(ts_ms) else { return false };
        let minute = u32::try_from(ts_ms.div_euclid(60_000).rem_euclid(24 * 60)).unwrap_or(0);
        let day = time.to_zoned(self.calendar.clone()).weekday().to_monday_one_offset();
        self.windows.iter().any(|window| window.holds(minute, day))
    }

    /// The block's rates replace those that would hold; what it does not say stays.
    pub(super) fn applied(&self, rates: Rates) -> Rates {
        Rates {
            input: self.input.unwrap_or(rates.input),
            output: self.output.unwrap_or(rates.output),
            reasoning: self.reasoning.or(rates.reasoning),
            read: self.read.or(rates.read),
            write: self.write.or(rates.write),
            ..rates
        }
    }

    /// A seller that has a rule for reads where the table has no rate.
    pub(super) fn set_missing_read(&mut self, read: impl Fn(Option<Money>) -> Money) {
        self.read = Some(self.read.unwrap_or_else(|| read(self.input)));
    }
}

impl Window {
    fn holds(self, minute: u32, day: i8) -> bool {
        let today = match self.days {
            Days::Every => true,
            Days::Of(days) => u32::try_from(day).ok().and_then(|day| days.checked_shr(day)).is_some_and(|bits| bits & 1 == 1),
        };
        let now = if self.from < self.to { self.from <= minute && minute < self.to } else { minute >= self.from || minute < self.to };
        today && now
    }
}

/// `hours_utc`: one `HH:MM-HH:MM`, or a list of them. What is neither is no window.
fn hours(rule: &Fields<'_>, days: Days) -> Vec<Window> {
    let Some(raw) = rule.raw("hours_utc") else { return Vec::new() };
    let list: Vec<String> = serde_json::from_str(raw).or_else(|_| serde_json::from_str(raw).map(|one| vec![one])).unwrap_or_default();
    let window = |text: &String| {
        let (from, to) = text.split_once('-')?;
        Some(Window { from: minute(from)?, to: minute(to)?, days })
    };
    list.iter().filter_map(window).collect()
}

fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn days(rule: &Fields<'_>) -> Days {
    let Some(raw) = rule.raw("weekdays") else { return Days::Every };
    let list: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
    let number = |day: &&RawValue| match day.get().trim_matches('"').trim().to_ascii_lowercase().as_str() {
        "1" | "mon" | "monday" => 1,
        "2" | "tue" | "tues" | "tuesday" => 2,
        "3" | "wed" | "wednesday" => 3,
        "4" | "thu" | "thur" | "thurs" | "thursday" => 4,
        "5" | "fri" | "friday" => 5,
        "6" | "sat" | "saturday" => 6,
        "7" | "sun" | "sunday" => 7,
        _ => 0,
    };
    // Bit 0 is no day.
    Days::Of(list.iter().fold(0_u8, |bits, day| bits | 1 << number(day)))
}
