//! Which entry of the table a model's name means: itself, or one of a closed list of other spellings of it. Never a name that only
//! looks like it.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a name was taken for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The table's name, or the user's.
    pub key: String,
    pub kind: MatchKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchKind {
    /// The user set this model's price.
    Override,
    /// `provider/model`.
    Provider,
    /// The name as it is.
    Exact,
    /// After these changes, in this order.
    Rewritten(Vec<Rewrite>),
}

/// All the changes there are, in the order they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// `openrouter/anthropic/claude-x`, `anthropic/claude-x`, `models/gemini-x`: without the seller's name.
    Prefix,
    /// `arn:aws:bedrock:...:inference-profile/us.anthropic.claude-x`: the last part.
    Arn,
    /// `us.anthropic.claude-x`: without the region.
    Region,
    /// `claude-x[1m]`: without the size of its context.
    Context,
    /// `claude-x@20250929`: `claude-x-20250929`.
    AtDate,
    /// `claude-x-4.5`: `claude-x-4-5`. Of Claude's names only.
    Dots,
    /// `claude-x-thinking`: without the mode.
    Thinking,
    /// `-20250929`, `-2025-09-29`, and `-001` of Gemini's names: without.
    Date,
}

use Rewrite::{Arn, AtDate, Context, Date, Dots, Prefix, Region, Thinking};

impl Rewrite {
    const ALL: [Self; 8] = [Prefix, Arn, Region, Context, AtDate, Dots, Thinking, Date];

    fn word(self) -> &'static str {
        match self {
            Prefix => "prefix",
            Arn => "arn",
            Region => "region",
            Context => "context",
            AtDate => "at-date",
            Dots => "dots",
            Thinking => "thinking",
            Date => "date",
        }
    }
}

impl fmt::Display for MatchKind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Override => to.write_str("override"),
            Self::Provider => to.write_str("provider"),
            Self::Exact => to.write_str("exact"),
            Self::Rewritten(rewrites) => to.write_str(&rewrites.iter().map(|rewrite| rewrite.word()).collect::<Vec<_>>().join("+")),
        }
    }
}

impl Serialize for MatchKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A name to look for, and how it came about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) key: String,
    pub(super) kind: MatchKind,
}

/// All the names to look for, the nearest first. The first that is there decides, priced or not.
pub(super) fn candidates<'a>(provider: Option<&'a str>, model: &'a str) -> impl Iterator<Item = Candidate> + 'a {
    let seller = provider.map(of_table);
    let with_seller = seller.map(|seller| Candidate { key: format!("{seller}/{model}"), kind: MatchKind::Provider });
    let exact = Candidate { key: model.to_owned(), kind: MatchKind::Exact };
    with_seller.into_iter().chain([exact]).chain(rewritten(seller, model))
}

/// The fewest changes first; of as many, the ones that come first in the list.
fn rewritten<'a>(seller: Option<&'a str>, model: &'a str) -> impl Iterator<Item = Candidate> + 'a {
    let mut sets: Vec<u8> = (1..=u8::MAX).collect();
    sets.sort_by_key(|set| set.count_ones());
    sets.into_iter().flat_map(move |set| {
        let steps = Rewrite::ALL.into_iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1).map(|(_, rewrite)| rewrite);
        let mut name = model.to_owned();
        // A name that says who sells it is looked for there, where the log does not.
        let mut seller = seller;
        for step in steps.clone() {
            if step == Prefix && seller.is_none() {
                seller = prefix(model).map(of_table);
            }
            match apply(step, &name) {
                Some(next) => name = next,
                None => return Vec::new(),
            }
        }
        let kind = MatchKind::Rewritten(steps.collect());
        let with_seller = seller.map(|seller| Candidate { key: format!("{seller}/{name}"), kind: kind.clone() });
        with_seller.into_iter().chain([Candidate { key: name, kind }]).collect()
    })
}

