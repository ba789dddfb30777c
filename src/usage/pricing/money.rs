//! Sums of money that come out the same in any order.

use std::ops::{Add, AddAssign};

/// US dollars, in units of 1e-24. Every rate in the table is a whole number of them, so sums are exact. Stops at its ends
/// (1.7e14 dollars) instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i128);

const DIGITS: u32 = 24;

impl Money {
    pub const ZERO: Self = Self(0);

    /// A decimal number of dollars, as JSON or TOML write it (`0.25`, `3e-06`).
    #[must_use]
    pub fn of_usd_text(text: &str) -> Option<Self> {
        decimal(text, DIGITS).map(Self)
    }

    /// The nearest number a float has.
    #[must_use]
    pub fn usd(self) -> f64 {
        let unit = 10_u128.pow(DIGITS);
        let (whole, rest) = (self.0.unsigned_abs() / unit, self.0.unsigned_abs() % unit);
        let sign = if self.0 < 0 { "-" } else { "" };
        // Read as text, so that it is rounded once.
        format!("{sign}{whole}.{rest:024}").parse().unwrap_or(f64::MAX)
    }

    #[must_use]
    pub(super) fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(i128::from(count)))
    }

    #[must_use]
    pub(super) fn halved(self) -> Self {
        Self(self.0 / 2)
    }

    /// A rate per million of something, as one.
    #[must_use]
    pub(super) fn per_million(self) -> Self {
        Self(self.0 / 1_000_000)
    }

    #[must_use]
    pub(super) fn scaled(self, by: Factor) -> Self {
        if by == Factor::ONE {
            return self;
        }
        let half = i128::from(Factor::UNIT) / 2;
        Self(self.0.saturating_mul(i128::from(by.0)).saturating_add(half) / i128::from(Factor::UNIT))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What a price is multiplied by, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Factor(u32);

impl Factor {
    pub(super) const ONE: Self = Self(Self::UNIT);
    const UNIT: u32 = 1_000_000;

    pub(super) fn of_text(text: &str) -> Option<Self> {
        decimal(text, 6).and_then(|value| u32::try_from(value).ok()).map(Self)
    }
}

/// A decimal number as a count of 1e-`digits`, rounded to the nearest. `None` for what is no number, too long, too large or below 0.
fn decimal(text: &str, digits: u32) -> Option<i128> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + rest.len() == 0 || whole.len() + rest.len() > 36 || !all_digits(whole) || !all_digits(rest) {
        return None;
    }
    let value = format!("{whole}{rest}").parse::<i128>().ok()?;
    let places = exponent.checked_sub(i32::try_from(rest.len()).ok()?)?.checked_add(i32::try_from(digits).ok()?)?;
    let power = |places: u32| 10_i128.checked_pow(places);
    if value == 0 {
        Some(0)
    } else if places >= 0 {
        value.checked_mul(power(places.unsigned_abs())?)
    } else {
        // A power that does not fit makes nothing of any number that does.
        Some(power(places.unsigned_abs()).map_or(0, |power| (value + power / 2) / power))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_whole_however_it_is_written() {
        for text in ["3e-06", "0.000003", "3E-6", "0.3e-5", "30e-7", "3.0e-06"] {
            assert_eq!(Money::of_usd_text(text), Some(Money(3_000_000_000_000_000_000)), "{text}");
        }
        assert_eq!(Money::of_usd_text("1.1428571428571428e-06"), Some(Money(1_142_857_142_857_142_800)));
        assert_eq!(Money::of_usd_text("0"), Some(Money::ZERO));
        assert_eq!(Money::of_usd_text("1e-400"), Some(Money::ZERO));
    }

    #[test]
    fn what_is_no_price_is_none() {
        for text in ["", ".", "-1", "nan", "inf", "1e", "1e99", "1_000", " 1", "0x1", "1.2.3", "true", "1e-99999999999"] {
            assert_eq!(Money::of_usd_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_sum_is_the_same_in_any_order() {
        let one = ["0.1", "0.2", "0.3", "1e-9", "7e-15"].map(|text| Money::of_usd_text(text).unwrap());
        let up = one.iter().fold(Money::ZERO, |sum, more| sum + *more);
        let down = one.iter().rev().fold(Money::ZERO, |sum, more| sum + *more);
        assert_eq!(up, down);
        assert_eq!(up.usd(), 0.600000001000007);
    }

    #[test]
    fn factors_are_exact() {
        let price = Money::of_usd_text("0.3").unwrap();
        assert_eq!(price.scaled(Factor::of_text("1.1").unwrap()).usd(), 0.33);
        assert_eq!(price.scaled(Factor::of_text("2").unwrap()).usd(), 0.6);
        assert_eq!(price.scaled(Factor::ONE), price);
    }

    #[test]
    fn absurd_counts_stop_at_the_end() {
        let rate = Money::of_usd_text("1").unwrap();
        assert_eq!(rate.times(u64::MAX), Money(i128::MAX));
        assert_eq!(rate.times(u64::MAX) + rate, Money(i128::MAX));
        assert!(rate.times(u64::MAX).scaled(Factor::of_text("2").unwrap()).usd() > 1e8);
    }
}
