//! The HTTP interface: small requests under load, idle WebSockets, and how soon an event is there.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{machine, measure, record};
use crate::outcome::{Failure, Outcome, step};
use crate::scratch::Scratch;
use crate::shell::{self, cargo, run};
use crate::{dirs, setup};

const SOCKETS: usize = 1000;

pub(crate) fn bench(quick: bool) -> Outcome {
    step("build tools", || setup::tools(false, false))?;
    let wrk = shell::which("wrk").map_or_else(|| step("wrk", setup::wrk), Ok)?;
    step("release build", || run(&mut cargo(&["build", "--release", "--package", "clown", "--locked"])))?;
    let scratch = Scratch::fresh("bench-http", &dirs::clown("release"), &[])?;
    run(&mut scratch.clown(&["config", "set", "http.port", "0"]))?;
    // The port is the next daemon's.
    run(&mut scratch.clown(&["daemon", "stop"]))?;
    run(&mut scratch.clown(&["daemon", "start", "--stay-alive"]))?;
    let site = Site::of(&scratch)?;
    let seconds = if quick { 3 } else { 15 };
    let mut rows = Vec::new();
    for path in ["/api/v1/hello", "/api/v1/config"] {
        step(&format!("GET {path}"), || load(&wrk, &site, path, seconds, &mut rows))?;
    }
    step("idle WebSockets", || sockets(&site, &mut rows))?;
    step("events", || events(&site, if quick { 50 } else { 500 }, &mut rows))?;
    step("first paint", || paint(&mut rows))?;
    let head =
        ["## HTTP", "", &(machine::describe() + if quick { "; quick run" } else { "" }), "", "| what | measured | goal |", "|---|---|---|"];
    let text = head.join("\n")
        + "\n"
        + &rows.join("\n")
        + "\n\nLoad and daemon share the machine's cores. `hello` is answered from memory, `config` reads and checks a file.\n";
    record::keep("http", &text)?;
    println!("\n{text}");
    eprintln!("Written to BENCHMARKS.md.");
    Ok(())
}

struct Site {
    host: String,
    token: String,
    pid: u32,
}

impl Site {
    fn of(scratch: &Scratch) -> Result<Self, Failure> {
        let (_, status) = shell::capture(&mut scratch.clown(&["daemon", "status", "--json"]), Duration::from_secs(30))?;
        let told = || Failure::new(format!("`clown daemon status --json` names no address: {}", status.trim()));
        let host = status.split("\"http\": \"http://").nth(1).and_then(|rest| rest.split('"').next()).ok_or_else(told)?;
        let pid = measure::pid_in(&status).ok_or_else(told)?;
        let file = scratch.root().join("http-token");
        let token = std::fs::read_to_string(&file).map_err(|err| Failure::new(format!("cannot read {}: {err}", file.display())))?;
        Ok(Self { host: host.to_owned(), token, pid })
    }

    fn connect(&self) -> Result<BufReader<TcpStream>, Failure> {
        let stream = TcpStream::connect(&self.host).map_err(lost)?;
        stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(Duration::from_secs(10)))).map_err(lost)?;
        // A thousand of them: no buffer that would show in nobody's figures but costs this program.
        Ok(BufReader::with_capacity(1 << 10, stream))
    }

    fn head(&self, method: &str, path: &str, more: &str) -> String {
        format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n{more}\r\n", self.host, self.token)
    }

    fn web_socket(&self) -> Result<BufReader<TcpStream>, Failure> {
        let mut socket = self.connect()?;
        let upgrade =
            "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
        socket.get_mut().write_all(self.head("GET", "/ws", upgrade).as_bytes()).map_err(lost)?;
        answer(&mut socket, "101")?;
        if !frame(&mut socket)?.contains("hello") {
            return Err(Failure::new("a WebSocket did not say hello"));
        }
        Ok(socket)
    }
}

fn lost(err: std::io::Error) -> Failure {
    Failure::new(format!("the connection to the daemon failed: {err}"))
}

/// Reads an answer to its end.
fn answer(stream: &mut BufReader<TcpStream>, status: &str) -> Outcome {
    let (mut length, mut first) = (0, String::new());
    stream.read_line(&mut first).map_err(lost)?;
    if first.split(' ').nth(1) != Some(status) {
        return Err(Failure::new(format!("not {status}: {}", first.trim())));
    }
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).map_err(lost)?;
        if let Some(told) = line.strip_prefix("content-length: ") {
            length = told.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length]).map_err(lost)
}

/// The text of one frame of the server's; pings are passed over.
fn frame(stream: &mut BufReader<TcpStream>) -> Result<String, Failure> {
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).map_err(lost)?;
        let length = match head[1] {
            126 => {
                let mut long = [0; 2];
                stream.read_exact(&mut long).map_err(lost)?;
                usize::from(u16::from_be_bytes(long))
            }
            short => usize::from(short),
        };
        let mut text = vec![0; length];
        stream.read_exact(&mut text).map_err(lost)?;
        if head[0] == 0x81 {
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
    }
}

