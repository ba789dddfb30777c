//! The one error type of rooms and flows: a kind, a sentence, hints, and the cause chain.

use std::error::Error as StdError;

use crate::wire::{
    error::{Code, Failure},
    ids::BadName,
};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Built like `Error::not_found("profile \"work\" not found").hint("list profiles: clown profiles list")`.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: String,
    hints: Vec<String>,
    review: Option<String>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

macro_rules! kinds {
    ($($name:ident => $code:ident),* $(,)?) => {
        $(pub fn $name(message: impl Into<String>) -> Self { Self::new(Code::$code, message) })*
    };
}

impl Error {
    kinds! {
        usage => Usage, invalid => InvalidInput, not_found => NotFound, exists => AlreadyExists,
        conflict => Conflict, unsupported => Unsupported, refused => Refused,
        secrets => SecretsUnavailable, corrupt => Corrupt, script => Script, io => Io,
        unreachable => Unreachable, protocol => Protocol, defect => Defect,
    }

    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hints: Vec::new(), review: None, cause: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// A hint for those that have none yet.
    #[must_use]
    pub fn or_hint(self, hint: &str) -> Self {
        if self.hints.is_empty() { self.hint(hint) } else { self }
    }

    /// A hint at the closest of the known names, if one is close enough.
    #[must_use]
    pub fn did_you_mean<'a>(self, wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(wanted, known) {
            Some(near) => self.hint(format!("did you mean {near}")),
            None => self,
        }
    }

    #[must_use]
    pub fn cause(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// Names what the user may agree to, and then try again.
    #[must_use]
    pub fn review(mut self, name: &str) -> Self {
        self.review = Some(name.to_owned());
        self
    }

    pub fn to_review(&self) -> Option<&str> {
        self.review.as_deref()
    }

    pub fn code(&self) -> Code {
        self.code
    }

    /// For `map_err`: `fs::read(p).map_err(Error::reading(&p))`
    pub fn reading(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let message = format!("cannot read {}", path.display());
        move |e| Self::io(message).cause(e)
    }

    pub fn writing(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let message = format!("cannot write {}", path.display());
        move |e| {
            use std::io::ErrorKind::{FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
            let hint = match e.kind() {
                StorageFull | QuotaExceeded | FileTooLarge => "free some space and try again; what was there is unchanged",
                PermissionDenied | ReadOnlyFilesystem => "make that place writable for you and try again",
                _ => "see what is at that place, move it away if it is in the way, and try again",
            };
            Self::io(message).cause(e).hint(hint)
        }
    }
}

impl std::fmt::Display for Error {
    /// The sentence and every cause, joined by colons.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        let mut next: Option<&dyn StdError> = self.cause.as_deref().map(|c| c as &dyn StdError);
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            // Our own errors print their whole chain themselves.
            next = if cause.is::<Self>() { None } else { cause.source() };
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|c| c as &(dyn StdError + 'static))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        Failure { code: error.code, message, hints: error.hints, review: error.review }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code, message: failure.message, hints: failure.hints, review: failure.review, cause: None }
    }
}

impl From<BadName> for Error {
    fn from(bad: BadName) -> Self {
        Self::invalid(bad.to_string()).hint("names look like work, my-profile or gpt-5.1")
    }
}

/// "did you mean" for a name that was not found: the closest of `known`, if close enough.
pub fn closest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(name, wanted), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_carries_the_cause_chain_once() {
        let inner = Error::io("cannot read /x").cause(std::io::Error::other("disk on fire"));
        let outer = Error::corrupt("profile \"a\" cannot be used").cause(inner);
        assert_eq!(outer.to_string(), "profile \"a\" cannot be used: cannot read /x: disk on fire");
    }

    #[test]
    fn a_close_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(closest("antropic", ["anthropic", "openai"]), Some("anthropic"));
        assert_eq!(closest("zzz", ["anthropic", "openai"]), None);
    }
}
