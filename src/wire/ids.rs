//! Names that become file names or keys: parsed once, at the border.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a name was refused, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName {
    pub what: &'static str,
    pub name: String,
    pub why: &'static str,
}

impl std::fmt::Display for BadName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} is not valid: {}", self.what, self.name, self.why)
    }
}

/// Device names that Windows resolves in every directory.
const RESERVED: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4",
    "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

fn check(what: &'static str, name: &str) -> Result<(), BadName> {
    let bad = |why| Err(BadName { what, name: name.chars().take(80).collect(), why });
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() {
        return bad("it is empty");
    }
    if name.len() > 64 {
        return bad("it is longer than 64 characters");
    }
    if !name.starts_with(plain) {
        return bad("it must start with a lower-case letter or a digit");
    }
    if !name.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-')) {
        return bad("use lower-case letters, digits, dot, dash and underscore");
    }
    if name.ends_with('.') || name.contains("..") {
        return bad("it must not end with a dot or hold two dots in a row");
    }
    if RESERVED.contains(&name.split('.').next().unwrap_or(name)) {
        return bad("it is a reserved device name");
    }
    Ok(())
}

macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            pub fn parse(name: &str) -> Result<Self, BadName> {
                check($what, name)?;
                Ok(Self(name.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;
            fn try_from(name: String) -> Result<Self, BadName> {
                check($what, &name)?;
                Ok(Self(name))
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name_type!(
    /// Name of a profile.
    Alias,
    "alias"
);
name_type!(
    /// Id of an agent manifest.
    AgentId,
    "agent id"
);
name_type!(
    /// Id of a provider manifest.
    ProviderId,
    "provider id"
);
name_type!(
    /// Name of a script without its extension.
    ScriptName,
    "script name"
);
name_type!(
    /// Name of a template without its agent and extension.
    TemplateName,
    "template name"
);
name_type!(
    /// File name of a plugin.
    PluginName,
    "plugin name"
);
name_type!(
    /// Name of an MCP server, which becomes a part of its tools' names.
    McpName,
    "MCP server name"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_directory_or_clash_are_refused() {
        for bad in
            ["", ".", "..", "../x", "a/b", "/abs", "a\\b", "C:x", "con", "nul.txt", "A", "a..b", "a.", "-x", "é", "a\0b", &"x".repeat(65)]
        {
            assert!(Alias::parse(bad).is_err(), "{bad:?} was accepted");
            assert!(serde_json::from_value::<Alias>(serde_json::json!(bad)).is_err());
        }
        for good in ["a", "work", "gpt-5.1", "0x", "my_profile"] {
            assert!(Alias::parse(good).is_ok(), "{good:?} was refused");
        }
    }
}
