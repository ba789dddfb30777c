//! Texts as small numbers.

use std::{collections::HashMap, sync::Arc};

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

#[derive(Clone, Debug)]
pub(super) struct Names {
    texts: Vec<Arc<str>>,
    known: HashMap<Arc<str>, Name>,
}

impl Default for Names {
    fn default() -> Self {
        let none = Arc::<str>::default();
        Self { texts: vec![Arc::clone(&none)], known: HashMap::from([(none, Name::NONE)]) }
    }
}

impl Names {
    pub(super) fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.known.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(0));
        if name != Name::NONE {
            let text = Arc::<str>::from(text);
            self.texts.push(Arc::clone(&text));
            self.known.insert(text, name);
        }
        name
    }

    pub(super) fn text(&self, name: Name) -> &str {
        self.texts.get(name.index()).map_or("", |text| text)
    }

    /// Those of a mask.
    pub(super) fn those<'a>(&'a self, mask: &'a [bool]) -> impl Iterator<Item = &'a str> {
        self.texts.iter().zip(mask).filter(|(_, is)| **is).map(|(text, _)| &**text)
    }

    /// For each name, whether it is wanted.
    pub(super) fn mask(&self, wanted: impl Fn(&str) -> bool) -> Vec<bool> {
        self.texts.iter().map(|text| wanted(text)).collect()
    }
}
