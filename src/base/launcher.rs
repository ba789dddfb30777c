//! What tells a launcher of clown's from any other program.

use std::{fs::File, io::Read, path::Path};

/// In the second line of every launcher.
pub const MARK: &str = "Made by clown aliases install";

/// The mark stands within this many bytes.
const HEAD: u64 = 256;

/// Whether this file, or what a link there leads to, is a launcher. It is then nobody's agent.
pub fn is_launcher(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && head.windows(MARK.len()).any(|part| part == MARK.as_bytes())
}
