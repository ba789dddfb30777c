//! Times in logs, as milliseconds since 1970.

/// An RFC 3339 time. The common form is read without help; every other one by a library.
pub(crate) fn millis(text: &[u8]) -> Option<i64> {
    common(text).or_else(|| std::str::from_utf8(text).ok()?.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond))
}

/// `2026-11-22T10:00:00.000Z`, with any number of decimals or none.
fn common(text: &[u8]) -> Option<i64> {
    let digits = |from: usize, count: usize| {
        text.get(from..from + count)?.iter().try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !marks.iter().all(|(at, mark)| text.get(*at) == Some(mark)) || text.last() != Some(&b'Z') {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
    let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
    let valid = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let mut decimals = text.get(19..text.len() - 1)?.iter();
    let mut fraction = 0;
    if let Some(first) = decimals.next() {
        if *first != b'.' || !decimals.clone().all(u8::is_ascii_digit) {
            return None;
        }
        for weight in [100, 10, 1] {
            fraction += decimals.next().map_or(0, |digit| i64::from(digit - b'0') * weight);
        }
    }
    valid.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second).map(|seconds| seconds * 1000 + fraction)
}

/// Days since 1970-01-01, by counting years from March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The time inside a UUID of version 7.
pub(crate) fn of_uuid7(id: &str) -> Option<i64> {
    let id = uuid::Uuid::try_parse(id).ok().filter(|id| id.get_version_num() == 7)?;
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Some(i64::try_from(seconds).ok()? * 1000 + i64::from(nanos / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_reading_equals_the_library_s() {
        for text in ["1970-01-01T00:00:00Z", "2024-02-29T23:59:59.9Z", "2026-11-22T10:00:00.123456Z", "2100-03-01T00:00:00.001Z"] {
            let library = text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            assert_eq!(common(text.as_bytes()), Some(library), "{text}");
        }
        assert_eq!(millis(b"2026-11-22T19:50:05.072348647+00:00"), millis(b"2026-11-22T19:50:05.072Z"));
        for bad in ["", "2026", "2026-11-22T10:00:00.x00Z", "not a time at all, this"] {
            assert_eq!(millis(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_uuid_of_version_7_tells_its_time() {
        assert_eq!(of_uuid7("01a204c3-d3ff-7013-906e-e30303c8271c"), millis(b"2026-11-22T19:37:52.383Z"));
        assert_eq!(of_uuid7("01a204c3-d3ff-4013-906e-e30303c8271c"), None);
        assert_eq!(of_uuid7("T"), None);
    }
}
