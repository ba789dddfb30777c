//! All slots, in little memory. A slot with a number that is hardly ever so large is kept whole, beside the others.

use std::collections::HashMap;

use super::slot::{Name, Owner, Slot, pack, unpack};
use super::strings::Id;
use crate::usage::record::{Bill, Tokens};

#[derive(Default)]
pub(super) struct Slots {
    all: Vec<Small>,
    large: HashMap<u32, Slot>,
}

/// 104 bytes in place of 168: there are a hundred thousand of them in a gigabyte of logs.
#[derive(Clone, Copy)]
struct Small {
    ts_ms: i64,
    /// NaN: none.
    cost: f64,
    key: Id,
    next: u32,
    name: Name,
    rank: u32,
    /// Input, output, reasoning, read, written for five minutes, for an hour and for a time nobody told.
    tokens: [u32; 7],
    model: Id,
    provider: Id,
    file: u32,
    session: Id,
    parent: Id,
    project: Id,
    agent_id: Id,
    /// The owner's time less the bill's.
    own_time: i32,
    web_searches: u16,
    level: u8,
    flags: u8,
}

/// Among the flags: this one is not small.
const LARGE: u8 = 128;

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, at: u32) -> Option<Slot> {
        let small = self.all.get(at as usize)?;
        if small.flags & LARGE != 0 { self.large.get(&at).copied() } else { Some(small.slot()) }
    }

    /// Puts it in place of the one there.
    pub(super) fn set(&mut self, at: u32, slot: &Slot) {
        let Some(place) = self.all.get_mut(at as usize) else { return };
        if let Some(small) = Small::of(slot) {
            if place.flags & LARGE != 0 {
                self.large.remove(&at);
            }
            *place = small;
        } else {
            place.flags |= LARGE;
            self.large.insert(at, *slot);
        }
    }

    pub(super) fn push(&mut self, slot: &Slot) {
        let Ok(at) = u32::try_from(self.all.len()) else { return };
        let none = Slot { key: slot.key, next: slot.next, ..Slot::default() };
        self.all.extend(Small::of(&none));
        self.set(at, slot);
    }
}

impl Small {
    fn of(slot: &Slot) -> Option<Self> {
        let Slot { bill, owner, .. } = slot;
        let Tokens { input, output, reasoning, cache_read, cache_write_5m, cache_write_1h, cache_write_12h, cache_write_other } =
            bill.tokens;
        if cache_write_12h != 0 || slot.cost.is_some_and(f64::is_nan) || slot.is(LARGE) {
            return None;
        }
        let number = |number: u64| u32::try_from(number).ok();
        Some(Self {
            ts_ms: bill.ts_ms,
            cost: slot.cost.unwrap_or(f64::NAN),
            key: slot.key,
            next: slot.next,
            name: slot.name,
            rank: number(slot.rank)?,
            tokens: [
                number(input)?,
                number(output)?,
                number(reasoning)?,
                number(cache_read)?,
                number(cache_write_5m)?,
                number(cache_write_1h)?,
                number(cache_write_other)?,
            ],
            model: slot.model,
            provider: slot.provider,
            file: owner.file,
            session: owner.session,
            parent: owner.parent,
            project: owner.project,
            agent_id: owner.agent_id,
            own_time: i32::try_from(owner.ts_ms.checked_sub(bill.ts_ms)?).ok()?,
            web_searches: u16::try_from(bill.web_searches).ok()?,
            level: pack(bill),
            flags: slot.flags,
        })
    }

    fn slot(&self) -> Slot {
        let [input, output, reasoning, cache_read, cache_write_5m, cache_write_1h, cache_write_other] = self.tokens.map(u64::from);
        let tokens =
            Tokens { input, output, reasoning, cache_read, cache_write_5m, cache_write_1h, cache_write_other, ..Tokens::default() };
        let mut bill = Bill { tokens, web_searches: self.web_searches.into(), ts_ms: self.ts_ms, ..Bill::default() };
        unpack(self.level, &mut bill);
        let owner = Owner {
            file: self.file,
            session: self.session,
            parent: self.parent,
            project: self.project,
            agent_id: self.agent_id,
            ts_ms: self.ts_ms.wrapping_add(self.own_time.into()),
        };
        Slot {
            key: self.key,
            flags: self.flags,
            name: self.name,
            rank: self.rank.into(),
            bill,
            model: self.model,
            provider: self.provider,
            cost: Some(self.cost).filter(|cost| !cost.is_nan()),
            owner,
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::record::{Geo, ServiceTier, Speed};

    #[test]
    fn a_slot_comes_back_as_it_was_whatever_is_in_it() {
        let plain = Slot {
            key: 1,
            flags: Slot::SECOND,
            name: Name { other: 2, prompt: 3 },
            rank: 4,
            bill: Bill { web_searches: 5, tier: ServiceTier::Priority, speed: Speed::Fast, geo: Geo::Eu, ts_ms: -6, ..Bill::default() },
            model: 7,
            provider: 8,
            cost: Some(-0.5),
            owner: Owner { file: 9, session: 10, parent: 11, project: 12, agent_id: 13, ts_ms: 14 },
            next: 15,
        };
        let with = |change: &dyn Fn(&mut Slot)| {
            let mut slot = plain;
            change(&mut slot);
            slot
        };
        let most = u64::from(u32::MAX);
        let all = [
            plain,
            with(&|slot| slot.cost = None),
            with(&|slot| slot.bill.tokens.input = most),
            with(&|slot| slot.bill.tokens.input = most + 1),
            with(&|slot| slot.bill.tokens.output = u64::MAX),
            with(&|slot| slot.bill.tokens.cache_write_12h = 1),
            with(&|slot| slot.bill.tokens.cache_write_other = most + 1),
            with(&|slot| slot.rank = u64::MAX),
            with(&|slot| slot.bill.web_searches = u32::MAX),
            with(&|slot| slot.owner.ts_ms = i64::MAX),
            with(&|slot| (slot.bill.ts_ms, slot.owner.ts_ms) = (i64::MIN, i64::MAX)),
        ];
        let mut slots = Slots::default();
        for slot in &all {
            slots.push(slot);
        }
        // Each in the place of each.
        for at in 0..11_u32 {
            for slot in &all {
                assert_eq!(slots.get(at).unwrap().key, 1);
                slots.set(at, slot);
                assert_eq!(slots.get(at).unwrap(), *slot);
            }
        }
        assert_eq!((slots.len(), slots.get(11), slots.large.len()), (11, None, 11), "the last of all is a large one");
        slots.set(3, &plain);
        assert_eq!(slots.large.len(), 10);
        assert_eq!(size_of::<Small>(), 104);
    }
}
