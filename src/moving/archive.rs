//! The file of an export.
//!
//! Order of entries: `clown.json` (what it is), the files, `manifest.json` (what must have come before it). Only plain files
//! are written and taken. The reader bounds names, number and size before it believes anything, since whoever made the file may lie.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

use crate::base::{
    error::{Error, Result},
    fsx,
};

pub const VERSION: u32 = 1;
const FORMAT: &str = "clown export";
const HEAD: &str = "clown.json";
const MANIFEST: &str = "manifest.json";
/// Longest path of an entry, in bytes.
const LONGEST_PATH: u64 = 1024;
const MOST_FILES: usize = 500_000;
/// Longest of the two documents of the archive's own.
const LONGEST_DOCUMENT: u64 = 128 << 20;
/// No text packs better than this; what does is made to fill a disk.
const MOST_GROWTH: u64 = 250;
/// What a small archive may come to in any case.
const SMALL: u64 = 4 << 20;

/// The first entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    format: String,
    pub version: u32,
    /// Version of clown that made it.
    pub by: String,
    /// RFC 3339.
    pub created: String,
}

/// A file as the last entry lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub length: u64,
    pub blake3: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    files: BTreeMap<String, Listed>,
}

/// Writes an archive beside its place, and puts it there when it is whole.
pub struct Writer {
    target: PathBuf,
    tar: Builder<GzEncoder<tempfile::NamedTempFile>>,
    files: BTreeMap<String, Listed>,
}

impl Writer {
    /// Errors: `AlreadyExists` when something is at `target`.
    pub fn create(target: &Path, created: String) -> Result<Self> {
        if fs::symlink_metadata(target).is_ok() {
            return Err(exists(target));
        }
        let dir = target.parent().filter(|dir| dir.is_dir()).ok_or_else(|| {
            Error::not_found(format!("{} is in no directory that is there", target.display()))
                .hint("make the directory, or name another place")
        })?;
        let temp = tempfile::Builder::new().prefix(fsx::TEMP_START).suffix(fsx::TEMP_END).tempfile_in(dir);
        let temp = temp.map_err(Error::writing(target))?;
        let tar = Builder::new(GzEncoder::new(temp, Compression::new(6)));
        let mut writer = Self { target: target.to_owned(), tar, files: BTreeMap::new() };
        let head = Head { format: FORMAT.into(), version: VERSION, by: env!("CARGO_PKG_VERSION").into(), created };
        writer.append(HEAD, &encode(&head)?)?;
        Ok(writer)
    }

    pub fn bytes(&mut self, path: &str, bytes: &[u8], executable: bool) -> Result<()> {
        self.append(path, bytes)?;
        let listed = Listed { length: bytes.len() as u64, blake3: blake3::hash(bytes).to_hex().to_string(), executable };
        self.files.insert(path.to_owned(), listed);
        Ok(())
    }

    pub fn json<T: Serialize>(&mut self, path: &str, value: &T) -> Result<()> {
        let bytes = encode(value)?;
        self.bytes(path, &bytes, false)
    }

    /// A file of any size, as long as it is now: logs may grow meanwhile.
    pub fn file(&mut self, path: &str, from: &Path, executable: bool) -> Result<()> {
        let file = File::open(from).map_err(Error::reading(from))?;
        let length = file.metadata().map_err(Error::reading(from))?.len();
        let mut reader = Hashing { inner: file.take(length), hasher: blake3::Hasher::new(), read: 0 };
        let target = self.target.clone();
        let mut header = header(length);
        self.tar.append_data(&mut header, path, &mut reader).map_err(Error::writing(&target))?;
        if reader.read != length {
            return Err(Error::conflict(format!("{} became shorter while it was read", from.display())).hint("try again"));
        }
        let listed = Listed { length, blake3: reader.hasher.finalize().to_hex().to_string(), executable };
        self.files.insert(path.to_owned(), listed);
        Ok(())
    }

    /// Puts the archive at its place. Its size in bytes.
    pub fn finish(mut self) -> Result<u64> {
        let manifest = encode(&Manifest { files: std::mem::take(&mut self.files) })?;
        self.append(MANIFEST, &manifest)?;
        let written = |target: &Path| Error::writing(target);
        let temp = self.tar.into_inner().and_then(GzEncoder::finish).map_err(written(&self.target))?;
        temp.as_file().sync_all().map_err(written(&self.target))?;
        let size = temp.as_file().metadata().map_err(written(&self.target))?.len();
        match temp.persist_noclobber(&self.target) {
            Ok(_) => {}
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(&self.target)),
            Err(e) => return Err(Error::writing(&self.target)(e.error)),
        }
        self.target.parent().map_or(Ok(()), fsx::sync_dir).map_err(written(&self.target))?;
        Ok(size)
    }

    fn append(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.tar.append_data(&mut header(bytes.len() as u64), path, bytes).map_err(Error::writing(&self.target))
    }
}

