//! All requests, limits and bills in memory, and what of it is not yet on disk.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::changes::Touched;
use super::file::Entry;
use super::slot::{NONE, Name, Owner, Slot};
use super::slots::Slots;
use super::strings::{Id, Strings, fnv};
use crate::usage::collect::{Bill, Limit, Seen};
use crate::usage::record::Record;
use crate::usage::row::{Row, Rows};

#[derive(Default)]
pub(super) struct Book {
    /// Sessions, projects, models ...
    pub(super) strings: Strings,
    /// Of requests: the agent's word, a zero byte, the key.
    pub(super) keys: Strings,
    /// For each key its first slot.
    pub(super) heads: Vec<u32>,
    pub(super) slots: Slots,
    /// Further names of a slot.
    pub(super) names: HashMap<u32, Vec<Name>>,
    pub(super) files: Vec<Entry>,
    /// By agent, profile and the limit's id.
    pub(super) limits: BTreeMap<(String, Option<String>, String), Limit>,
    /// By agent and session.
    pub(super) bills: BTreeMap<(String, String), Bill>,
    pub(super) news: News,
    pub(super) touched: Touched,
}

/// What the disk does not have yet.
#[derive(Default)]
pub(super) struct News {
    /// How many of each it has.
    pub(super) strings: u32,
    pub(super) keys: u32,
    pub(super) known_files: u32,
    pub(super) slots: Vec<u32>,
    pub(super) files: Vec<u32>,
    pub(super) limits: Vec<(String, Option<String>, String)>,
    pub(super) bills: Vec<(String, String)>,
}

impl Book {
    pub(super) fn file(&self, number: u32) -> Option<&Entry> {
        self.files.get(number as usize)
    }

    /// Takes what a collector told of a request in this file.
    pub(super) fn tell(&mut self, agent: &str, file: u32, seen: &Seen<'_>) {
        let Record { key, bill, .. } = &seen.record;
        let record = &seen.record;
        let mut named = Vec::with_capacity(agent.len() + 1 + key.len());
        named.extend_from_slice(agent.as_bytes());
        named.push(0);
        named.extend_from_slice(key.as_bytes());
        let key = self.keys.id(&named);
        let mut id = |text: Option<&Cow<'_, str>>| text.map_or(0, |text| self.strings.id(text.as_bytes()));
        let owner = Owner {
            file,
            session: id(Some(&record.session)),
            parent: id(record.parent_session.as_ref()),
            project: id(record.project.as_ref()),
            agent_id: id(record.agent_id.as_ref()),
            ts_ms: bill.ts_ms,
        };
        let (model, provider) = (id(Some(&record.model)), id(record.provider.as_ref()));
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        self.merge(Slot {
            key,
            flags: flag(record.sidechain, Slot::SIDECHAIN)
                | flag(record.aborted, Slot::ABORTED)
                | flag(record.sub_request, Slot::SUB_REQUEST)
                | flag(seen.copy || record.sidechain, Slot::SECOND)
                | flag(seen.elsewhere, Slot::ELSEWHERE),
            name: name(seen),
            rank: seen.rank.unwrap_or(bill.tokens.output),
            bill: *bill,
            model,
            provider,
            cost: record.source_cost,
            owner,
            next: NONE,
        });
    }

    pub(super) fn push(&mut self, mut slot: Slot) {
        let Ok(at) = u32::try_from(self.slots.len()) else { return };
        let key = slot.key as usize;
        if self.heads.len() <= key {
            self.heads.resize(key + 1, NONE);
        }
        if let Some(head) = self.heads.get_mut(key) {
            slot.next = std::mem::replace(head, at);
        }
        self.slots.push(&slot);
        self.touch(at);
    }

    /// Puts a slot back where it was.
    pub(super) fn restore(&mut self, at: u32, slot: Slot) -> Option<()> {
        if at as usize == self.slots.len() {
            self.push(slot);
            return Some(());
        }
        let known = self.slots.get(at).filter(|known| known.key == slot.key)?;
        self.slots.set(at, &Slot { next: known.next, ..slot });
        Some(())
    }

    pub(super) fn touch(&mut self, at: u32) {
        self.touched.slot(at);
        if self.news.slots.last() != Some(&at) {
            self.news.slots.push(at);
        }
    }

