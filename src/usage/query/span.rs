//! Which days are meant, and where they begin.

use jiff::{
    Timestamp, ToSpan,
    civil::Date,
    tz::{Offset, TimeZone},
};

use crate::{
    base::error::{Error, Result},
    wire::usage::{Period, Select, Slice},
};

/// Days in a zone; absent ends are open.
#[derive(Clone, Debug)]
pub struct Span {
    pub zone: TimeZone,
    /// As it was asked for.
    name: String,
    pub today: Date,
    pub first: Option<Date>,
    pub last: Option<Date>,
}

impl Span {
    pub fn of(select: &Select, now: Timestamp) -> Result<Self> {
        let zone = zone(&select.timezone)?;
        let today = now.to_zoned(zone.clone()).date();
        let (mut first, mut last) = period(select.period.unwrap_or(Period::All), today);
        if let Some(since) = &select.since {
            first = Some(day("--since", since)?);
            // `since` alone goes on until now; with a period it moves that one's beginning.
            last = if select.period.is_some() { last } else { None };
        }
        if let Some(until) = &select.until {
            last = Some(day("--until", until)?);
        }
        if let (Some(first), Some(last)) = (first, last)
            && first > last
        {
            return Err(Error::invalid(format!("there is no day from {first} to {last}")).hint("give --since the earlier day"));
        }
        let name = if select.timezone.is_empty() { "UTC".to_owned() } else { select.timezone.clone() };
        Ok(Self { zone, name, today, first, last })
    }

    /// The same zone, other days.
    pub(super) fn with(&self, period_: Period) -> Self {
        let (first, last) = period(period_, self.today);
        Self { first, last, ..self.clone() }
    }

    /// Milliseconds since 1970: from the first, up to and without the second.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        let first = self.first.and_then(|day| start_of(day, &self.zone));
        let end = self.last.and_then(|day| start_of(day.tomorrow().ok()?, &self.zone));
        (first.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX))
    }

    /// Whether all times are meant.
    pub(super) fn is_open(&self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    /// When the next day or month begins.
    pub(crate) fn next(&self, month: bool) -> String {
        let next = if month { self.today.last_of_month().tomorrow() } else { self.today.tomorrow() };
        next.ok().and_then(|day| start_of(day, &self.zone)).map(rfc3339).unwrap_or_default()
    }

    pub fn slice(&self) -> Slice {
        let text = |day: Option<Date>| day.map(|day| day.to_string());
        Slice { since: text(self.first), until: text(self.last), timezone: self.name.clone() }
    }
}

/// Where a day begins. In some zones clocks change at midnight: then that is the first moment of the day there is.
pub(super) fn start_of(day: Date, zone: &TimeZone) -> Option<i64> {
    let midnight = day.to_zoned(zone.clone()).ok()?;
    Some(midnight.start_of_day().map_or(midnight.timestamp(), |start| start.timestamp()).as_millisecond())
}

fn period(period: Period, today: Date) -> (Option<Date>, Option<Date>) {
    let back = |days: i64| today.checked_sub(days.days()).ok();
    let monday = back(i64::from(today.weekday().to_monday_zero_offset()));
    match period {
        Period::Today => (Some(today), Some(today)),
        Period::Yesterday => (back(1), back(1)),
        Period::Week => (monday, Some(today)),
        Period::Month => (Some(today.first_of_month()), Some(today)),
        Period::Last7 => (back(6), Some(today)),
        Period::Last30 => (back(29), Some(today)),
        Period::All => (None, None),
    }
}

fn day(option: &str, text: &str) -> Result<Date> {
    let spelled = if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        format!("{}-{}-{}", text.get(..4).unwrap_or_default(), text.get(4..6).unwrap_or_default(), text.get(6..).unwrap_or_default())
    } else {
        text.to_owned()
    };
    spelled.parse().map_err(|_| Error::invalid(format!("{option} {text:?} is not a day")).hint("write it like 2026-11-22"))
}

/// A zone by its name, its rule (`CET-1CEST,M3.5.0,M10.5.0/3`) or its offset.
pub fn zone(text: &str) -> Result<TimeZone> {
    let unknown = || Error::invalid(format!("there is no time zone {text:?}")).hint("write it like Europe/Berlin, UTC or +02:00");
    if text.is_empty() || text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") {
        return Ok(TimeZone::UTC);
    }
    if text.starts_with(['+', '-']) {
        return offset(text).map(TimeZone::fixed).ok_or_else(unknown);
    }
    TimeZone::get(text).or_else(|_| TimeZone::posix(text)).map_err(|_| unknown())
}

/// `+02:00`, `-0330` or `+2`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = (if text.starts_with('-') { -1 } else { 1 }, text.get(1..)?);
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at_checked(2)?,
        None => (rest, "0"),
    };
    let number = |text: &str| (text.len() <= 2).then(|| text.parse::<u8>().ok()).flatten().map(i32::from);
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60 && minutes % 15 == 0)?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok().filter(|_| hours <= 14)
}

/// RFC 3339, UTC, with milliseconds.
pub(super) fn rfc3339(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The Monday of its week.
pub(super) fn monday_of(day: Date) -> Date {
    let back = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(back.days()).unwrap_or(day)
}
