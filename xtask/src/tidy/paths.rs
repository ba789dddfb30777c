//! Every path a file names, in `use` trees and inline, resolved as far as text can tell.

use super::tokens::{Token, tokens};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) target: Target,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// From our crate's root; a glob ends in `*`.
    Ours(Vec<String>),
    /// Starts with the name of another crate, or with a name the file brought in by `use`.
    Other(Vec<String>),
}

struct Reader<'a> {
    tokens: Vec<(usize, Token)>,
    module: &'a [&'a str],
    /// Inline modules around the current place, with the brace depth each was opened at.
    inline: Vec<(String, usize)>,
    found: Vec<Reference>,
}

/// `code` has no comments or literals; `module` is the file's own path from the crate's root.
pub(crate) fn references(code: &str, module: &[&str]) -> Vec<Reference> {
    let mut reader = Reader { tokens: tokens(code), module, inline: Vec::new(), found: Vec::new() };
    reader.read();
    reader.found
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut depth = 0;
        let mut at = 0;
        while at < self.tokens.len() {
            if self.is_word(at, "use") {
                at = self.tree(at + 1, &[]);
                continue;
            }
            if let (true, Some(name), Some(Token::Mark('{'))) = (self.is_word(at, "mod"), self.word(at + 1), self.token(at + 2)) {
                depth += 1;
                self.inline.push((name, depth));
                at += 3;
                continue;
            }
            match self.token(at) {
                Some(Token::Mark('{')) => depth += 1,
                Some(Token::Mark('}')) => {
                    self.inline.retain(|(_, opened)| *opened < depth);
                    depth = depth.saturating_sub(1);
                }
                Some(Token::Word(_)) if !self.continues(at) && self.token(at + 1) == Some(&Token::Sep) => {
                    at = self.tree(at, &[]);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Whether the word at `at` is a method or field, or goes on from a type: `x.y`, `<T>::y`.
    fn continues(&self, at: usize) -> bool {
        match at.checked_sub(1).and_then(|before| self.token(before)) {
            Some(Token::Mark('.')) => true,
            Some(Token::Sep) => at.checked_sub(2).is_some_and(|before| self.token(before) == Some(&Token::Mark('>'))),
            _ => false,
        }
    }

    /// Reads one path, or a tree of them, from `at`; returns the place after it.
    fn tree(&mut self, at: usize, before: &[String]) -> usize {
        let mut path = before.to_vec();
        let mut at = if self.token(at) == Some(&Token::Sep) { at + 1 } else { at };
        loop {
            match self.token(at) {
                Some(Token::Word(word)) => {
                    path.push(word.clone());
                    let goes_on = matches!(self.token(at + 2), Some(Token::Word(_) | Token::Mark('{' | '*')));
                    if self.token(at + 1) != Some(&Token::Sep) || !goes_on {
                        self.keep(at, path);
                        return at + 1;
                    }
                    at += 2;
                }
                Some(Token::Mark('*')) => {
                    path.push("*".into());
                    self.keep(at, path);
                    return at + 1;
                }
                Some(Token::Mark('{')) => return self.group(at + 1, &path),
                _ => return at + 1,
            }
        }
    }

    fn group(&mut self, mut at: usize, before: &[String]) -> usize {
        loop {
            match self.token(at) {
                None => return at,
                Some(Token::Mark('}')) => return at + 1,
                Some(Token::Mark(',')) => at += 1,
                // `a as b`: the new name is no path.
                Some(Token::Word(word)) if word == "as" => at += 2,
                Some(_) => at = self.tree(at, before),
            }
        }
    }

    fn keep(&mut self, at: usize, path: Vec<String>) {
        // `crate::name!` is a macro exported at the root, whichever room wrote it.
        if path.len() == 2 && self.token(at + 1) == Some(&Token::Mark('!')) {
            return;
        }
        let line = self.tokens.get(at).map_or(1, |(line, _)| *line);
        if let Some(target) = self.resolve(path) {
            self.found.push(Reference { line, target });
        }
    }

    fn resolve(&self, path: Vec<String>) -> Option<Target> {
        let mut base: Vec<String> =
            self.module.iter().map(ToString::to_string).chain(self.inline.iter().map(|(name, _)| name.clone())).collect();
        let mut rest = path.as_slice();
        match rest.first().map(String::as_str)? {
            "crate" => base.clear(),
            "self" | "super" => {}
            _ => return Some(Target::Other(path)),
        }
        while let [first, more @ ..] = rest {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => drop(base.pop()),
                _ => break,
            }
            rest = more;
        }
        base.extend(rest.iter().filter(|part| *part != "self").cloned());
        Some(Target::Ours(base))
    }

    fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).map(|(_, token)| token)
    }

    fn word(&self, at: usize) -> Option<String> {
        if let Some(Token::Word(word)) = self.token(at) { Some(word.clone()) } else { None }
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        matches!(self.token(at), Some(Token::Word(found)) if found == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str, module: &[&str]) -> Vec<String> {
        let show = |reference: Reference| match reference.target {
            Target::Ours(path) => format!("{} our {}", reference.line, path.join("::")),
            Target::Other(path) => format!("{} {}", reference.line, path.join("::")),
        };
        references(code, module).into_iter().map(show).collect()
    }

    #[test]
    fn use_trees() {
        let code = "use crate::{wire::{self, error::Error as E},\n base};\npub(crate) use super::store::*;\nuse rhai;\nuse ::nng::Socket;";
        let expected = ["1 our wire", "1 our wire::error::Error", "2 our base", "3 our profiles::store::*", "4 rhai", "5 nng::Socket"];
        assert_eq!(found(code, &["profiles", "create"]), expected);
    }

    #[test]
    fn inline_paths() {
        let code = "fn f(x: &crate::agents::Agent) -> Vec<u8> {\n x.y::<u8>(); super::super::router::go(); hyper::server::conn::http1::Builder::new()\n}";
        let expected = ["1 our agents::Agent", "2 our router::go", "2 hyper::server::conn::http1::Builder::new"];
        assert_eq!(found(code, &["http", "serve"]), expected);
    }

    #[test]
    fn inline_modules_count_for_super() {
        let code = "mod tests {\n use super::*;\n fn f() { if a { super::super::b::c(); } }\n}\nuse super::d;";
        assert_eq!(found(code, &["x", "y"]), ["2 our x::y::*", "3 our x::b::c", "5 our x::d"]);
    }

    #[test]
    fn macros_at_the_root_are_nobodys() {
        assert!(found("crate::call!(x); pub(crate) fn f() {}", &["wire"]).is_empty());
        assert_eq!(found("$crate::base::x!(y)", &["wire"]), ["1 our base::x"]);
    }
}
