//! Tarballs for systems like Unix, zips for Windows, and each program by itself for `clown self update`.
//!
//! The same input gives the same bytes: every file has the time of the release and nobody's name.

use std::io::{Cursor, Write};

use flate2::{Compression, GzBuilder};

use super::{Built, Release, tree::File};
use crate::Outcome;

pub(crate) fn write(release: &Release, built: &Built) -> Outcome {
    let base = format!("clown-{}-{}", release.version, built.target);
    if built.name.ends_with(".exe") {
        release.put(&format!("{base}.zip"), &zip(&base, built)?)?;
    } else {
        let program = Entry { path: built.name.to_owned(), bytes: &built.program, mode: 0o755 };
        let rest = built.files.iter().map(Entry::from);
        let entries: Vec<Entry> = std::iter::once(program).chain(rest).collect();
        release.put(&format!("{base}.tar.gz"), &tarball(&base, &entries, release.epoch)?)?;
    }
    release.put(&packed_name(release, built), &gzip(&built.program)?)
}

/// Of the program by itself.
pub(crate) fn packed_name(release: &Release, built: &Built) -> String {
    format!("clown-{}-{}.gz", release.version, built.target)
}

pub(crate) struct Entry<'b> {
    pub path: String,
    pub bytes: &'b [u8],
    pub mode: u32,
}

impl<'b> From<&'b File> for Entry<'b> {
    fn from(file: &'b File) -> Self {
        Self { path: file.path.clone(), bytes: &file.bytes, mode: 0o644 }
    }
}

/// A gzipped tar of these files below one directory.
pub(crate) fn tarball(below: &str, entries: &[Entry], epoch: u64) -> Outcome<Vec<u8>> {
    let told = |e: std::io::Error| format!("{below}: {e}");
    let mut tar = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(entry.mode);
        header.set_mtime(epoch);
        tar.append_data(&mut header, format!("{below}/{}", entry.path), entry.bytes).map_err(told)?;
    }
    gzip(&tar.into_inner().map_err(told)?)
}

/// Without a time or a name in it.
pub(crate) fn gzip(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut gz = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    gz.write_all(bytes).and_then(|()| gz.finish()).map_err(|e| e.to_string())
}

fn zip(below: &str, built: &Built) -> Outcome<Vec<u8>> {
    let told = |e: zip::result::ZipError| format!("{below}.zip: {e}");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // A zip knows no zone and no year before 1980; its own default does as well as any.
    let options = zip::write::SimpleFileOptions::default().compression_level(Some(9));
    let rest = built.files.iter().filter(|f| !f.path.starts_with("man/")).map(|f| (f.path.as_str(), f.bytes.as_slice(), 0o644));
    for (path, bytes, mode) in std::iter::once((built.name, built.program.as_slice(), 0o755)).chain(rest) {
        zip.start_file(format!("{below}/{path}"), options.unix_permissions(mode)).map_err(told)?;
        zip.write_all(bytes).map_err(|e| e.to_string())?;
    }
    Ok(zip.finish().map_err(told)?.into_inner())
}