fn load(wrk: &Path, site: &Site, path: &str, seconds: u32, rows: &mut Vec<String>) -> Outcome {
    let ask = |seconds: u32| {
        let mut cmd = Command::new(wrk);
        // One thread: two would compete with the daemon for both cores, and time themselves.
        cmd.args(["-t", "1", "-c", "64", "--latency", "-d", &format!("{seconds}s")]);
        cmd.args(["-H", &format!("Authorization: Bearer {}", site.token), &format!("http://{}{path}", site.host)]);
        shell::capture(&mut cmd, Duration::from_secs(60))
    };
    ask(1)?;
    let (ok, text) = ask(seconds)?;
    let rate = after(&text, "Requests/sec:").and_then(|word| word.parse::<f64>().ok());
    let slowest = after(&text, "99%").and_then(milliseconds);
    let (Some(rate), Some(slowest), true, false) = (rate, slowest, ok, text.contains("Non-2xx")) else {
        return Err(Failure::new(format!("wrk did not measure: {text}")));
    };
    let quick = path.ends_with("hello");
    let verdict = |met: bool| if met { "met" } else { "NOT met" };
    let goal = |words: &str, met: bool| if quick { format!("{words}: {}", verdict(met)) } else { "-".into() };
    rows.push(format!("| `GET {path}` with token, 64 connections | {rate:.0} requests/s | {} |", goal("≥ 20000", rate >= 20_000.0)));
    rows.push(format!("| p99 of these | {slowest:.2} ms | {} |", goal("≤ 2 ms", slowest <= 2.0)));
    Ok(())
}

fn after<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    text.split_once(label)?.1.split_whitespace().next()
}

/// wrk writes `812.00us`, `1.23ms` or `1.02s`.
fn milliseconds(word: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    units.iter().find_map(|(unit, scale)| Some(word.strip_suffix(unit)?.parse::<f64>().ok()? * scale))
}

fn sockets(site: &Site, rows: &mut Vec<String>) -> Outcome {
    // What the first ones cost once is not theirs.
    let warm: Vec<_> = (0..10).map(|_| site.web_socket()).collect::<Result<_, _>>()?;
    let before = measure::memory(site.pid)?.rss;
    let held: Vec<_> = (0..SOCKETS).map(|_| site.web_socket()).collect::<Result<_, _>>()?;
    let added = measure::memory(site.pid)?.rss.saturating_sub(before) as f64 / 1024.0;
    drop((warm, held));
    let verdict = if added <= 20.0 { "met" } else { "NOT met" };
    rows.push(format!("| {SOCKETS} idle WebSockets | {added:.1} MiB more resident | ≤ 20 MiB: {verdict} |"));
    Ok(())
}

/// In a real browser, which the tests drive; the daemon there is of the debug build.
fn paint(rows: &mut Vec<String>) -> Outcome {
    let mut cmd = cargo(&["test", "--locked", "--package", "clown", "--test", "it", "--", "--exact", "--nocapture"]);
    let (_, text) = shell::capture(cmd.arg("ui::login::the_first_paint_needs_no_cache"), Duration::from_secs(1800))?;
    let number = |label: &str| after(text.split_once("first paint:")?.1, label)?.parse::<f64>().ok();
    let (Some(middle), Some(worst)) = (number("median"), number("worst")) else {
        return Err(Failure::new(format!("the browser did not measure: {text}")));
    };
    let verdict = if middle <= 200.0 { "met" } else { "NOT met" };
    rows.push(format!("| first paint of the web UI, nothing cached, debug build, median / worst of 11 | {middle:.0} / {worst:.0} ms | < 200 ms: {verdict} |"));
    Ok(())
}

fn events(site: &Site, rounds: usize, rows: &mut Vec<String>) -> Outcome {
    let (mut socket, mut asking) = (site.web_socket()?, site.connect()?);
    let text = r#"{"type":"subscribe","topics":["config/"]}"#;
    // A frame of a client is masked; with a mask of nulls it reads as it is.
    let mut sent = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    sent.extend(text.as_bytes());
    socket.get_mut().write_all(&sent).map_err(lost)?;
    frame(&mut socket)?;
    let (mut whole, mut behind) = (Vec::new(), Vec::new());
    for n in 0..rounds {
        let body = format!("{{\"value\":\"{}\"}}", n % 2);
        let mut more = String::from("content-type: application/json\r\n");
        let _ = write!(more, "content-length: {}\r\n", body.len());
        let start = Instant::now();
        asking.get_mut().write_all((site.head("PUT", "/api/v1/config/preferences.bench", &more) + &body).as_bytes()).map_err(lost)?;
        frame(&mut socket)?;
        whole.push(start.elapsed());
        let heard = Instant::now();
        answer(&mut asking, "200")?;
        behind.push(heard.elapsed());
    }
    let (whole, behind) = (measure::Times::new(whole), measure::Times::new(behind));
    let (middle, late) = (whole.median(), whole.p99());
    let verdict = if late <= 20.0 { "met" } else { "NOT met" };
    rows.push(format!("| from sending a change until its event is heard, the commit (fsync) included, median / p99 of {rounds} | {middle:.2} / {late:.2} ms | ≤ 20 ms after the commit: {verdict} |"));
    rows.push(format!("| the reply to that change after its event, median | {:.2} ms | - |", behind.median()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_wrk_are_read_in_any_unit() {
        let text = "  Latency Distribution\n     50%  812.00us\n     99%    1.23ms\nRequests/sec:  20123.45\n";
        assert_eq!(after(text, "Requests/sec:"), Some("20123.45"));
        assert_eq!(after(text, "99%").and_then(milliseconds), Some(1.23));
        assert_eq!((milliseconds("500.00us"), milliseconds("1.50s"), milliseconds("x")), (Some(0.5), Some(1500.0), None));
    }
}
