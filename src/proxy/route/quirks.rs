//! What an upstream takes and what it refuses, from the `quirks` of its provider's manifest.

use crate::proxy::translate::{write_anthropic, write_chat, write_responses};

/// Words of a manifest; unknown words mean something to others (set-up scripts) or to a newer clown.
///
/// | word | meaning |
/// |---|---|
/// | `native-claude-models` | Anthropic itself: system turns, effort, cache marks |
/// | `native-openai-models` | OpenAI itself: `max_completion_tokens`, cache key, effort |
/// | `system-turns`, `effort`, `cache-key`, `completion-tokens`, `echo-reasoning` | takes this |
/// | `no-cache-control`, `no-effort`, `no-cache-key`, `no-custom-tools`, `no-web-search` | refuses this |
/// | `strip-billing-header` | the first system text of Claude Code spoils its prompt cache |
/// | `drop:FIELD` | refuses this field at the top of a request of its own format |
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    words: Vec<String>,
}

impl Quirks {
    pub fn new(words: &[String]) -> Self {
        Self { words: words.to_vec() }
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }

    pub fn native_claude(&self) -> bool {
        self.has("native-claude-models")
    }

    pub fn anthropic(&self) -> write_anthropic::Dialect {
        let native = self.has("native-claude-models");
        write_anthropic::Dialect {
            system_turns: native || self.has("system-turns"),
            cache: !self.has("no-cache-control"),
            effort: !self.has("no-effort"),
        }
    }

    pub fn chat(&self) -> write_chat::Dialect {
        let native = self.has("native-openai-models");
        write_chat::Dialect {
            completion_tokens: native || self.has("completion-tokens"),
            cache_key: (native || self.has("cache-key")) && !self.has("no-cache-key"),
            effort: (native || self.has("effort")) && !self.has("no-effort"),
            echo_reasoning: self.has("echo-reasoning"),
        }
    }

    pub fn responses(&self) -> write_responses::Dialect {
        write_responses::Dialect {
            cache_key: !self.has("no-cache-key"),
            effort: !self.has("no-effort"),
            custom_tools: !self.has("no-custom-tools"),
            web_search: !self.has("no-web-search"),
        }
    }

    /// Whether requests of the upstream's own format must be changed on their way.
    pub fn edits(&self) -> bool {
        self.strips_billing() || self.dropped().next().is_some()
    }

    pub fn strips_billing(&self) -> bool {
        self.has("strip-billing-header")
    }

    pub fn dropped(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|w| w.strip_prefix("drop:"))
    }
}