fn exists(target: &Path) -> Error {
    Error::exists(format!("{} exists already", target.display())).hint("name another file, or move that one away")
}

fn header(length: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(length);
    header.set_mode(0o600);
    header
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::defect("a part of the export cannot be encoded").cause(e))
}

struct Hashing<R> {
    inner: R,
    hasher: blake3::Hasher,
    read: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hasher.update(&buf[..n]);
        self.read += n as u64;
        Ok(n)
    }
}

/// An archive that was found whole, unpacked into a directory of clown's own.
pub struct Unpacked {
    pub head: Head,
    dir: PathBuf,
    pub files: BTreeMap<String, Listed>,
}

impl Unpacked {
    pub fn place(&self, path: &str) -> PathBuf {
        path.split('/').fold(self.dir.clone(), |dir, part| dir.join(part))
    }

    /// A small file's bytes; `None` when the archive has no such file.
    pub fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>> {
        if !self.files.contains_key(path) {
            return Ok(None);
        }
        let place = self.place(path);
        fs::read(&place).map(Some).map_err(Error::reading(&place))
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let parse = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|e| damaged(format!("{path} in it is not as it must be: {e}")));
        self.bytes(path)?.map(parse).transpose()
    }

    /// Puts a text that was sealed to the others.
    pub fn add(&mut self, path: &str, bytes: &[u8], executable: bool) -> Result<()> {
        check_path(path)?;
        let place = self.place(path);
        // What was open is given way to by what was sealed.
        fsx::write_atomic(&place, bytes, fsx::Mode::Private)?;
        let listed = Listed { length: bytes.len() as u64, blake3: blake3::hash(bytes).to_hex().to_string(), executable };
        self.files.insert(path.to_owned(), listed);
        Ok(())
    }

    /// Paths below a directory of the archive, without it.
    pub fn below<'a>(&'a self, dir: &'a str) -> impl Iterator<Item = (&'a str, &'a Listed)> {
        let below = move |(path, listed): (&'a String, &'a Listed)| Some((path.strip_prefix(dir)?.strip_prefix('/')?, listed));
        self.files.iter().filter_map(below)
    }
}

/// Unpacks `archive` into the empty directory `dir`. Errors: `Corrupt` for what is no whole export, `Unsupported` for a newer one,
/// `Refused` for one that would break out or fill the disk.
pub fn unpack(archive: &Path, dir: &Path) -> Result<Unpacked> {
    let file = File::open(archive).map_err(Error::reading(archive))?;
    let meta = file.metadata().map_err(Error::reading(archive))?;
    if !meta.is_file() {
        return Err(Error::invalid(format!("{} is not a file", archive.display())).hint("name the file that clown export wrote"));
    }
    let budget = meta.len().saturating_mul(MOST_GROWTH).max(SMALL);
    let mut tar = Archive::new(Budget { inner: GzDecoder::new(io::BufReader::new(file)), left: budget });
    let mut seen: BTreeMap<String, Listed> = BTreeMap::new();
    let mut head: Option<Head> = None;
    let mut long: Option<String> = None;
    let mut manifest: Option<Manifest> = None;
    // Raw: names of any length would be read into memory before we see them.
    for entry in tar.entries().map_err(unreadable)?.raw(true) {
        // What does not even begin as an export is none.
        let mut entry = entry.map_err(|e| if head.is_none() { foreign() } else { unreadable(e) })?;
        let size = entry.header().entry_size().map_err(unreadable)?;
        if entry.header().entry_type() == EntryType::GNULongName {
            long = Some(long_name(&mut entry, size)?);
            continue;
        }
        let path = match long.take() {
            Some(path) => path,
            None => String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| outside("a name that is no text"))?,
        };
        if entry.header().entry_type() != EntryType::Regular {
            return Err(outside(&format!("{path:?}, which is no plain file")));
        }
        check_path(&path)?;
        if head.is_none() {
            if path != HEAD {
                return Err(foreign());
            }
            head = Some(read_head(&mut entry, size)?);
            continue;
        }
        if path == MANIFEST {
            let bytes = document(&mut entry, size)?;
            manifest = Some(serde_json::from_slice(&bytes).map_err(|e| damaged(format!("its list of files is wrong: {e}")))?);
            break;
        }
        if seen.len() >= MOST_FILES {
            return Err(Error::refused(format!("the export holds more than {MOST_FILES} files")));
        }
        let listed = store(&mut entry, size, &path.split('/').fold(dir.to_owned(), |dir, part| dir.join(part)))?;
        if seen.insert(path.clone(), listed).is_some() {
            return Err(damaged(format!("{path:?} is in it twice")));
        }
    }
    let head = head.ok_or_else(foreign)?;
    let manifest = manifest.ok_or_else(|| damaged("its end is missing".into()))?;
    // At its end the checksum of all of it is.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(unreadable)?;
    compare(head, dir, seen, manifest)
}

