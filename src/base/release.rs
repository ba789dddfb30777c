//! What of a release is believed: it is signed by keys that count, is newer than this program, and has a program for this system, which
//! is byte for byte the one that was signed for.

use std::{cmp::Ordering, io::Read};

use semver::Version;
use sha2::{Digest, Sha256};

use super::{
    error::{Error, Result},
    json,
    sign::{self, Key},
};
use crate::wire::release::{PRODUCT, Program, Publisher, Release, SCHEMA, here};

/// Longest index and longest file of signatures, in bytes.
pub const LONGEST_INDEX: u64 = 256 << 10;
/// Longest program, packed or not, in bytes.
pub const LONGEST_PROGRAM: u64 = 256 << 20;

const BUILT_IN: &str = include_str!("../../assets/release/publisher.json");

/// Whose releases this build follows when the user says nothing.
pub fn built_in() -> Result<Publisher> {
    serde_json::from_str(BUILT_IN).map_err(|e| Error::defect("the publisher inside clown cannot be read").cause(e))
}

/// Keys whose signatures count.
pub struct Trust {
    keys: Vec<Key>,
    threshold: u32,
}

impl Trust {
    /// The user's keys, of which more than half must sign; without any those of the build. Errors: `InvalidInput`.
    pub fn new(own: &[String], publisher: &Publisher) -> Result<Self> {
        let (texts, threshold, whose) = match own {
            [] => (publisher.keys.as_slice(), publisher.threshold, "inside clown"),
            own => (own, u32::try_from(own.len() / 2 + 1).unwrap_or(u32::MAX), "in update.trusted_keys"),
        };
        let parse =
            |text: &String| Key::parse(text).map_err(|why| Error::invalid(format!("the key {text:?} {whose} is not usable: {why}")));
        let keys = texts.iter().map(parse).collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(Error::invalid("no key is trusted for releases, so none can be checked")
                .hint("set the one their publisher names: clown config set update.trusted_keys RWQ..."));
        }
        Ok(Self { keys, threshold })
    }
}

/// The index, once its signatures were found good. Errors: `Refused`.
pub fn read(bytes: &[u8], signatures: &str, trust: &Trust) -> Result<Release> {
    sign::check("the release", bytes, signatures, &trust.keys, trust.threshold)?;
    let release: Release = json::strict(bytes).map_err(|e| Error::refused("the list of the release cannot be read").cause(e))?;
    if release.product != PRODUCT {
        return Err(Error::refused(format!("what is signed there is {:?}, not a release of clown", release.product)));
    }
    if release.schema != SCHEMA {
        return Err(Error::refused(format!("the release has format {}, this build reads {SCHEMA}", release.schema))
            .hint("install it once by hand, as the README says"));
    }
    Ok(release)
}

/// How the release's version stands to ours.
pub fn compare(release: &Release, ours: &str) -> Result<Ordering> {
    let parse = |text: &str| Version::parse(text).map_err(|e| Error::refused(format!("{text:?} is no version of a release")).cause(e));
    Ok(parse(&release.version)?.cmp_precedence(&parse(ours)?))
}

/// The program for this system. Errors: `Unsupported`, `Refused` for an entry that cannot be right.
pub fn program(release: &Release) -> Result<&Program> {
    let here = here();
    let program = release.programs.iter().find(|p| p.platform == here).ok_or_else(|| {
        let there: Vec<&str> = release.programs.iter().map(|p| p.platform.as_str()).collect();
        Error::unsupported(format!("clown {} has no program for {here}", release.version))
            .hint(format!("it has: {}; or build it from source", there.join(", ")))
    })?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    if program.file.is_empty() || program.file.starts_with('.') || !program.file.chars().all(plain) {
        return Err(Error::refused(format!("{:?} is no name of a program's file", program.file)));
    }
    if program.length > LONGEST_PROGRAM || program.unpacked > LONGEST_PROGRAM || program.unpacked == 0 {
        return Err(Error::refused(format!("the program of clown {} is said to have {} bytes", release.version, program.unpacked)));
    }
    Ok(program)
}

