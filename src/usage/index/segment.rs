//! The book's file: `usage.index`. A header, then frames: length, hash, content. It grows by appending; a torn end is cut off, and what
//! is lost with it is read from the logs again. When half of it is stale it is written anew beside itself and renamed.
//!
//! Within an appending, strings come before what names them, and a log's offset after the requests before it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::book::{Book, News};
use super::codec::{self, Before, Bytes, put, put_bytes};
use super::file::{Entry, Stamp};
use crate::base::fsx;
use crate::usage::collect::{Bill, Limit};

/// The name and the form. Another form is another number: what is not known is set aside and built anew from the logs.
const HEADER: &[u8; 16] = b"clown usage 0001";
const FRAME: usize = 256 * 1024;
/// No frame is longer: one record more than `FRAME`, and no record is near this.
const LONGEST: u32 = 64 * 1024 * 1024;
/// Below this nothing is worth rewriting.
const SMALL: u64 = 1024 * 1024;

pub(super) struct Segment {
    path: PathBuf,
    file: Option<File>,
    length: u64,
    /// After the last rewriting.
    compact: u64,
}

impl Segment {
    /// Reads all there is. Without `writable` nothing is changed, now or later. True where a foreign file was found.
    pub(super) fn open(path: &Path, writable: bool) -> crate::base::error::Result<(Self, Book, bool)> {
        let mut book = Book::default();
        let mut segment = Self { path: path.to_owned(), file: None, length: 0, compact: 0 };
        let mut foreign = false;
        match File::open(path) {
            Ok(file) => {
                segment.length = load(file, &mut book).map_err(crate::base::error::Error::reading(path))?;
                foreign = segment.length == 0 && std::fs::metadata(path).is_ok_and(|meta| meta.len() > 0);
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            Err(err) => return Err(crate::base::error::Error::reading(path)(err)),
        }
        if writable {
            if foreign {
                fsx::set_aside(path, "foreign")?;
            }
            segment.start().map_err(crate::base::error::Error::writing(path))?;
        }
        segment.compact = segment.length;
        Ok((segment, book, foreign))
    }

    fn start(&mut self) -> io::Result<()> {
        let mut file = fsx::open_lock(&self.path).map_err(|err| io::Error::other(err.to_string()))?;
        file.set_len(self.length)?;
        file.seek(SeekFrom::End(0))?;
        if self.length == 0 {
            file.write_all(HEADER)?;
            self.length = HEADER.len() as u64;
        }
        self.file = Some(file);
        Ok(())
    }

    /// Appends the news. What cannot be written is news again next time.
    pub(super) fn append(&mut self, book: &mut Book) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let written = write(&mut *file, book, false).and_then(|written| file.flush().map(|()| written));
            match written {
                Ok(written) => self.length += written,
                Err(err) => {
                    let cut = file.set_len(self.length).and_then(|()| file.seek(SeekFrom::End(0)));
                    return cut.and(Err(err));
                }
            }
        }
        book.news = News::none(book);
        if self.compact <= HEADER.len() as u64 {
            self.compact = self.length;
        }
        if self.file.is_some() && self.length > SMALL && self.length > 2 * self.compact { self.rewrite(book) } else { Ok(()) }
    }

    /// Waits until the disk has it.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    pub(super) fn rewrite(&mut self, book: &Book) -> io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let mut temp = tempfile::Builder::new().prefix(".clown-").suffix(".tmp").tempfile_in(dir)?;
        let mut to = BufWriter::new(temp.as_file_mut());
        to.write_all(HEADER)?;
        let written = write(&mut to, book, true)?;
        to.flush()?;
        drop(to);
        temp.as_file().sync_all()?;
        let mut file = temp.persist(&self.path).map_err(|err| err.error)?;
        fsx::sync_dir(dir)?;
        file.seek(SeekFrom::End(0))?;
        self.file = Some(file);
        self.length = HEADER.len() as u64 + written;
        self.compact = self.length;
        Ok(())
    }
}

