//! Conditions of routing rules: a small language over facts of a request.
//!
//! `tokens > 60000 and not (thinking or model ~ "claude-haiku*")`. Words: `always`, `thinking`,
//! `background`, `web_search`, `image`; numbers: `tokens`, `tools`, `max_tokens` with
//! `> >= < <= ==`; `model ~ PATTERN` with `*`; joined by `and`, `or`, `not` and brackets. Accepts
//! `&&`, `||`, `!`, `true` and `request.` in front of a name, as other tools' files have them.

use std::fmt;

use crate::base::glob;

mod parse;

/// What rules can ask about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub model: String,
    /// Estimated input tokens.
    pub tokens: u64,
    /// Tools offered.
    pub tools: u64,
    pub max_tokens: u64,
    pub thinking: bool,
    /// A side call of the agent, such as a title.
    pub background: bool,
    pub web_search: bool,
    pub image: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Always,
    Flag(Flag),
    Number(Quantity, Compare, u64),
    Model(String),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Thinking,
    Background,
    WebSearch,
    Image,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    Tokens,
    Tools,
    MaxTokens,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    More,
    AtLeast,
    Less,
    AtMost,
    Exactly,
}

/// Where and why a condition is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// 1-based, in characters.
    pub column: usize,
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

impl Condition {
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        parse::parse(text)
    }

    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::Always => true,
            Self::Flag(flag) => flag.of(facts),
            Self::Number(quantity, compare, n) => compare.holds(quantity.of(facts), *n),
            Self::Model(pattern) => glob::matches(pattern, &facts.model),
            Self::Not(inner) => !inner.holds(facts),
            Self::And(all) => all.iter().all(|c| c.holds(facts)),
            Self::Or(any) => any.iter().any(|c| c.holds(facts)),
        }
    }

    /// Whether it asks for more than the model's name.
    pub fn needs_body(&self) -> bool {
        match self {
            Self::Always | Self::Model(_) => false,
            Self::Flag(_) | Self::Number(..) => true,
            Self::Not(inner) => inner.needs_body(),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::needs_body),
        }
    }

    /// The simple parts that decided, as `tokens > 60000 (is 71234)`: for `explain`.
    pub fn reasons(&self, facts: &Facts) -> Vec<String> {
        match self {
            Self::Always => vec!["always".into()],
            Self::Flag(flag) => vec![format!("{self} (is {})", if flag.of(facts) { "so" } else { "not so" })],
            Self::Number(quantity, _, _) => vec![format!("{self} (is {})", quantity.of(facts))],
            Self::Model(_) => vec![format!("{self} (is {})", facts.model)],
            Self::Not(inner) => inner.reasons(facts),
            Self::And(parts) | Self::Or(parts) => {
                let whole = self.holds(facts);
                let and = matches!(self, Self::And(_));
                // Of a failed `and` the failed parts decide, of a true `or` the true ones.
                let decisive = |c: &&Self| if and { whole || !c.holds(facts) } else { !whole || c.holds(facts) };
                parts.iter().filter(decisive).flat_map(|c| c.reasons(facts)).collect()
            }
        }
    }
}

impl Flag {
    fn of(self, facts: &Facts) -> bool {
        match self {
            Self::Thinking => facts.thinking,
            Self::Background => facts.background,
            Self::WebSearch => facts.web_search,
            Self::Image => facts.image,
        }
    }
}

impl Quantity {
    fn of(self, facts: &Facts) -> u64 {
        match self {
            Self::Tokens => facts.tokens,
            Self::Tools => facts.tools,
            Self::MaxTokens => facts.max_tokens,
        }
    }
}

impl Compare {
    fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::More => left > right,
            Self::AtLeast => left >= right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Exactly => left == right,
        }
    }
}

