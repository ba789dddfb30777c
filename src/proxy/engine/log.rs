//! The process's own log, on stderr.

use tracing::level_filters::LevelFilter;

/// A text in the log is cut here.
pub(super) const MOST: usize = 64 << 10;

pub(super) fn start() {
    let lines =
        tracing_subscriber::fmt().with_ansi(false).with_target(false).with_max_level(LevelFilter::INFO).with_writer(std::io::stderr);
    // A second one in a process changes nothing.
    let _ = lines.try_init();
    std::panic::set_hook(Box::new(|panic| tracing::error!("panic: {panic}")));
}

/// Only where the user asked for it. What looks like a key is blotted out.
pub(super) fn content(id: &str, what: &str, body: &[u8]) {
    let text = String::from_utf8_lossy(body.get(..MOST).unwrap_or(body));
    tracing::info!(id, what, body = %redacted(&text), "content");
}

/// Beginnings of keys of the vendors.
const KEYS: &[&str] = &["sk-", "AIza", "ghp_", "gho_", "github_pat_", "xoxb-", "AKIA", "glpat-", "hf_", "clown-"];
/// Shorter words are no keys.
const LEAST: usize = 16;

fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    while let Some(start) = rest.find(word) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !word(c)).unwrap_or(from.len());
        let (token, tail) = from.split_at(end);
        out.push_str(before);
        out.push_str(if token.len() >= LEAST && KEYS.iter().any(|k| token.starts_with(k)) { "[key]" } else { token });
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_key_is_not_logged() {
        let text = r#"{"text":"use sk-ant-api03-abcdefghijklmnop and AIzaSyA1234567890abc; sk-short é"}"#;
        assert_eq!(redacted(text), r#"{"text":"use [key] and [key]; sk-short é"}"#);
    }
}