impl News {
    fn none(book: &Book) -> Self {
        let known_files = u32::try_from(book.files.len()).unwrap_or(u32::MAX);
        Self { strings: book.strings.len(), keys: book.keys.len(), known_files, ..Self::default() }
    }
}

struct Frames<'a, W: Write> {
    to: &'a mut W,
    frame: Vec<u8>,
    written: u64,
    before: Before,
    last_key: Vec<u8>,
}

impl<W: Write> Frames<'_, W> {
    fn next(&mut self) -> io::Result<()> {
        if self.frame.len() >= FRAME { self.end() } else { Ok(()) }
    }

    fn end(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(self.frame.len()).map_err(io::Error::other)?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(&hash(&self.frame))?;
        self.to.write_all(&self.frame)?;
        self.written += 12 + u64::from(length);
        self.frame.clear();
        self.before = Before::default();
        self.last_key.clear();
        Ok(())
    }

    fn json(&mut self, tag: u8, value: &impl serde::Serialize) -> io::Result<()> {
        self.frame.push(tag);
        put_bytes(&mut self.frame, &serde_json::to_vec(value)?);
        self.next()
    }

    fn file(&mut self, number: u32, entry: &Entry) -> io::Result<()> {
        self.frame.push(codec::FILE);
        put(&mut self.frame, u64::from(number));
        put_bytes(&mut self.frame, &serde_json::to_vec(entry)?);
        self.next()
    }
}

/// The news, or all of the book.
fn write(to: &mut impl Write, book: &Book, all: bool) -> io::Result<u64> {
    let mut out = Frames { to, frame: Vec::new(), written: 0, before: Before::default(), last_key: Vec::new() };
    let news = &book.news;
    for id in if all { 1 } else { news.strings.max(1) }..book.strings.len() {
        out.frame.push(codec::STRING);
        put_bytes(&mut out.frame, book.strings.get(id));
        out.next()?;
    }
    for id in if all { 1 } else { news.keys.max(1) }..book.keys.len() {
        let key = book.keys.get(id);
        let shared = key.iter().zip(&out.last_key).take_while(|(a, b)| a == b).count();
        out.frame.push(codec::KEY);
        put(&mut out.frame, shared as u64);
        put_bytes(&mut out.frame, key.get(shared..).unwrap_or_default());
        key.clone_into(&mut out.last_key);
        out.next()?;
    }
    // A request's owner must have its number before the request is there, and its offset must not.
    let files: Vec<u32> = if all { (0..).take(book.files.len()).collect() } else { unique(&news.files) };
    for number in files.iter().copied().filter(|number| all || *number >= news.known_files) {
        if let Some(entry) = book.file(number) {
            let bare = Entry { path: entry.path.clone(), agent: entry.agent.clone(), profile: entry.profile.clone(), ..Entry::default() };
            out.file(number, if all { entry } else { &bare })?;
        }
    }
    let slots: Vec<u32> = if all { (0..).take(book.slots.len()).collect() } else { unique(&news.slots) };
    for at in slots {
        let Some(slot) = book.slots.get(at) else { continue };
        out.frame.push(codec::SLOT);
        codec::put_slot(&mut out.frame, at, &slot, &mut out.before);
        if let Some(names) = book.names.get(&at) {
            out.frame.push(codec::NAMES);
            put(&mut out.frame, u64::from(at));
            put(&mut out.frame, names.len() as u64);
            names.iter().for_each(|name| {
                put(&mut out.frame, u64::from(name.other));
                put(&mut out.frame, u64::from(name.prompt));
            });
        }
        out.next()?;
    }
    for (key, limit) in book.limits.iter().filter(|(key, _)| all || news.limits.contains(key)) {
        out.json(codec::LIMIT, &(key, limit))?;
    }
    for (key, bill) in book.bills.iter().filter(|(key, _)| all || news.bills.contains(key)) {
        out.json(codec::BILL, &(&key.0, bill))?;
    }
    if !all {
        for number in files {
            let Some(entry) = book.file(number) else { continue };
            if number < news.known_files {
                out.file(number, entry)?;
            } else {
                let rest = Entry { path: String::new(), agent: String::new(), profile: None, ..entry.clone() };
                out.file(number, &rest)?;
            }
        }
    }
    out.end()?;
    Ok(out.written)
}