/// The one spelling that clown writes; `parse` reads it back to the same condition.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            for (n, part) in parts.iter().enumerate() {
                if n > 0 {
                    write!(f, " {word} ")?;
                }
                // Brackets wherever the other joining word stands inside.
                if matches!(part, Self::And(_) | Self::Or(_)) { write!(f, "({part})")? } else { write!(f, "{part}")? }
            }
            Ok(())
        };
        match self {
            Self::Always => f.write_str("always"),
            Self::Flag(Flag::Thinking) => f.write_str("thinking"),
            Self::Flag(Flag::Background) => f.write_str("background"),
            Self::Flag(Flag::WebSearch) => f.write_str("web_search"),
            Self::Flag(Flag::Image) => f.write_str("image"),
            Self::Number(quantity, compare, n) => {
                let name = match quantity {
                    Quantity::Tokens => "tokens",
                    Quantity::Tools => "tools",
                    Quantity::MaxTokens => "max_tokens",
                };
                let sign = match compare {
                    Compare::More => ">",
                    Compare::AtLeast => ">=",
                    Compare::Less => "<",
                    Compare::AtMost => "<=",
                    Compare::Exactly => "==",
                };
                write!(f, "{name} {sign} {n}")
            }
            Self::Model(pattern) => write!(f, "model ~ {pattern:?}"),
            Self::Not(inner) if matches!(**inner, Self::And(_) | Self::Or(_)) => write!(f, "not ({inner})"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::And(parts) => joined(f, parts, "and"),
            Self::Or(parts) => joined(f, parts, "or"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts { model: "claude-opus-5".into(), tokens: 60_001, tools: 3, thinking: true, ..Facts::default() }
    }

    #[test]
    fn conditions_hold_as_they_read() {
        for (text, holds) in [
            ("always", true),
            ("thinking", true),
            ("not thinking", false),
            ("background or web_search or image", false),
            ("tokens > 60000", true),
            ("tokens > 60_001", false),
            ("tokens >= 60001", true),
            ("tokens<60k", false),
            ("tokens <= 60001 and tools == 3", true),
            ("tools >= 4 or model ~ claude-*", true),
            ("model ~ \"gpt-*\"", false),
            ("not (thinking and tools > 2)", false),
            ("thinking or background and image", true),
            ("(thinking or background) and image", false),
            ("request.max_tokens > 50000", false),
            ("true && !image || false_friend", false),
        ] {
            match Condition::parse(text) {
                Ok(condition) => assert_eq!(condition.holds(&facts()), holds, "{text}"),
                Err(mistake) => assert!(text.contains("false_friend"), "{text}: {mistake}"),
            }
        }
    }

    #[test]
    fn mistakes_point_at_the_column() {
        for (text, column, says) in [
            ("", 1, "not the end"),
            ("tokens", 7, "is expected after tokens"),
            ("tokens > many", 10, "a whole number"),
            ("thinkin", 1, "did you mean thinking"),
            ("(thinking or image", 19, "closing bracket"),
            ("thinking image", 10, "join with"),
            ("tokens > 1 and", 15, "not the end"),
            ("model claude", 7, "~ is expected"),
            ("thinking $ image", 10, "not understood"),
            ("model ~ \"open", 9, "not closed"),
            (&"(".repeat(100), 33, "levels deep"),
        ] {
            let mistake = Condition::parse(text).unwrap_err();
            assert_eq!(mistake.column, column, "{text}: {mistake}");
            assert!(mistake.message.contains(says), "{text}: {mistake}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["not (thinking and (tools > 2 or image))", "model ~ \"a b*\" or always", "max_tokens == 3 and not background"] {
            let condition = Condition::parse(text).unwrap();
            assert_eq!(condition.to_string(), text);
            assert_eq!(Condition::parse(&condition.to_string()).unwrap(), condition);
        }
    }

    #[test]
    fn reasons_name_what_decided() {
        let reasons = Condition::parse("thinking and tokens > 90000").unwrap().reasons(&facts());
        assert_eq!(reasons, ["tokens > 90000 (is 60001)"]);
    }
}
