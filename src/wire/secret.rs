//! Key material in a message. It may cross the socket, and nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A key on its way between client and daemon. `Debug` shows no byte of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct KeyText(String);

impl KeyText {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The key itself. Callers hand it to the secret store or to the agent's environment only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn into_inner(self) -> String {
        self.0
    }
}

impl std::fmt::Debug for KeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[key]")
    }
}
