//! Tool names and call ids that another vendor would refuse: made fit, and found again.
//!
//! Both are functions of the original alone, so the same history gives the same bytes on every turn
//! (prompt caches hold) and a restarted process finds them again.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{
    request::{Request, ToolKind},
    text::Str,
};

/// OpenAI's limit for names and call ids; Gemini's is the same.
const MOST: usize = 64;
const HASH: usize = 8;

/// Names of one request, for the way back.
#[derive(Debug, Default)]
pub struct Names {
    original: HashMap<String, String>,
    /// Of a Responses client: what a flat name was before.
    namespaced: HashMap<String, (String, String)>,
    /// Tools that take text.
    free: HashSet<String>,
}

impl Names {
    /// With what only the request tells: namespaces, and tools that take text.
    pub fn of(request: &Request<'_>) -> Self {
        let pair =
            |(ns, name): &(Str<'_>, Str<'_>)| (flat(ns, name).plain().into_owned(), (ns.plain().into_owned(), name.plain().into_owned()));
        let free = request.tools.iter().filter(|t| matches!(t.kind, ToolKind::Free)).map(|t| t.name.plain().into_owned());
        Self { original: HashMap::new(), namespaced: request.namespaces.iter().map(pair).collect(), free: free.collect() }
    }

    /// Namespace and short name of a name the client knows.
    pub fn namespace(&self, name: &str) -> Option<(&str, &str)> {
        self.namespaced.get(name).map(|(ns, short)| (ns.as_str(), short.as_str()))
    }

    /// Whether the client's tool of this name takes text.
    pub fn is_free(&self, name: &str) -> bool {
        self.free.contains(name)
    }

    /// The name to send; remembered when it differs.
    pub fn outward<'n>(&mut self, name: &'n str) -> Cow<'n, str> {
        let fit = fit(name);
        if let Cow::Owned(short) = &fit {
            self.original.insert(short.clone(), name.to_owned());
        }
        fit
    }

    /// The name the client knows.
    pub fn inward<'n>(&'n self, name: &'n str) -> &'n str {
        self.original.get(name).map_or(name, String::as_str)
    }
}

/// The name itself when every vendor takes it; else its beginning and a hash of the whole.
pub fn fit(name: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.len() <= MOST && !name.is_empty() && name.chars().all(plain) {
        return Cow::Borrowed(name);
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let head: String = name.chars().map(|c| if plain(c) { c } else { '_' }).take(MOST - HASH - 1).collect();
    Cow::Owned(format!("{head}_{}", hash.get(..HASH).unwrap_or_default()))
}

/// A tool of a namespace under one name: `ns__name`.
pub fn flat(namespace: &Str<'_>, name: &Str<'_>) -> Str<'static> {
    Str::join([namespace, name], if namespace.raw().ends_with("__") { "" } else { "__" })
}

/// An id for a call that came without one: the same call at the same place has the same id.
pub fn call_id(name: &str, arguments: &str, ordinal: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes()).update(&[0]).update(arguments.as_bytes()).update(&[0]).update(&ordinal.to_le_bytes());
    format!("call_{}", hasher.finalize().to_hex().get(..24).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_odd_names_are_shortened_the_same_way_each_time_and_found_again() {
        let long = format!("mcp__{}__tool", "server".repeat(12));
        let mut names = Names::default();
        let short = names.outward(&long).into_owned();
        assert!(short.len() <= 64 && short == fit(&long));
        assert_eq!(names.inward(&short), long);
        let dotted = names.outward("a.b:c").into_owned();
        assert!(dotted.starts_with("a_b_c_"));
        assert_eq!(names.inward(&dotted), "a.b:c");
        assert_eq!((names.outward("Bash"), names.inward("Bash")), ("Bash".into(), "Bash"));
        assert_ne!(fit(&format!("{long}1")), fit(&format!("{long}2")));
    }

    #[test]
    fn an_id_depends_on_the_call_and_its_place() {
        assert_eq!(call_id("a", "{}", 0), call_id("a", "{}", 0));
        assert_ne!(call_id("a", "{}", 0), call_id("a", "{}", 1));
        assert_ne!(call_id("a", "b", 0), call_id("ab", "", 0));
    }
}