/// The program itself, out of the file that came for it. Errors: `Refused` when it is not the one that was signed for.
pub fn unpack(program: &Program, packed: &[u8]) -> Result<Vec<u8>> {
    let refuse = |why: String| {
        let hint = "it was cut off or changed on its way; nothing was changed here, try again";
        Err(Error::refused(format!("{} is not what was signed: {why}", program.file)).hint(hint))
    };
    if packed.len() as u64 != program.length {
        return refuse(format!("it has {} bytes, not {}", packed.len(), program.length));
    }
    let sha256: String = Sha256::digest(packed).iter().map(|b| format!("{b:02x}")).collect();
    if sha256 != program.sha256 {
        return refuse("its sha256 is another".into());
    }
    if blake3::hash(packed).to_hex().as_str() != program.blake3 {
        return refuse("its blake3 is another".into());
    }
    let mut bytes = Vec::new();
    let mut unpacked = flate2::read::GzDecoder::new(packed).take(program.unpacked.saturating_add(1));
    if let Err(error) = unpacked.read_to_end(&mut bytes) {
        return refuse(format!("it cannot be unpacked: {error}"));
    }
    if bytes.len() as u64 != program.unpacked {
        return refuse(format!("it unpacks to another length than {}", program.unpacked));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(bytes: &[u8]) -> (Program, Vec<u8>) {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).unwrap();
        let file = gz.finish().unwrap();
        let program = Program {
            platform: here(),
            target: String::new(),
            file: "clown.gz".into(),
            length: file.len() as u64,
            blake3: blake3::hash(&file).to_hex().to_string(),
            sha256: Sha256::digest(&file).iter().map(|b| format!("{b:02x}")).collect(),
            unpacked: bytes.len() as u64,
        };
        (program, file)
    }

    fn release(version: &str, program: Program) -> Release {
        Release { schema: SCHEMA, product: PRODUCT.into(), version: version.into(), published: String::new(), programs: vec![program] }
    }

    #[test]
    fn every_byte_counts() {
        let (program, file) = packed(b"a program");
        assert_eq!(unpack(&program, &file).unwrap(), b"a program");
        let said = |program: &Program, file: &[u8]| unpack(program, file).unwrap_err().to_string();
        for at in 0..file.len() {
            let mut other = file.clone();
            other[at] ^= 1;
            assert!(said(&program, &other).contains("sha256"), "byte {at}");
        }
        assert!(said(&program, &file[..file.len() - 1]).contains("bytes, not"));
        assert!(said(&Program { sha256: "0".repeat(64), ..program.clone() }, &file).contains("sha256"));
        assert!(said(&Program { blake3: "0".repeat(64), ..program.clone() }, &file).contains("blake3"));
        for unpacked in [1, 8, 10] {
            assert!(said(&Program { unpacked, ..program.clone() }, &file).contains("another length"), "{unpacked}");
        }
    }

    #[test]
    fn versions_are_compared_as_versions() {
        let (program, _) = packed(b"x");
        for (theirs, ours, order) in
            [("0.10.0", "0.9.0", Ordering::Greater), ("1.0.0-rc.1", "1.0.0", Ordering::Less), ("1.0.0+b", "1.0.0+a", Ordering::Equal)]
        {
            assert_eq!(compare(&release(theirs, program.clone()), ours).unwrap(), order, "{theirs} {ours}");
        }
        assert!(compare(&release("newest", program), "1.0.0").is_err());
    }

    #[test]
    fn an_entry_names_a_plain_file_of_this_platform_and_of_sane_size() {
        let (good, _) = packed(b"x");
        assert!(program(&release("1.0.0", good.clone())).is_ok());
        for file in ["", "../clown.gz", "a/b", ".hidden", "a b", "https://x/y"] {
            assert!(program(&release("1.0.0", Program { file: file.into(), ..good.clone() })).is_err(), "{file}");
        }
        assert!(program(&release("1.0.0", Program { unpacked: LONGEST_PROGRAM + 1, ..good.clone() })).is_err());
        let other = program(&release("1.0.0", Program { platform: "plan9-mips".into(), ..good })).unwrap_err();
        assert!(other.to_string().contains(&here()) && other.hints()[0].contains("plan9-mips"));
    }

    #[test]
    fn without_a_key_nothing_is_believed() {
        let nobody = Publisher { schema: SCHEMA, url: String::new(), threshold: 1, keys: Vec::new() };
        assert!(Trust::new(&[], &nobody).is_err());
        assert!(Trust::new(&["nonsense".into()], &nobody).err().unwrap().to_string().contains("update.trusted_keys"));
        built_in().unwrap();
    }
}
