//! Questions over one connection: what the daemon itself takes, a socket's way there and back included.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::Plan;
use super::report::Table;
use super::site::Site;
use crate::bench::measure::Times;
use crate::outcome::{Failure, Outcome};

/// The messaging library's framing: who asks, and who answers.
const HELLO: [u8; 8] = [0, b'S', b'P', 0, 0, 0x30, 0, 0];
const ANSWER: [u8; 8] = [0, b'S', b'P', 0, 0, 0x31, 0, 0];

/// No answer is longer.
const LONGEST: u64 = 16 << 20;

pub(super) fn measure(site: &Site, plan: &Plan, table: &mut Table) -> Outcome {
    let status = site.ask(&["daemon", "status", "--json"])?;
    let text = |name: &str| status.split_once(&format!("\"{name}\":")).and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or_default();
    let (endpoint, version) = (text("endpoint"), text("version"));
    let failed = |err: std::io::Error| Failure::new(format!("the daemon's socket {endpoint}: {err}"));
    let mut stream = UnixStream::connect(endpoint.trim_start_matches("ipc://")).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(failed)?;
    stream.write_all(&HELLO).map_err(failed)?;
    let mut hello = [0; 8];
    stream.read_exact(&mut hello).map_err(failed)?;
    if hello != ANSWER {
        return Err(Failure::new("the daemon's socket speaks something else"));
    }
    for (call, body, what) in [
        ("usage.report", r#"{"group":"daily"}"#, "the days, of all there is"),
        ("usage.report", r#"{"group":"models"}"#, "the models"),
        ("usage.report", r#"{"group":"daily","select":{"period":"30d"},"breakdown":true}"#, "30 days by model"),
    ] {
        let mut times = Vec::new();
        for number in 0..plan.questions + 10 {
            let request = format!(
                "{{\"protocol\":1,\"version\":\"{version}\",\"id\":\"bench-{number}\",\"call\":\"{call}\",\"body\":{body},\"caller\":{{\"pid\":1,\"cwd\":\"/\",\"env\":{{}}}}}}"
            );
            let begun = Instant::now();
            let reply = exchange(&mut stream, u32::try_from(number).unwrap_or(0), request.as_bytes()).map_err(failed)?;
            times.push(begun.elapsed());
            if !reply.windows(8).any(|part| part == b"\"reply\":") {
                return Err(Failure::new(format!("{call} {body} was answered {}", String::from_utf8_lossy(&reply))));
            }
        }
        let times = Times::new(times.split_off(10));
        let value = format!("{:.2} / {:.2} / {:.2} ms", times.min(), times.median(), times.p99());
        table.goal(&format!("`{call}`, {what}, over one connection, min / median / p99"), &value, "<= 2 ms at p99", times.p99() <= 2.0);
    }
    Ok(())
}

fn exchange(stream: &mut UnixStream, number: u32, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let id = (number | 0x8000_0000).to_be_bytes();
    let mut frame = vec![1];
    frame.extend_from_slice(&(body.len() as u64 + 4).to_be_bytes());
    frame.extend_from_slice(&id);
    frame.extend_from_slice(body);
    stream.write_all(&frame)?;
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let [_, length @ ..] = head;
    let mut reply = Vec::new();
    stream.take(u64::from_be_bytes(length).min(LONGEST)).read_to_end(&mut reply)?;
    Ok(reply)
}
