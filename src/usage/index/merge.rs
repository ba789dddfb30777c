//! How several tellings of one request become one.
//!
//! Every rule takes the greater or the smaller of two things by an order that only looks at what was told. So files may come in any
//! order, in any pieces, and as often as they like.

use std::cmp::Ordering;

use super::book::Book;
use super::slot::{NONE, Name, Slot, geo_number, tier_number};

impl Book {
    /// Takes one telling. `told.key` and the strings are known already; `told.next` is not looked at.
    pub(super) fn merge(&mut self, told: Slot) {
        let class = Slot::SECOND | Slot::ELSEWHERE;
        let mut into = NONE;
        let mut at = self.heads.get(told.key as usize).copied().unwrap_or(NONE);
        while let Some(slot) = self.slots.get(at) {
            let same_class = !slot.is(Slot::GONE) && (slot.flags ^ told.flags) & class == 0;
            if same_class && (told.is(class) || self.meets(at, &slot, told.name)) {
                if into == NONE {
                    self.take(at, &told, told.name);
                    into = at;
                } else {
                    // The new telling shows that two requests were one.
                    self.absorb(into, at);
                }
            }
            at = slot.next;
        }
        if into == NONE {
            self.push(told);
        }
    }

    fn meets(&self, at: u32, slot: &Slot, name: Name) -> bool {
        slot.name.meets(name) || self.names.get(&at).is_some_and(|names| names.iter().any(|known| known.meets(name)))
    }

    fn take(&mut self, at: u32, told: &Slot, name: Name) {
        let Some(known) = self.slots.get(at) else { return };
        let mut slot = known;
        if self.counts_more(told, &known) {
            slot = Slot { key: known.key, name: known.name, next: known.next, owner: known.owner, flags: known.flags, ..*told };
        }
        // What is said of the request and not of its owner goes with the greater telling, or is true of any.
        slot.flags = known.flags | (told.flags & (Slot::ABORTED | Slot::SUB_REQUEST));
        if self.owns_before(told, &known) {
            slot.owner = told.owner;
            slot.flags = (slot.flags & !Slot::SIDECHAIN) | (told.flags & Slot::SIDECHAIN);
        }
        if slot != known {
            self.slots.set(at, &slot);
            self.touch(at);
        }
        self.remember(at, known.name, name);
    }

    /// Names beyond a slot's own, sorted. Hardly a slot has any.
    fn remember(&mut self, at: u32, own: Name, name: Name) {
        if own == name {
            return;
        }
        let names = self.names.entry(at).or_default();
        if let Err(place) = names.binary_search(&name) {
            names.insert(place, name);
            self.touch(at);
        }
    }

    fn absorb(&mut self, into: u32, from: u32) {
        let Some(other) = self.slots.get(from) else { return };
        self.take(into, &other, other.name);
        let own = self.slots.get(into).map(|slot| slot.name).unwrap_or_default();
        for name in self.names.remove(&from).unwrap_or_default() {
            self.remember(into, own, name);
        }
        if let Some(slot) = self.slots.get(from) {
            self.slots.set(from, &Slot { flags: slot.flags | Slot::GONE, ..slot });
        }
        self.touch(from);
    }

    fn counts_more(&self, told: &Slot, known: &Slot) -> bool {
        let order = |slot: &Slot| {
            let (bill, t) = (slot.bill, slot.bill.tokens);
            let counts = [t.input, t.output, t.reasoning, t.cache_read, t.cache_write_5m, t.cache_write_1h, t.cache_write_12h];
            let rest = (bill.web_searches, tier_number(bill.tier), geo_number(bill.geo), bill.speed as u8);
            (slot.rank, t.total(), counts, rest, std::cmp::Reverse(bill.ts_ms), slot.cost.map(f64::to_bits))
        };
        let text = |slot: &Slot| (self.strings.get(slot.model), self.strings.get(slot.provider));
        match order(told).cmp(&order(known)) {
            Ordering::Equal if (told.model, told.provider) == (known.model, known.provider) => false,
            Ordering::Equal => text(told) > text(known),
            order => order.is_gt(),
        }
    }

    /// The user's own home before a profile's, the earlier before the later. What is left is an arbitrary order that never changes.
    fn owns_before(&self, told: &Slot, known: &Slot) -> bool {
        let (a, b) = (&told.owner, &known.owner);
        if a == b {
            return false;
        }
        let path = |file: u32| self.file(file).map_or("", |file| file.path.as_str());
        let in_profile = |file: u32| self.file(file).is_some_and(|file| file.profile.is_some());
        let first = if a.file == b.file { Ordering::Equal } else { in_profile(a.file).cmp(&in_profile(b.file)) };
        let side = |slot: &Slot| slot.is(Slot::SIDECHAIN);
        let text = |owner: &super::slot::Owner| [owner.session, owner.parent, owner.project, owner.agent_id].map(|id| self.strings.get(id));
        first
            .then_with(|| a.ts_ms.cmp(&b.ts_ms))
            .then_with(|| side(told).cmp(&side(known)))
            .then_with(|| if a.file == b.file { Ordering::Equal } else { path(a.file).cmp(path(b.file)) })
            .then_with(|| text(a).cmp(&text(b)))
            .is_lt()
    }
}
