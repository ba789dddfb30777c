//! Makes a text fit to be shown to strangers: no key, no home directory, no login name.
//!
//! Strict, because nobody reads a report twice: it rather takes an id for a key than a key for an id.

/// Beginnings of keys of the vendors.
const KEYS: &[&str] = &["sk-", "AIza", "ghp_", "gho_", "github_pat_", "xoxb-", "AKIA", "glpat-", "hf_", "clown-", "eyJ"];
/// A word with letters and digits of this length may be a key of any kind.
const LONG: usize = 20;
/// A word behind one of these is a key, whatever it looks like.
const NAMES: &[&str] = &["bearer", "authorization", "api_key", "api-key", "apikey", "x-api-key", "token", "password", "secret"];

/// `home` is shown as `~`, and the user's name as `user`.
pub fn redacted(text: &str, home: Option<&str>, user: Option<&str>) -> String {
    let text = match home.filter(|home| home.len() > 1) {
        Some(home) => text.replace(home, "~"),
        None => text.to_owned(),
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    // Whether the word before announces a key.
    let mut announced = false;
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    while let Some(start) = rest.find(part) {
        let (before, from) = rest.split_at(start);
        let (word, tail) = from.split_at(from.find(|c| !part(c)).unwrap_or(from.len()));
        announced &= !before.contains('\n');
        out.push_str(before);
        out.push_str(if announced && !is_name(word) {
            "[key]"
        } else if Some(word) == user {
            "user"
        } else {
            shown(word)
        });
        // In a sentence "token" is a word like any other; "Bearer" is not.
        announced = is_name(word) && (tail.starts_with([':', '=', '"']) || tail.starts_with(' ') && word.eq_ignore_ascii_case("bearer"));
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Whether a value under this name (which may be empty) is better kept with the keys: by its name or by its looks.
pub fn looks_like_key(name: &str, value: &str) -> bool {
    let vendors = |word: &str| word.len() >= 8 && KEYS.iter().any(|key| word.starts_with(key));
    let random = |word: &str| word.len() >= 32 && word.chars().any(|c| c.is_ascii_digit()) && word.chars().any(char::is_alphabetic);
    (is_name(name) && !value.is_empty())
        || value.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).any(vendors)
        || value.split(|c: char| !c.is_alphanumeric()).any(random)
}

fn is_name(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    NAMES.iter().any(|name| word == *name || word.strip_suffix(name).is_some_and(|w| w.ends_with(['_', '-'])))
}

fn shown(word: &str) -> &str {
    let mixed = word.chars().any(|c| c.is_ascii_digit()) && word.chars().any(char::is_alphabetic);
    let vendors = word.len() >= 8 && KEYS.iter().any(|key| word.starts_with(key));
    let may_be_key = vendors || (word.len() >= LONG && mixed) || word.len() >= 2 * LONG;
    if may_be_key { "[key]" } else { word }
}

/// Shorter words behind a key's name are something else.
const SHORTEST_NAMED: usize = 12;
/// Shorter words that begin as a vendor's keys do are something else.
const SHORTEST_VENDORS: usize = 16;

/// Whether a text of settings holds what looks like a key: a word as the vendors' keys are, or one behind a key's name.
/// Names of variables are none. More lenient than [`redacted`]: ids and hashes belong into settings.
pub fn holds_key(text: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut rest = text;
    let mut announced = false;
    while let Some(start) = rest.find(part) {
        let (before, from) = rest.split_at(start);
        let (word, tail) = from.split_at(from.find(|c| !part(c)).unwrap_or(from.len()));
        announced &= !before.contains('\n');
        let variable = word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let vendors =
            word.len() >= SHORTEST_VENDORS && KEYS.iter().any(|key| word.starts_with(key)) && word.chars().any(|c| c.is_ascii_digit());
        if vendors || (announced && word.len() >= SHORTEST_NAMED && !variable && !is_name(word)) {
            return true;
        }
        announced =
            is_name(word) && (tail.starts_with([':', '=', '"', '\'']) || tail.starts_with(" =") || word.eq_ignore_ascii_case("bearer"));
        rest = tail;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_among_settings_are_seen_and_settings_are_none() {
        for text in [
            "{\"env\":{\"ANTHROPIC_AUTH_TOKEN\":\"correcthorsebattery\"}}",
            "api_key = \"0123456789ab\"",
            "see sk-ant-api03-0123456789",
            "\"Authorization\": \"Bearer abcdefghijklm\"",
        ] {
            assert!(holds_key(text), "{text}");
        }
        for text in [
            "{\"apiKey\":\"{env:CLOWN_KEY}\"}",
            "env_key = \"DEEPSEEK_API_KEY\"",
            "api_key = \"${DEEPSEEK_API_KEY_OF_WORK}\"",
            "\"id\": \"0f8fad5b-d9cb-469f-a165-70867728950e\"",
            "max_tokens = 123456789012345",
            "ask for the secret of the password generator",
        ] {
            assert!(!holds_key(text), "{text}");
        }
    }

    fn plain(text: &str) -> String {
        redacted(text, Some("/home/ann"), Some("ann"))
    }

    #[test]
    fn keys_of_any_kind_are_blotted_out() {
        for (text, wanted) in [
            ("key sk-ant-api03-abcdefgh in use", "key [key] in use"),
            ("Authorization: Bearer hunter2\nnext", "Authorization: Bearer [key]\nnext"),
            ("DEEP_API_KEY=hunter2", "DEEP_API_KEY=[key]"),
            ("\"password\":\"short\"", "\"password\":\"[key]\""),
            ("https://h/?a=0123456789abcdef0123456789abcdef", "https://h/?a=[key]"),
            ("0123456789abcdef0123/x", "[key]/x"),
        ] {
            assert_eq!(plain(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_key_is_told_by_its_name_or_its_looks() {
        for (name, value) in
            [("GITHUB_TOKEN", "x"), ("X", "ghp_0123456789"), ("", "--key=sk-ant-0123"), ("", "0123456789abcdef0123456789abcdef")]
        {
            assert!(looks_like_key(name, value), "{name} {value}");
        }
        for (name, value) in [("TOKEN", ""), ("ROOT", "/home/ann/some-long-name-of-a-directory-2026"), ("", "https://h.example/mcp?team=7")]
        {
            assert!(!looks_like_key(name, value), "{name} {value}");
        }
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "2026-01-02T03:04:05.678Z  INFO ready pid=71 version=\"0.1.0\"",
            "profile work: agent claude 2.1.330, model claude-opus-4-6",
            "the agent gets a token of its session",
            "the port 8080 is taken by process 17 (nginx)",
        ] {
            assert_eq!(plain(text), text);
        }
        assert_eq!(plain("/home/ann/.config/clown of ann"), "~/.config/clown of user");
    }
}
