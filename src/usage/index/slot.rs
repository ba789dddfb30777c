//! One request, as small as it goes: numbers of strings in place of strings.

use super::strings::Id;
use crate::usage::record::{Bill, Geo, ServiceTier, Speed};

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Slot {
    /// Among the keys, which begin with the agent's word.
    pub(super) key: Id,
    pub(super) flags: u8,
    pub(super) name: Name,
    pub(super) rank: u64,
    pub(super) bill: Bill,
    pub(super) model: Id,
    pub(super) provider: Id,
    pub(super) cost: Option<f64>,
    pub(super) owner: Owner,
    /// The next slot with this key.
    pub(super) next: u32,
}

/// What tells two requests under one key apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// Of the other id; 0 for none.
    pub(super) other: u32,
    /// Of the prompt's counts.
    pub(super) prompt: u32,
}

impl Name {
    /// Whether these are one request's, as far as the two tell.
    pub(super) fn meets(self, told: Self) -> bool {
        self.other == 0 || told.other == 0 || self.other == told.other || self.prompt == told.prompt
    }
}

/// Whose request it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) file: u32,
    pub(super) session: Id,
    pub(super) parent: Id,
    pub(super) project: Id,
    pub(super) agent_id: Id,
    pub(super) ts_ms: i64,
}

impl Slot {
    pub(super) const SIDECHAIN: u8 = 1;
    pub(super) const ABORTED: u8 = 2;
    pub(super) const SUB_REQUEST: u8 = 4;
    /// A copy, or a side chain's replay: nothing where an original is.
    pub(super) const SECOND: u8 = 8;
    /// Counted under another key.
    pub(super) const ELSEWHERE: u8 = 16;
    /// Became a part of another slot.
    pub(super) const GONE: u8 = 32;

    pub(super) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

pub(super) fn tier_number(tier: ServiceTier) -> u8 {
    match tier {
        ServiceTier::Standard => 0,
        ServiceTier::Flex => 1,
        ServiceTier::Balanced => 2,
        ServiceTier::Priority => 3,
        ServiceTier::Ultrafast => 4,
    }
}

pub(super) fn geo_number(geo: Geo) -> u8 {
    match geo {
        Geo::Unsaid => 0,
        Geo::Global => 1,
        Geo::Us => 2,
        Geo::Eu => 3,
        Geo::Elsewhere => 4,
    }
}

/// Tier, speed and place in one byte.
pub(super) fn pack(bill: &Bill) -> u8 {
    tier_number(bill.tier) | geo_number(bill.geo) << 3 | u8::from(bill.speed == Speed::Fast) << 6
}

pub(super) fn unpack(byte: u8, bill: &mut Bill) {
    bill.tier = match byte & 7 {
        1 => ServiceTier::Flex,
        2 => ServiceTier::Balanced,
        3 => ServiceTier::Priority,
        4 => ServiceTier::Ultrafast,
        _ => ServiceTier::Standard,
    };
    bill.geo = match byte >> 3 & 7 {
        1 => Geo::Global,
        2 => Geo::Us,
        3 => Geo::Eu,
        4 => Geo::Elsewhere,
        _ => Geo::Unsaid,
    };
    bill.speed = if byte & 64 != 0 { Speed::Fast } else { Speed::Standard };
}
