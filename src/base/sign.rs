//! Signatures of `minisign`: which trusted keys signed these bytes, each counted once.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use minisign_verify::{PublicKey, Signature};

use super::error::{Error, Result};

/// More signatures than this are nobody's.
const MOST_BLOCKS: usize = 64;

/// A public key of `minisign`.
#[derive(Clone, Debug)]
pub struct Key {
    /// As `minisign` prints it: 16 hex digits.
    pub id: String,
    material: [u8; 32],
    public: PublicKey,
}

impl Key {
    /// From the 56 characters that `minisign` prints.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes: [u8; 42] = STANDARD
            .decode(text)
            .ok()
            .and_then(|b| b.try_into().ok())
            .ok_or("it is not the 56 characters that minisign prints".to_owned())?;
        let (head, material) = bytes.split_at(10);
        if !head.starts_with(b"Ed") {
            return Err("it is not a public key of minisign".into());
        }
        let public = PublicKey::from_base64(text).map_err(|e| e.to_string())?;
        let material = material.try_into().map_err(|_| "it is too short".to_owned())?;
        Ok(Self { id: printed_id(&head[2..]), material, public })
    }

    /// For telling sets of keys apart.
    pub fn digest(&self) -> String {
        blake3::hash(&self.material).to_hex().to_string()
    }

    /// Whether the other is this key, whatever number either goes by.
    pub fn same(&self, other: &Self) -> bool {
        self.material == other.material
    }
}

/// The number is stored with its low byte first and printed with its high byte first.
fn printed_id(bytes: &[u8]) -> String {
    bytes.iter().rev().map(|b| format!("{b:02X}")).collect()
}

/// Ids of the keys that signed `bytes`, when they are enough.
///
/// `what` names the signed file in errors. Signatures by other keys are passed over; one key counts once, however often it signed.
pub fn check(what: &str, bytes: &[u8], signatures: &str, keys: &[Key], threshold: u32) -> Result<Vec<String>> {
    let mut counted: BTreeMap<[u8; 32], String> = BTreeMap::new();
    let (mut strangers, mut broken, mut legacy) = (Vec::new(), Vec::new(), false);
    for block in blocks(what, signatures)? {
        match block.algorithm {
            [b'E', b'D'] => {}
            // Signs the whole file and not its hash; `minisign -l` makes it, nothing of today does.
            _ => {
                legacy = true;
                continue;
            }
        }
        let mut known = keys.iter().filter(|k| k.id == block.key_id).peekable();
        if known.peek().is_none() {
            strangers.push(block.key_id);
            continue;
        }
        match known.find(|k| k.public.verify(bytes, &block.signature, false).is_ok()) {
            Some(key) => {
                counted.insert(key.material, key.id.clone());
            }
            None => broken.push(block.key_id),
        }
    }
    if !keys.is_empty() && threshold > 0 && counted.len() >= threshold as usize {
        return Ok(counted.into_values().collect());
    }
    let mut why = format!("{what} is signed by {} of the {threshold} trusted keys that must sign it", counted.len());
    for (said, ids) in [("does not match what came: key", broken), ("is by a key that is not trusted:", strangers)] {
        if !ids.is_empty() {
            why += &format!("; a signature {said} {}", ids.join(", "));
        }
    }
    if legacy {
        why += "; a signature is of the old kind, which is not accepted";
    }
    Err(Error::refused(why))
}

struct Block {
    algorithm: [u8; 2],
    key_id: String,
    signature: Signature,
}

/// The four-line blocks of a `.minisig` file.
fn blocks(what: &str, text: &str) -> Result<Vec<Block>> {
    let bad = || Error::refused(format!("the signatures of {what} are not as minisign writes them"));
    let lines: Vec<&str> = text.lines().filter(|l| !l.is_empty()).collect();
    if lines.is_empty() {
        return Err(Error::refused(format!("{what} is not signed")));
    }
    if !lines.len().is_multiple_of(4) || lines.len() > 4 * MOST_BLOCKS {
        return Err(bad());
    }
    let block = |lines: &[&str]| -> Option<Block> {
        let bytes = STANDARD.decode(lines.get(1)?).ok()?;
        let (algorithm, rest) = bytes.split_first_chunk::<2>()?;
        let signature = Signature::decode(&lines.join("\n")).ok()?;
        Some(Block { algorithm: *algorithm, key_id: printed_id(rest.get(..8)?), signature })
    };
    lines.chunks(4).map(|lines| block(lines).ok_or_else(bad)).collect()
}
