//! What of a release is signed: the list that `clown self update` reads, and the checksums of every file.

use std::{fs, path::PathBuf};

use clown::wire::release::{INDEX, PRODUCT, Program, Release as Index, SCHEMA, platform};
use sha2::{Digest, Sha256};

use super::{Release, archive};
use crate::{Outcome, json, read};

/// Writes lists of all that is there, and gives the files to be signed.
pub(crate) fn write(release: &Release) -> Outcome<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for built in &release.built {
        let file = archive::packed_name(release, built);
        let bytes = read(&release.out.join(&file))?;
        programs.push(Program {
            platform: platform(&built.target).ok_or_else(|| format!("no platform is known for {}", built.target))?,
            target: built.target.clone(),
            length: bytes.len() as u64,
            blake3: blake3::hash(&bytes).to_hex().to_string(),
            sha256: sha256(&bytes),
            unpacked: built.program.len() as u64,
            file,
        });
    }
    let index =
        Index { schema: SCHEMA, product: PRODUCT.to_owned(), version: release.version.clone(), published: time(release.epoch)?, programs };
    release.put(INDEX, &json(&index)?)?;
    let (mut sha, mut b3) = (String::new(), String::new());
    for (name, bytes) in files(release)? {
        // As sha256sum and b3sum write and check them.
        sha += &format!("{}  {name}\n", sha256(&bytes));
        b3 += &format!("{}  {name}\n", blake3::hash(&bytes).to_hex());
    }
    release.put("SHA256SUMS", sha.as_bytes())?;
    release.put("B3SUMS", b3.as_bytes())?;
    Ok([INDEX, "SHA256SUMS", "B3SUMS"].map(|name| release.out.join(name)).into())
}

/// Every file of the release with its bytes, by name.
fn files(release: &Release) -> Outcome<Vec<(String, Vec<u8>)>> {
    let told = |e: std::io::Error| format!("cannot read {}: {e}", release.out.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(&release.out).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_file() {
            found.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), read(&path)?));
        }
    }
    found.sort();
    Ok(found)
}

/// 64 hex digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// RFC 3339 in UTC.
pub(crate) fn time(epoch: u64) -> Outcome<String> {
    let seconds = i64::try_from(epoch).map_err(|e| format!("--epoch {epoch}: {e}"))?;
    let at = jiff::Timestamp::from_second(seconds).map_err(|e| format!("--epoch {epoch}: {e}"))?;
    Ok(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