/// `None` where it changes nothing.
fn apply(step: Rewrite, name: &str) -> Option<String> {
    match step {
        Prefix => prefixless(name),
        Arn => name.strip_prefix("arn:")?.rsplit_once('/').map(|(_, last)| last.to_owned()),
        Region => {
            let (region, rest) = name.split_once('.')?;
            (REGIONS.contains(&region) && rest.contains('.')).then(|| rest.to_owned())
        }
        Context => name.strip_suffix("[1m]").map(str::to_owned),
        AtDate => {
            let (rest, date) = name.split_once('@')?;
            digits(date, 8).then(|| format!("{rest}-{date}"))
        }
        Dots => undotted(name),
        Thinking => name.strip_suffix("-thinking").map(str::to_owned),
        Date => dateless(name),
    }
    .filter(|changed| !changed.is_empty())
}

/// All known prefixes, one after another.
fn prefixless(name: &str) -> Option<String> {
    let mut rest = name;
    while let Some(prefix) = prefix(rest) {
        rest = rest.get(prefix.len() + 1..)?;
    }
    (rest.len() < name.len()).then(|| rest.to_owned())
}

fn prefix(name: &str) -> Option<&str> {
    name.split_once('/').map(|(prefix, _)| prefix).filter(|prefix| PREFIXES.contains(prefix))
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A dot between digits, as the version has it.
fn undotted(name: &str) -> Option<String> {
    let claude = name.find("claude-")?;
    let (head, tail) = name.split_at_checked(claude)?;
    let bytes = tail.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let between = |at: usize| is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1));
    let changed: String = tail.char_indices().map(|(at, char)| if char == '.' && between(at) { '-' } else { char }).collect();
    (changed != tail).then(|| format!("{head}{changed}"))
}

fn dateless(name: &str) -> Option<String> {
    let (rest, last) = name.rsplit_once('-')?;
    if digits(last, 8) || (digits(last, 3) && rest.contains("gemini-")) {
        return Some(rest.to_owned());
    }
    let (rest, month) = rest.rsplit_once('-')?;
    let (rest, year) = rest.rsplit_once('-')?;
    (digits(last, 2) && digits(month, 2) && digits(year, 4)).then(|| rest.to_owned())
}

/// What agents call a seller, as the table calls it.
fn of_table(provider: &str) -> &str {
    match provider {
        "alibaba" | "alibaba-cn" | "qwen" => "dashscope",
        "amazon-bedrock" => "bedrock",
        "azure-cognitive-services" => "azure",
        "fireworks" | "fireworks-ai" => "fireworks_ai",
        "github-copilot" => "github_copilot",
        "google" | "models" => "gemini",
        "google-vertex" | "google-vertex-anthropic" | "vertex" => "vertex_ai",
        "mimo" => "xiaomi_mimo",
        "minimaxai" => "minimax",
        "mistralai" => "mistral",
        "moonshotai" | "moonshotai-cn" => "moonshot",
        "opencode-go" => "opencode_go",
        "together" | "togetherai" => "together_ai",
        "vercel" => "vercel_ai_gateway",
        "x-ai" => "xai",
        "z-ai" | "zhipuai" => "zai",
        "zhipu" => "bigmodel",
        other => other,
    }
}

const REGIONS: &[&str] = &["us", "eu", "apac", "global", "au", "jp", "ca", "us-gov"];

