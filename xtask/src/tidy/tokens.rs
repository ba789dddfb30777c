//! Code cut into words, `::` and single marks, each with its line. Enough to read paths by.

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    Sep,
    Mark(char),
}

/// Lines count from 1.
pub(crate) fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (token, length) = if length > 0 {
                (Token::Word(rest[..length].to_owned()), length)
            } else if rest.starts_with("::") {
                (Token::Sep, 2)
            } else {
                (Token::Mark(c), c.len_utf8())
            };
            rest = &rest[length..];
            if !matches!(token, Token::Mark(c) if c.is_whitespace()) {
                tokens.push((number + 1, token));
            }
        }
    }
    tokens
}
