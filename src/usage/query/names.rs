//! Texts as small numbers.

use std::collections::HashMap;

/// A text in [`Names`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(u32);

impl Name {
    /// No text at all, or an empty one.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug)]
pub(super) struct Names {
    texts: Vec<Box<str>>,
    known: HashMap<Box<str>, Name>,
}

impl Default for Names {
    fn default() -> Self {
        Self { texts: vec![Box::default()], known: HashMap::from([(Box::default(), Name::NONE)]) }
    }
}

impl Names {
    pub(super) fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.known.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(0));
        if name != Name::NONE {
            self.texts.push(text.into());
            self.known.insert(text.into(), name);
        }
        name
    }

    pub(super) fn text(&self, name: Name) -> &str {
        self.texts.get(name.index()).map_or("", |text| text)
    }

    /// For each name, whether it is wanted.
    pub(super) fn mask(&self, wanted: impl Fn(&str) -> bool) -> Vec<bool> {
        self.texts.iter().map(|text| wanted(text)).collect()
    }
}