    pub(super) fn limit(&mut self, agent: &str, profile: Option<&str>, limit: Limit) {
        let key = (agent.to_owned(), profile.map(str::to_owned), limit.id.clone());
        let newer = |known: &Limit| {
            let order = |limit: &Limit| (limit.ts_ms, format!("{:?}", limit.windows));
            order(&limit) > order(known)
        };
        if self.limits.get(&key).is_none_or(newer) {
            self.news.limits.push(key.clone());
            self.limits.insert(key, limit);
        }
    }

    pub(super) fn bill(&mut self, agent: &str, bill: Bill) {
        let key = (agent.to_owned(), bill.session.clone());
        let newer = |known: &Bill| (bill.rank, bill.cost_usd.to_bits()) > (known.rank, known.cost_usd.to_bits());
        if self.bills.get(&key).is_none_or(newer) {
            self.news.bills.push(key.clone());
            self.bills.insert(key, bill);
        }
    }

    /// How many of a key's slots are originals, and whether they count under another key.
    fn standing(&self, key: Id) -> (usize, bool) {
        let (mut firsts, mut elsewhere) = (0, false);
        let mut at = self.heads.get(key as usize).copied().unwrap_or(NONE);
        while let Some(slot) = self.slots.get(at) {
            if !slot.is(Slot::GONE) {
                elsewhere |= slot.is(Slot::ELSEWHERE);
                firsts += usize::from(!slot.is(Slot::SECOND | Slot::ELSEWHERE));
            }
            at = slot.next;
        }
        (firsts, elsewhere)
    }

    fn row<'a>(&'a self, at: u32, slot: &Slot, several: bool) -> Row<'a> {
        let text = |id: Id| Cow::Borrowed(self.strings.text(id));
        let some = |id: Id| (id != 0).then(|| text(id));
        let named = self.keys.text(slot.key);
        let (agent, key) = named.split_once('\0').unwrap_or_default();
        // Two requests that a proxy gave one id get a mark of the other id as well.
        let first = || self.names.get(&at).and_then(|names| names.first()).map_or(slot.name, |name| slot.name.min(*name));
        let key = if several { Cow::Owned(format!("{key}#{:08x}", first().other)) } else { Cow::Borrowed(key) };
        let file = self.file(slot.owner.file);
        Row {
            agent,
            profile: file.and_then(|file| file.profile.as_deref()),
            file: file.map_or("", |file| &file.path),
            record: Record {
                key,
                session: text(slot.owner.session),
                parent_session: some(slot.owner.parent),
                project: some(slot.owner.project),
                agent_id: some(slot.owner.agent_id),
                provider: some(slot.provider),
                model: text(slot.model),
                bill: slot.bill,
                sidechain: slot.is(Slot::SIDECHAIN),
                aborted: slot.is(Slot::ABORTED),
                sub_request: slot.is(Slot::SUB_REQUEST),
                source_cost: slot.cost,
            },
        }
    }

    /// The row of a slot, where it is one.
    pub(super) fn numbered(&self, at: u32) -> Option<Row<'_>> {
        let slot = self.slots.get(at).filter(|slot| !slot.is(Slot::GONE | Slot::ELSEWHERE))?;
        let (firsts, elsewhere) = self.standing(slot.key);
        (!elsewhere && (firsts == 0 || !slot.is(Slot::SECOND))).then(|| self.row(at, &slot, firsts > 1))
    }

    /// Numbers of all slots.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }
}

impl Rows for Book {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        self.numbers().filter_map(|at| self.numbered(at)).for_each(visit);
    }
}

fn name(seen: &Seen<'_>) -> Name {
    let tokens = &seen.record.bill.tokens;
    let mut prompt = [0; 24];
    for (place, count) in prompt.chunks_exact_mut(8).zip([tokens.input, tokens.cache_read, tokens.cache_write()]) {
        place.copy_from_slice(&count.to_le_bytes());
    }
    Name { other: if seen.other_id.is_empty() { 0 } else { fold(seen.other_id) }, prompt: fold(&prompt) }
}

/// Never 0.
#[expect(clippy::cast_possible_truncation, reason = "folded before")]
fn fold(bytes: &[u8]) -> u32 {
    let hash = fnv(bytes);
    ((hash ^ (hash >> 32)) as u32).max(1)
}