/// Those who sell other people's models, and those who make them. Not in it: programs that run models at home, for nothing.
const PREFIXES: &[&str] = &[
    "alibaba",
    "amazon-bedrock",
    "anthropic",
    "azure",
    "azure_ai",
    "bedrock",
    "cerebras",
    "cohere",
    "dashscope",
    "databricks",
    "deepinfra",
    "deepseek",
    "deepseek-ai",
    "fireworks-ai",
    "fireworks_ai",
    "gemini",
    "github-copilot",
    "github_copilot",
    "google",
    "google-vertex",
    "groq",
    "litellm_proxy",
    "meta-llama",
    "minimax",
    "minimaxai",
    "mistral",
    "mistralai",
    "models",
    "moonshot",
    "moonshotai",
    "nebius",
    "novita",
    "openai",
    "opencode",
    "openrouter",
    "perplexity",
    "qwen",
    "together_ai",
    "togetherai",
    "vercel",
    "vercel_ai_gateway",
    "vertex_ai",
    "x-ai",
    "xai",
    "z-ai",
    "zai",
    "zhipuai",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(provider: Option<&str>, model: &str) -> Vec<String> {
        candidates(provider, model).map(|candidate| candidate.key).collect()
    }

    #[test]
    fn a_name_without_another_spelling_is_looked_for_as_it_is() {
        assert_eq!(keys(None, "gpt-5.5-turbo-foo"), ["gpt-5.5-turbo-foo"]);
        assert_eq!(keys(Some("openai"), "gpt-5.5"), ["openai/gpt-5.5", "gpt-5.5"]);
    }

    #[test]
    fn each_rewrite_does_its_one_thing() {
        let cases = [
            (Prefix, "openrouter/anthropic/claude-x", "claude-x"),
            (Prefix, "models/gemini-x", "gemini-x"),
            (Arn, "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-x", "us.anthropic.claude-x"),
            (Region, "us.anthropic.claude-x", "anthropic.claude-x"),
            (Context, "claude-x[1m]", "claude-x"),
            (AtDate, "claude-x@20250929", "claude-x-20250929"),
            (Dots, "claude-x-4.5", "claude-x-4-5"),
            (Thinking, "claude-x-thinking", "claude-x"),
            (Date, "gpt-x-2025-09-29", "gpt-x"),
            (Date, "claude-x-20250929", "claude-x"),
            (Date, "gemini-x-001", "gemini-x"),
        ];
        for (step, from, to) in cases {
            assert_eq!(apply(step, from).as_deref(), Some(to), "{step:?}");
        }
    }

    #[test]
    fn a_rewrite_leaves_alone_what_only_looks_alike() {
        let cases = [
            (Prefix, "unknown/claude-x"),
            (Prefix, "ollama/deepseek-chat"),
            (Arn, "arnold/x"),
            (Region, "xx.anthropic.claude-x"),
            (Region, "us.x"),
            (Context, "claude-x[2m]"),
            (AtDate, "claude-x@default"),
            (Dots, "gpt-5.5"),
            (Dots, "claude-x.y"),
            (Thinking, "thinking-x"),
            (Date, "gpt-4-1106"),
            (Date, "gpt-x-001"),
            (Date, "-20250929"),
        ];
        for (step, name) in cases {
            assert_eq!(apply(step, name), None, "{step:?} {name}");
        }
    }

    #[test]
    fn fewer_changes_come_first() {
        let names: Vec<(String, String)> =
            candidates(None, "claude-x-4.5-20250929[1m]").map(|found| (found.key, found.kind.to_string())).collect();
        let names: Vec<(&str, &str)> = names.iter().map(|(key, kind)| (key.as_str(), kind.as_str())).collect();
        let expected = [
            ("claude-x-4.5-20250929[1m]", "exact"),
            ("claude-x-4.5-20250929", "context"),
            ("claude-x-4-5-20250929[1m]", "dots"),
            ("claude-x-4-5-20250929", "context+dots"),
            ("claude-x-4.5", "context+date"),
            ("claude-x-4-5", "context+dots+date"),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_seller_in_the_name_is_asked_first() {
        assert_eq!(keys(None, "google/gemini-x"), ["google/gemini-x", "gemini/gemini-x", "gemini-x"]);
        assert_eq!(keys(Some("openrouter"), "openai/gpt-x"), ["openrouter/openai/gpt-x", "openai/gpt-x", "openrouter/gpt-x", "gpt-x"]);
    }
}
