//! From text to a condition, with the column of every mistake.

use std::fmt;

use super::{Compare, Condition, Flag, Mistake, Quantity};

pub(super) fn parse(text: &str) -> Result<Condition, Mistake> {
    let tokens = lex(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.chars().count() + 1, depth: 0 };
    let condition = parser.or()?;
    match parser.peek() {
        None => Ok(condition),
        Some(extra) => {
            Err(Mistake { column: extra.column, message: format!("{} is not expected here; join with `and` or `or`", extra.kind) })
        }
    }
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    column: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Word(String),
    Number(u64),
    Text(String),
    Sign(&'static str),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "{word:?}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Sign(sign) => write!(f, "{sign:?}"),
        }
    }
}

const SIGNS: &[&str] = &[">=", "<=", "==", "&&", "||", ">", "<", "=", "~", "(", ")", "!"];

fn lex(text: &str) -> Result<Vec<Token>, Mistake> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let column = at + 1;
        let rest: String = chars.iter().skip(at).take(2).collect();
        if c.is_whitespace() {
            at += 1;
        } else if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            tokens.push(Token { kind: Kind::Sign(sign), column });
            at += sign.len();
        } else if matches!(c, '"' | '\'') {
            let Some(length) = chars.iter().skip(at + 1).position(|e| e == c) else {
                return Err(Mistake { column, message: "this text is not closed".into() });
            };
            tokens.push(Token { kind: Kind::Text(chars.iter().skip(at + 1).take(length).collect()), column });
            at += length + 2;
        } else if plain(*c) {
            let word: String = chars.iter().skip(at).take_while(|c| plain(**c)).collect();
            at += word.chars().count();
            tokens.push(Token { kind: number(&word).map_or(Kind::Word(word), Kind::Number), column });
        } else {
            return Err(Mistake { column, message: format!("{c:?} is not understood") });
        }
    }
    Ok(tokens)
}

fn plain(c: char) -> bool {
    c.is_alphanumeric() || "_-.*/:@[]".contains(c)
}

/// `60000`, `60_000` or `60k`.
fn number(word: &str) -> Option<u64> {
    let (digits, unit) = match word.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1000),
        None => (word, 1),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    digits.replace('_', "").parse::<u64>().ok()?.checked_mul(unit)
}

/// Deep enough for people, and no stack is used up by a hostile file.
const MAX_DEPTH: usize = 32;

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn column(&self) -> usize {
        self.peek().map_or(self.end, |t| t.column)
    }

    fn take(&mut self, words: &[&str]) -> bool {
        let hit = self.peek().is_some_and(|t| match &t.kind {
            Kind::Word(word) => words.contains(&word.to_lowercase().as_str()),
            Kind::Sign(sign) => words.contains(sign),
            _ => false,
        });
        self.at += usize::from(hit);
        hit
    }

    fn mistake<T>(&self, message: impl Into<String>) -> Result<T, Mistake> {
        Err(Mistake { column: self.column(), message: message.into() })
    }

    fn or(&mut self) -> Result<Condition, Mistake> {
        let mut parts = vec![self.and()?];
        while self.take(&["or", "||"]) {
            parts.push(self.and()?);
        }
        Ok(single(parts, Condition::Or))
    }

    fn and(&mut self) -> Result<Condition, Mistake> {
        let mut parts = vec![self.not()?];
        while self.take(&["and", "&&"]) {
            parts.push(self.not()?);
        }
        Ok(single(parts, Condition::And))
    }

    fn not(&mut self) -> Result<Condition, Mistake> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.mistake(format!("more than {MAX_DEPTH} levels deep"));
        }
        let condition = if self.take(&["not", "!"]) {
            Condition::Not(Box::new(self.not()?))
        } else if self.take(&["("]) {
            let inner = self.or()?;
            if !self.take(&[")"]) {
                return self.mistake("a closing bracket is missing");
            }
            inner
        } else {
            self.simple()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn simple(&mut self) -> Result<Condition, Mistake> {
        let Some(Token { kind: Kind::Word(word), column }) = self.peek().cloned() else {
            let seen = self.peek().map_or("the end".to_owned(), |t| t.kind.to_string());
            return self.mistake(format!("a condition is expected, not {seen}"));
        };
        self.at += 1;
        let name = word.to_lowercase();
        let quantity = match name.strip_prefix("request.").unwrap_or(&name) {
            "always" | "true" => return Ok(Condition::Always),
            "thinking" => return Ok(Condition::Flag(Flag::Thinking)),
            "background" => return Ok(Condition::Flag(Flag::Background)),
            "web_search" => return Ok(Condition::Flag(Flag::WebSearch)),
            "image" => return Ok(Condition::Flag(Flag::Image)),
            "model" => return self.pattern(),
            "tokens" => Quantity::Tokens,
            "tools" => Quantity::Tools,
            "max_tokens" => Quantity::MaxTokens,
            other => {
                const KNOWN: &[&str] =
                    &["always", "thinking", "background", "web_search", "image", "model", "tokens", "tools", "max_tokens"];
                let near =
                    crate::base::error::closest(other, KNOWN.iter().copied()).map(|n| format!("; did you mean {n}")).unwrap_or_default();
                return Err(Mistake { column, message: format!("{word:?} is not a condition{near}") });
            }
        };
        let compare = match self.peek().map(|t| &t.kind) {
            Some(Kind::Sign(">")) => Compare::More,
            Some(Kind::Sign(">=")) => Compare::AtLeast,
            Some(Kind::Sign("<")) => Compare::Less,
            Some(Kind::Sign("<=")) => Compare::AtMost,
            Some(Kind::Sign("==" | "=")) => Compare::Exactly,
            _ => return self.mistake(format!("one of > >= < <= == is expected after {word}")),
        };
        self.at += 1;
        let Some(Kind::Number(n)) = self.peek().map(|t| &t.kind) else { return self.mistake("a whole number is expected") };
        let n = *n;
        self.at += 1;
        Ok(Condition::Number(quantity, compare, n))
    }

    fn pattern(&mut self) -> Result<Condition, Mistake> {
        if !self.take(&["~", "=="]) {
            return self.mistake("~ is expected after model");
        }
        let pattern = match self.peek().map(|t| &t.kind) {
            Some(Kind::Word(text) | Kind::Text(text)) => text.clone(),
            Some(Kind::Number(n)) => n.to_string(),
            _ => return self.mistake("a pattern is expected, such as claude-haiku*"),
        };
        self.at += 1;
        Ok(Condition::Model(pattern))
    }
}

fn single(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}
