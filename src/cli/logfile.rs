//! Prints the end of a log, and what comes after it.

use std::{
    borrow::Cow,
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

use serde::Serialize;

use super::output::{Output, printable, write_stdout};
use crate::{
    base::error::{Error, Result},
    wire::error::exit,
};

#[derive(Serialize)]
struct Logged<'a> {
    file: String,
    lines: Vec<Cow<'a, str>>,
}

/// The last lines of a file; with `follow` without end. `none` is said when there is no such file.
pub(super) fn show(path: &Path, lines: usize, follow: bool, none: &str, output: Output) -> Result<i32> {
    if follow && output.json {
        return Err(Error::usage("--follow has no end, so it has no JSON document").hint("leave one of --follow and --json out"));
    }
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            output.data(&Logged { file: path.display().to_string(), lines: Vec::new() }, String::new);
            output.say(none);
            return Ok(exit::SUCCESS);
        }
        Err(e) => return Err(Error::reading(path)(e)),
    };
    let mut reader = BufReader::new(file);
    let mut last = std::collections::VecDeque::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(Error::reading(path))? > 0 {
        last.push_back(std::mem::take(&mut line));
        if last.len() > lines {
            last.pop_front();
        }
    }
    if output.json {
        let lines = last.iter().map(|l| String::from_utf8_lossy(l.trim_ascii_end())).collect();
        output.data(&Logged { file: path.display().to_string(), lines }, String::new);
        return Ok(exit::SUCCESS);
    }
    last.iter().for_each(|line| print_line(line));
    if !follow {
        return Ok(exit::SUCCESS);
    }
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(Error::reading(path))? == 0 {
            std::thread::sleep(Duration::from_millis(200));
            // The log was rolled over.
            let now = std::fs::metadata(path).map_or(0, |m| m.len());
            if now < reader.stream_position().map_err(Error::reading(path))? {
                reader = BufReader::new(std::fs::File::open(path).map_err(Error::reading(path))?);
                reader.seek(SeekFrom::Start(0)).map_err(Error::reading(path))?;
            }
            continue;
        }
        print_line(&line);
    }
}

fn print_line(line: &[u8]) {
    write_stdout(&printable(&String::from_utf8_lossy(line)));
    let _ = std::io::stdout().flush();
}
