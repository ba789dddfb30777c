//! Calls about MCP servers: told to clown once, for one profile or for all, and handed to each agent that takes such.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, ids::McpName, profiles::Credential, secret::KeyText};

/// Version of `mcp.json` written by this build.
pub const STORED_VERSION: u32 = 1;

/// `mcp.json`: servers for all profiles. Fields of a newer build survive a rewrite in `rest`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored {
    pub version: u32,
    #[serde(default)]
    pub servers: BTreeMap<McpName, Server>,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpServer")]
pub struct Server {
    #[serde(flatten)]
    pub place: Place,
    /// Its tools run without a question, where the agent has a way to say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow: bool,
}

/// How an agent reaches a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "transport", rename_all = "kebab-case")]
#[schemars(rename = "McpPlace")]
pub enum Place {
    /// A program that the agent starts.
    Stdio {
        command: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        args: Vec<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        env: BTreeMap<String, Value>,
    },
    Http {
        url: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, Value>,
    },
    Sse {
        url: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, Value>,
    },
}

impl Place {
    pub fn transport(&self) -> Transport {
        match self {
            Self::Stdio { .. } => Transport::Stdio,
            Self::Http { .. } => Transport::Http,
            Self::Sse { .. } => Transport::Sse,
        }
    }

    /// Variables of a program, headers of an address.
    pub fn values(&self) -> &BTreeMap<String, Value> {
        match self {
            Self::Stdio { env, .. } => env,
            Self::Http { headers, .. } | Self::Sse { headers, .. } => headers,
        }
    }

    pub fn values_mut(&mut self) -> &mut BTreeMap<String, Value> {
        match self {
            Self::Stdio { env, .. } => env,
            Self::Http { headers, .. } | Self::Sse { headers, .. } => headers,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "McpTransport")]
pub enum Transport {
    Stdio,
    Http,
    Sse,
}

impl std::fmt::Display for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::Sse => "sse",
        })
    }
}

/// A variable's or header's value: readable, or where the secret is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "McpValue")]
pub enum Value {
    Plain(String),
    Secret(Credential),
}

/// Adds a server. One of the profile's own hides one for all of the same name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpAdd")]
pub struct Add {
    pub name: McpName,
    /// Absent: for all profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Its secrets are references to a variable or a command; those that clown shall keep come in `secrets`.
    pub server: Server,
    /// Values for the key store, by variable or header.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, KeyText>,
    /// A value that looks like a key is none, and may be kept readable.
    #[serde(default)]
    pub plain: bool,
    /// Take the place of a server of this name.
    #[serde(default)]
    pub replace: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpAdded")]
pub struct Added {
    pub row: Row,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Call for Add {
    const NAME: &'static str = "mcp.add";
    const EFFECT: Effect = Effect::Once;
    type Reply = Added;
}

/// Servers for all profiles and of each profile, or those in force for one.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpList")]
pub struct List {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpRow")]
pub struct Row {
    pub name: McpName,
    /// Whose it is; absent: all profiles'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    pub server: Server,
    /// Agents that cannot take it, of the profiles it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_for: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpServers")]
pub struct Servers {
    pub servers: Vec<Row>,
}

impl Call for List {
    const NAME: &'static str = "mcp.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Servers;
}

/// Removes a server, and its secrets from the key store.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpRemove")]
pub struct Remove {
    pub name: McpName,
    /// Absent: the one for all profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpRemoved")]
pub struct Removed {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Call for Remove {
    const NAME: &'static str = "mcp.remove";
    const EFFECT: Effect = Effect::Once;
    type Reply = Removed;
}