fn unique(numbers: &[u32]) -> Vec<u32> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn hash(frame: &[u8]) -> [u8; 8] {
    let mut hash = [0; 8];
    hash.iter_mut().zip(blake3::hash(frame).as_bytes()).for_each(|(to, from)| *to = *from);
    hash
}

/// Reads frames up to the first that is not whole. The length of what is good; 0 where not even the header is.
fn load(file: File, book: &mut Book) -> io::Result<u64> {
    let mut from = BufReader::new(file);
    let mut header = [0; HEADER.len()];
    let mut good = 0;
    if from.read_exact(&mut header).is_ok() && header == *HEADER {
        good = HEADER.len() as u64;
        let mut frame = Vec::new();
        let mut head = [0; 12];
        while from.read_exact(&mut head).is_ok() {
            let [a, b, c, d, sum @ ..] = head;
            let length = u32::from_le_bytes([a, b, c, d]);
            frame.clear();
            if length > LONGEST || from.by_ref().take(length.into()).read_to_end(&mut frame)? as u64 != u64::from(length) {
                break;
            }
            if hash(&frame) != sum || take(&mut Bytes(&frame), book).is_none() {
                break;
            }
            good += 12 + u64::from(length);
        }
    }
    book.news = News::none(book);
    Ok(good)
}

fn take(from: &mut Bytes<'_>, book: &mut Book) -> Option<()> {
    let mut before = Before::default();
    let mut last_key: Vec<u8> = Vec::new();
    while let Some(tag) = from.byte() {
        match tag {
            codec::STRING => {
                book.strings.id(from.bytes()?);
            }
            codec::KEY => {
                last_key.truncate(usize::try_from(from.number()?).ok()?);
                last_key.extend_from_slice(from.bytes()?);
                book.keys.id(&last_key);
            }
            codec::SLOT => {
                let (at, slot) = codec::slot(from, &mut before)?;
                book.restore(at, slot)?;
            }
            codec::NAMES => {
                let at = from.small()?;
                let mut names = Vec::new();
                for _ in 0..from.number()? {
                    names.push(super::slot::Name { other: from.small()?, prompt: from.small()? });
                }
                book.names.insert(at, names);
            }
            codec::FILE => {
                let number = from.small()? as usize;
                let mut entry: Entry = serde_json::from_slice(from.bytes()?).ok()?;
                let next = book.files.len();
                match book.files.get_mut(number) {
                    Some(known) if entry.path.is_empty() => {
                        (entry.path, entry.agent) = (std::mem::take(&mut known.path), std::mem::take(&mut known.agent));
                        entry.profile = known.profile.take();
                        *known = entry;
                    }
                    // What is known of a log is more than its bare name.
                    Some(known) if entry.stamp != Stamp::default() || known.stamp == Stamp::default() => *known = entry,
                    Some(_) => {}
                    None if number == next && !entry.path.is_empty() => book.files.push(entry),
                    None => return None,
                }
            }
            codec::LIMIT => {
                let (key, limit): ((String, Option<String>, String), Limit) = serde_json::from_slice(from.bytes()?).ok()?;
                book.limits.insert(key, limit);
            }
            codec::BILL => {
                let (agent, bill): (String, Bill) = serde_json::from_slice(from.bytes()?).ok()?;
                book.bills.insert((agent, bill.session.clone()), bill);
            }
            _ => return None,
        }
    }
    Some(())
}
