//! Strings that are each kept once and named by a number.

use hashbrown::HashTable;

/// The number of a string. 0 is the empty one.
pub(super) type Id = u32;

pub(super) struct Strings {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
    table: HashTable<Id>,
}

impl Default for Strings {
    fn default() -> Self {
        let mut strings = Self { bytes: Vec::new(), ends: Vec::new(), table: HashTable::new() };
        strings.id(b"");
        strings
    }
}

impl Strings {
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// The number of this string, which may be new. Four gigabytes of them are never reached: then all further ones are the empty one.
    pub(super) fn id(&mut self, text: &[u8]) -> Id {
        let hash = quick(text);
        if let Some(id) = self.find(text, hash) {
            return id;
        }
        let (Ok(end), Ok(id)) = (u32::try_from(self.bytes.len() + text.len()), u32::try_from(self.ends.len())) else { return 0 };
        self.bytes.extend_from_slice(text);
        self.ends.push(end);
        let (bytes, ends) = (&self.bytes, &self.ends);
        self.table.insert_unique(hash, id, |id| quick(at(bytes, ends, *id)));
        id
    }

    fn find(&self, text: &[u8], hash: u64) -> Option<Id> {
        self.table.find(hash, |id| self.get(*id) == text).copied()
    }

    pub(super) fn get(&self, id: Id) -> &[u8] {
        at(&self.bytes, &self.ends, id)
    }

    pub(super) fn text(&self, id: Id) -> &str {
        std::str::from_utf8(self.get(id)).unwrap_or_default()
    }
}

fn at<'a>(bytes: &'a [u8], ends: &[u32], id: Id) -> &'a [u8] {
    let id = id as usize;
    let start = id.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    let end = ends.get(id).copied().unwrap_or(start);
    bytes.get(start as usize..end as usize).unwrap_or_default()
}

/// For tables in memory only: eight bytes a step.
fn quick(bytes: &[u8]) -> u64 {
    const STIR: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |hash: u64, word: u64| {
        let mixed = u128::from(hash ^ word) * u128::from(STIR);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
        let folded = mixed as u64 ^ (mixed >> 64) as u64;
        folded
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(STIR ^ bytes.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    step(step(hash, u64::from_le_bytes(last)), STIR)
}

/// FNV-1a with a last stir: the same on every machine, since some of it is stored.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
