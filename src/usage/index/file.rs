//! What is known of one log.

use std::fs::Metadata;

use serde::{Deserialize, Serialize};

/// As of the last reading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Empty on disk where it was told with the number before, as are agent and profile then.
    #[serde(rename = "p", default, skip_serializing_if = "String::is_empty")]
    pub(super) path: String,
    #[serde(rename = "a", default, skip_serializing_if = "String::is_empty")]
    pub(super) agent: String,
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<String>,
    #[serde(rename = "s", default, skip_serializing_if = "nothing")]
    pub(super) stamp: Stamp,
    /// Of the collectors that read it.
    #[serde(rename = "r", default, skip_serializing_if = "nothing")]
    pub(super) revision: u32,
    /// Read up to here, which is after a line's end.
    #[serde(rename = "o", default, skip_serializing_if = "nothing")]
    pub(super) offset: u64,
    #[serde(rename = "f", default, skip_serializing_if = "nothing")]
    pub(super) marks: Marks,
    /// The collector's state there, as JSON.
    #[serde(rename = "c", default, skip_serializing_if = "String::is_empty")]
    pub(super) state: String,
    /// How often each kind of problem was met, in `Problem`'s order.
    #[serde(rename = "x", default, skip_serializing_if = "nothing", with = "short")]
    pub(super) problems: Problems,
    /// Whole lines read.
    #[serde(rename = "l", default)]
    pub(super) lines: u64,
}

/// By kind, in the order of `PROBLEMS`.
pub(super) type Problems = [u32; 7];

/// An older build knew fewer kinds.
mod short {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Problems;

    pub(super) fn serialize<S: Serializer>(problems: &Problems, to: S) -> Result<S::Ok, S::Error> {
        problems.as_slice().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Problems, D::Error> {
        let mut problems = Problems::default();
        let stored = Vec::<u32>::deserialize(from)?;
        problems.iter_mut().zip(stored).for_each(|(count, stored)| *count = stored);
        Ok(problems)
    }
}

/// What a look at a file's directory entry tells. As long as it is the same, so is the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp(pub(super) u64, pub(super) u64, pub(super) u64, pub(super) i64);

impl Stamp {
    /// Device, inode (0 where there is none), size, time of the last change in nanoseconds.
    pub(super) fn of(meta: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Self(meta.dev(), meta.ino(), meta.len(), meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec()))
        }
        #[cfg(not(unix))]
        {
            let changed = meta.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            Self(0, 0, meta.len(), changed.and_then(|at| i64::try_from(at.as_nanos()).ok()).unwrap_or(0))
        }
    }

    pub(super) fn place(self) -> Option<(u64, u64)> {
        (self.1 != 0).then_some((self.0, self.1))
    }

    /// Of the same file, at no time.
    pub(super) fn unlike_any(self) -> Self {
        Self(self.0, self.1, self.2, i64::MIN)
    }

    pub(super) fn size(self) -> u64 {
        self.2
    }

    pub(super) fn changed_ms(self) -> i64 {
        self.3 / 1_000_000
    }

    /// A database and its write-ahead log as one.
    pub(super) fn with(self, log: Self) -> Self {
        Self(self.0, self.1, self.2.saturating_add(log.2), self.3.max(log.3))
    }
}

/// Hashes that show whether what was read is still there: of the first bytes and of those before the offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marks(pub(super) u32, pub(super) u64, pub(super) u64);

fn nothing<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
