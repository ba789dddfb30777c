//! A release as its publisher writes it: plain files beside each other below one address.
//!
//! `release.json` lists the programs, and its signatures are in `release.json.minisig`, blocks of four lines as the `minisign` tool
//! writes them. Each program is there by itself, packed with gzip.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub const SCHEMA: u32 = 1;
/// Says what was signed, since one key may sign other things too.
pub const PRODUCT: &str = "clown";
pub const INDEX: &str = "release.json";
pub const SIGNATURES: &str = "release.json.minisig";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    pub schema: u32,
    pub product: String,
    /// As `clown --version` says it.
    pub version: String,
    /// RFC 3339 in UTC.
    pub published: String,
    pub programs: Vec<Program>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReleasedProgram")]
pub struct Program {
    /// System and processor, such as `linux-x86_64`.
    pub platform: String,
    /// What it was compiled for, such as `x86_64-unknown-linux-musl`.
    pub target: String,
    /// Name of the packed file beside the index; no path.
    pub file: String,
    /// Of the packed file, in bytes.
    pub length: u64,
    /// Of the packed file, 64 hex digits each.
    pub blake3: String,
    pub sha256: String,
    /// Of the program itself, in bytes.
    pub unpacked: u64,
}

/// Whose releases a build follows; `assets/release/publisher.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReleasePublisher")]
pub struct Publisher {
    pub schema: u32,
    /// Where `release.json` is; empty when nobody publishes releases of this build.
    pub url: String,
    /// How many of the keys must sign.
    pub threshold: u32,
    /// Public keys as `minisign` prints them.
    pub keys: Vec<String>,
}

/// `linux-x86_64` for `x86_64-unknown-linux-musl`; none for a target that no release has.
pub fn platform(target: &str) -> Option<String> {
    let (processor, rest) = target.split_once('-')?;
    let systems = [("linux", "linux"), ("windows", "windows"), ("apple-darwin", "macos")];
    let (_, system) = systems.into_iter().find(|(part, _)| rest.contains(part))?;
    Some(format!("{system}-{processor}"))
}

/// The platform of this process.
pub fn here() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_its_platform_as_the_process_would() {
        for (target, said) in [
            ("x86_64-unknown-linux-musl", "linux-x86_64"),
            ("aarch64-apple-darwin", "macos-aarch64"),
            ("x86_64-pc-windows-gnu", "windows-x86_64"),
        ] {
            assert_eq!(platform(target).as_deref(), Some(said));
        }
        assert_eq!(platform("wasm32-unknown-unknown"), None);
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            assert_eq!(here(), "linux-x86_64");
        }
    }

    #[test]
    fn the_publisher_inside_is_readable() {
        let publisher: Publisher = serde_json::from_str(include_str!("../../assets/release/publisher.json")).unwrap();
        assert_eq!(publisher.schema, SCHEMA);
        assert!(publisher.threshold > 0 && (publisher.keys.is_empty() || publisher.keys.len() >= publisher.threshold as usize));
    }
}
