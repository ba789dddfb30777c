//! A Rust file in three views, each with the same lines: rules about code must not trip over prose, nor the reverse.

pub(crate) struct Views {
    /// Comments and the contents of literals blanked.
    pub(crate) code: String,
    /// Comments blanked, literals kept.
    pub(crate) literal: String,
    /// Only comments.
    pub(crate) comments: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Literal,
    Comment,
}

impl Views {
    pub(crate) fn of(raw: &str) -> Self {
        let chars: Vec<char> = raw.chars().collect();
        let kinds = kinds(&chars);
        let view = |kept: &[Kind]| {
            let keep = |(c, kind): (&char, &Kind)| {
                if *c == '\n' || kept.contains(kind) { *c } else { ' ' }
            };
            chars.iter().zip(&kinds).map(keep).collect()
        };
        Self { code: view(&[Kind::Code]), literal: view(&[Kind::Code, Kind::Literal]), comments: view(&[Kind::Comment]) }
    }
}

/// What each character belongs to.
fn kinds(chars: &[char]) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(chars.len());
    while kinds.len() < chars.len() {
        let at = kinds.len();
        let (kind, end) = piece(chars, at);
        kinds.resize(end.clamp(at + 1, chars.len()), kind);
    }
    kinds
}

/// The piece that starts at `at`: its kind and its end.
fn piece(chars: &[char], at: usize) -> (Kind, usize) {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => (Kind::Comment, find(chars, at, |c| c == '\n')),
        '/' if next == Some('*') => (Kind::Comment, block_comment(chars, at)),
        '"' => (Kind::Literal, string(chars, at)),
        '\'' => char_literal(chars, at).map_or((Kind::Code, at + 1), |end| (Kind::Literal, end)),
        c if is_word(c) => {
            let end = find(chars, at, |c| !is_word(c));
            let word: String = chars[at..end].iter().collect();
            match raw_string(chars, end) {
                Some(end) if matches!(word.as_str(), "r" | "br" | "cr") => (Kind::Literal, end),
                _ => (Kind::Code, end),
            }
        }
        _ => (Kind::Code, at + 1),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(chars: &[char], from: usize, stop: impl Fn(char) -> bool) -> usize {
    chars[from..].iter().position(|c| stop(*c)).map_or(chars.len(), |length| from + length)
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn string(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// The end of a raw string whose `#`s or quote start at `at`.
fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    let open = find(chars, at, |c| c != '#');
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let hashes = open - at;
    let closes = |i: &usize| chars[*i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    Some((open + 1..chars.len()).find(closes).map_or(chars.len(), |end| end + 1 + hashes))
}

/// The end of a character literal; `None` for a lifetime.
fn char_literal(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        return Some(find(chars, (at + 3).min(chars.len()), |c| c == '\'') + 1);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(raw: &str) -> String {
        Views::of(raw).code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_leave_the_code() {
        assert_eq!(code("a /* x /* y */ z */ b // c"), "a b");
        assert_eq!(code("let a = \"todo!(\\\" //\"; b"), "let a = ; b");
        assert_eq!(code("let a = r#\"x \" // y\"#; b"), "let a = ; b");
        assert_eq!(code("let a = br\"x\\\"; b"), "let a = ; b");
        assert_eq!(code("r#type::x"), "r#type::x");
        assert_eq!(code("let a: &'static str = f('\"', '\\'', 'x'); // \""), "let a: &'static str = f( , , );");
        assert_eq!(code("for r in \"x\" {}"), "for r in {}");
    }

    #[test]
    fn an_unfinished_piece_ends_with_the_file() {
        for raw in ["\"abc", "\"abc\\", "/* abc", "r#\"abc\"", "'\\", "'", "r##"] {
            assert_eq!(Views::of(raw).code.chars().count(), raw.chars().count(), "{raw}");
        }
    }

    #[test]
    fn lines_stay_in_place() {
        let views = Views::of("a\n/* x\n y */ b\n\"p\nq\" c // FIXME\n");
        assert_eq!(views.code.lines().count(), 5);
        assert_eq!(views.code.lines().nth(2).map(str::trim), Some("b"));
        assert_eq!(views.literal.lines().nth(4).map(str::trim), Some("q\" c"));
        assert_eq!(views.comments.lines().nth(4).map(str::trim), Some("// FIXME"));
    }
}