fn read_head(entry: &mut impl Read, size: u64) -> Result<Head> {
    let head: Head = serde_json::from_slice(&document(entry, size)?).map_err(|_| foreign())?;
    if head.format != FORMAT {
        return Err(foreign());
    }
    if head.version > VERSION {
        return Err(Error::unsupported(format!("the export has version {}, this clown reads up to {VERSION}", head.version))
            .hint(format!("update clown; the export was made by {}", head.by.escape_debug())));
    }
    Ok(head)
}

fn document(entry: &mut impl Read, size: u64) -> Result<Vec<u8>> {
    if size > LONGEST_DOCUMENT {
        return Err(damaged("one of its own documents is too long".into()));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 == size { Ok(bytes) } else { Err(damaged("its end is missing".into())) }
}

fn long_name(entry: &mut impl Read, size: u64) -> Result<String> {
    if size > LONGEST_PATH + 1 {
        return Err(outside("a name of absurd length"));
    }
    let mut bytes = document(entry, size)?;
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| outside("a name that is no text"))
}

/// Below the directory it is joined to, whatever the platform.
fn check_path(path: &str) -> Result<()> {
    let odd = |c: char| c == '\\' || c.is_control() || (cfg!(windows) && c == ':');
    let part_ok = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= 255;
    if path.len() as u64 <= LONGEST_PATH && !path.contains(odd) && path.split('/').all(part_ok) {
        return Ok(());
    }
    Err(outside(&format!("{path:?}")))
}

fn store(entry: &mut impl Read, size: u64, place: &Path) -> Result<Listed> {
    if let Some(dir) = place.parent() {
        fsx::create_private_dir(dir)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(place).map_err(Error::writing(place))?;
    let mut reader = Hashing { inner: entry, hasher: blake3::Hasher::new(), read: 0 };
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let n = reader.read(&mut chunk).map_err(unreadable)?;
        if n == 0 {
            break;
        }
        file.write_all(&chunk[..n]).map_err(Error::writing(place))?;
    }
    if reader.read != size {
        return Err(damaged("its end is missing".into()));
    }
    Ok(Listed { length: size, blake3: reader.hasher.finalize().to_hex().to_string(), executable: false })
}

fn compare(head: Head, dir: &Path, seen: BTreeMap<String, Listed>, manifest: Manifest) -> Result<Unpacked> {
    for (path, listed) in &manifest.files {
        match seen.get(path) {
            Some(found) if (found.length, &found.blake3) == (listed.length, &listed.blake3) => {}
            Some(_) => return Err(damaged(format!("{path:?} is not as it was written"))),
            None => return Err(damaged(format!("{path:?} is missing"))),
        }
    }
    if let Some(path) = seen.keys().find(|path| !manifest.files.contains_key(*path)) {
        return Err(damaged(format!("{path:?} does not belong to it")));
    }
    Ok(Unpacked { head, dir: dir.to_owned(), files: manifest.files })
}

/// Stops a stream that comes to more than can be right.
struct Budget<R> {
    inner: R,
    left: u64,
}

const TOO_MUCH: &str = "it unpacks to far more than an export can";

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, TOO_MUCH))?;
        Ok(n)
    }
}

fn unreadable(e: io::Error) -> Error {
    match e.kind() {
        io::ErrorKind::FileTooLarge => Error::refused(format!("the export is not taken: {TOO_MUCH}")).hint("nothing was changed"),
        io::ErrorKind::UnexpectedEof => damaged("its end is missing".into()),
        _ => damaged(e.to_string()),
    }
}

fn damaged(why: String) -> Error {
    Error::corrupt(format!("the export is damaged: {why}")).hint("nothing was changed; copy it again, or export again")
}

fn foreign() -> Error {
    Error::invalid("the file is no export of clown").hint("name a file that clown export wrote")
}

fn outside(what: &str) -> Error {
    Error::refused(format!("the export holds {what}, which no export of clown does"))
        .hint("nothing was changed; do not trust where it came from")
}

#[cfg(test)]
#[path = "archive/tests.rs"]
mod tests;
