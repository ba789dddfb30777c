//! Calls that ask a provider about a key.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Call, Effect, runs::KeySource, secret::KeyText};

/// Asks a provider for the models of a key. With neither profile nor key it only looks whether the provider answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProvidersProbe")]
pub struct Probe {
    pub id: String,
    /// Its key and endpoint are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Region, or a URL of the user's own; the profile's, else the provider's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Another key than the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyText>,
}

/// What came of asking a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ProbeOutcome")]
pub enum Outcome {
    Ok,
    /// It answers; no key was given, so it says nothing more.
    Reached,
    /// 401 or 403.
    KeyRefused,
    /// 402: the key is right, and nothing is left.
    NothingLeft,
    /// 404, a redirect, or an answer that is something else.
    WrongUrl,
    /// 429.
    AskedTooOften,
    /// 5xx.
    ProviderTrouble,
    NoSuchName,
    NoRoute,
    NoConnection,
    Tls,
    TooSlow,
    /// The manifest names no place to ask.
    Unknown,
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Probed {
    pub provider: String,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub outcome: Outcome,
    /// One line without a full stop.
    pub message: String,
    /// The next step when it is not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Until the answer began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
}

impl Call for Probe {
    const NAME: &'static str = "providers.probe";
    const EFFECT: Effect = Effect::Read;
    type Reply = Probed;
}

/// What providers say is left of what was paid for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProvidersQuota")]
pub struct Quota {
    /// Only this profile; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Keys that only the caller can fetch, by profile.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, KeyText>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Quotas {
    pub profiles: Vec<QuotaRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct QuotaRow {
    pub alias: String,
    pub provider: String,
    pub outcome: Outcome,
    /// Why there are no figures, or not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Left>,
    /// Where the caller gets the key, which the daemon does not keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<KeySource>,
}

/// One thing that can run out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "QuotaFigure")]
pub struct Left {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// `USD`, `%`, `tokens`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets: Option<String>,
}

impl Call for Quota {
    const NAME: &'static str = "providers.quota";
    const EFFECT: Effect = Effect::Read;
    type Reply = Quotas;
}
