//! The book as bytes. Numbers are short where they are small or near the one before; what is zero is left out.

use super::slot::{NONE, Name, Owner, Slot, pack, unpack};
use crate::usage::record::Tokens;

pub(super) const STRING: u8 = 1;
pub(super) const KEY: u8 = 2;
pub(super) const SLOT: u8 = 3;
pub(super) const NAMES: u8 = 4;
pub(super) const FILE: u8 = 5;
pub(super) const LIMIT: u8 = 6;
pub(super) const BILL: u8 = 7;

const WEB: u32 = 1 << 8;
const LEVEL: u32 = 1 << 9;
const COST: u32 = 1 << 10;
const RANK: u32 = 1 << 11;
const OWN_TIME: u32 = 1 << 12;
const OTHER: u32 = 1 << 13;
const PLACE: u32 = 1 << 14;

pub(super) fn put(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push((number & 0x7f) as u8);
}

pub(super) fn put_signed(to: &mut Vec<u8>, number: i64) {
    put(to, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

pub(super) fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

/// Reads what `put` wrote. Everything is `None` at the end and on nonsense.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}

/// The slot before, in the same frame.
#[derive(Clone, Copy)]
pub(super) struct Before {
    at: u32,
    key: u32,
    ts_ms: i64,
    place: [u32; 7],
}

impl Default for Before {
    fn default() -> Self {
        Self { at: 0, key: 0, ts_ms: 0, place: [NONE; 7] }
    }
}

fn place(slot: &Slot) -> [u32; 7] {
    let owner = &slot.owner;
    [slot.model, slot.provider, owner.file, owner.session, owner.parent, owner.project, owner.agent_id]
}

fn counts(tokens: &mut Tokens) -> [&mut u64; 8] {
    let Tokens { input, output, reasoning, cache_read, cache_write_5m, cache_write_1h, cache_write_12h, cache_write_other } = tokens;
    [input, output, reasoning, cache_read, cache_write_5m, cache_write_1h, cache_write_12h, cache_write_other]
}

pub(super) fn put_slot(to: &mut Vec<u8>, at: u32, slot: &Slot, before: &mut Before) {
    let mut tokens = slot.bill.tokens;
    let level = pack(&slot.bill);
    let mut mask = 0;
    for (bit, count) in (0..).zip(counts(&mut tokens)) {
        mask |= u32::from(*count != 0) << bit;
    }
    let flag = |is: bool, flag: u32| if is { flag } else { 0 };
    mask |= flag(slot.bill.web_searches != 0, WEB)
        | flag(level != 0, LEVEL)
        | flag(slot.cost.is_some(), COST)
        | flag(slot.rank != slot.bill.tokens.output, RANK)
        | flag(slot.owner.ts_ms != slot.bill.ts_ms, OWN_TIME)
        | flag(slot.name.other != 0, OTHER)
        | flag(place(slot) != before.place, PLACE);
    put(to, u64::from(mask));
    put_signed(to, i64::from(at) - i64::from(before.at));
    put_signed(to, i64::from(slot.key) - i64::from(before.key));
    to.push(slot.flags);
    to.extend_from_slice(&slot.name.prompt.to_le_bytes());
    if mask & OTHER != 0 {
        to.extend_from_slice(&slot.name.other.to_le_bytes());
    }
    put_signed(to, slot.bill.ts_ms.wrapping_sub(before.ts_ms));
    counts(&mut tokens).into_iter().filter(|count| **count != 0).for_each(|count| put(to, *count));
    if mask & WEB != 0 {
        put(to, u64::from(slot.bill.web_searches));
    }
    if mask & LEVEL != 0 {
        to.push(level);
    }
    if let Some(cost) = slot.cost {
        to.extend_from_slice(&cost.to_le_bytes());
    }
    if mask & RANK != 0 {
        put(to, slot.rank);
    }
    if mask & OWN_TIME != 0 {
        put_signed(to, slot.owner.ts_ms.wrapping_sub(slot.bill.ts_ms));
    }
    if mask & PLACE != 0 {
        place(slot).into_iter().for_each(|number| put(to, u64::from(number)));
    }
    *before = Before { at, key: slot.key, ts_ms: slot.bill.ts_ms, place: place(slot) };
}

pub(super) fn slot(from: &mut Bytes<'_>, before: &mut Before) -> Option<(u32, Slot)> {
    let mask = from.small()?;
    let near = |base: u32, delta: i64| u32::try_from(i64::from(base).checked_add(delta)?).ok();
    let at = near(before.at, from.signed()?)?;
    let key = near(before.key, from.signed()?)?;
    let flags = from.byte()?;
    let prompt = u32::from_le_bytes(from.array()?);
    let other = if mask & OTHER != 0 { u32::from_le_bytes(from.array()?) } else { 0 };
    let mut bill = crate::usage::record::Bill { ts_ms: before.ts_ms.wrapping_add(from.signed()?), ..Default::default() };
    for (bit, count) in (0..).zip(counts(&mut bill.tokens)) {
        if mask & (1 << bit) != 0 {
            *count = from.number()?;
        }
    }
    if mask & WEB != 0 {
        bill.web_searches = from.small()?;
    }
    if mask & LEVEL != 0 {
        unpack(from.byte()?, &mut bill);
    }
    let cost = if mask & COST != 0 { Some(f64::from_le_bytes(from.array()?)) } else { None };
    let rank = if mask & RANK != 0 { from.number()? } else { bill.tokens.output };
    let ts_ms = if mask & OWN_TIME != 0 { bill.ts_ms.wrapping_add(from.signed()?) } else { bill.ts_ms };
    let mut place = before.place;
    if mask & PLACE != 0 {
        for number in &mut place {
            *number = from.small()?;
        }
    }
    *before = Before { at, key, ts_ms: bill.ts_ms, place };
    let [model, provider, file, session, parent, project, agent_id] = place;
    let owner = Owner { file, session, parent, project, agent_id, ts_ms };
    Some((at, Slot { key, flags, name: Name { other, prompt }, rank, bill, model, provider, cost, owner, next: NONE }))
}
