//! Middlewares that change where a request goes: paths, redirects and content types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ObjectRef, is_zero};

/// Puts text in front of the path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct AddPrefix {
    /// The text; starts with a slash.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("x-kubernetes-validations" = [{"message": "must start with a '/'", "rule": "self.startsWith('/')"}]))]
    pub prefix: String,
}

/// Takes the first matching prefix off the path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct StripPrefix {
    /// In order of trial.
    #[serde(skip_serializing_if = "is_zero")]
    pub prefixes: Vec<String>,
    /// Always leave a slash in front; deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_slash: Option<bool>,
}

/// Takes the first matching prefix off the path, by pattern.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct StripPrefixRegex {
    /// In order of trial.
    #[serde(skip_serializing_if = "is_zero")]
    pub regex: Vec<String>,
}

/// Sets the path, and keeps the old one in `X-Replaced-Path`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ReplacePath {
    /// The new path.
    #[serde(skip_serializing_if = "is_zero")]
    pub path: String,
}

/// Rewrites the path by pattern.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ReplacePathRegex {
    /// What to find.
    #[serde(skip_serializing_if = "is_zero")]
    pub regex: String,
    /// What to put, with `$1` or `${name}` for groups.
    #[serde(skip_serializing_if = "is_zero")]
    pub replacement: String,
}

/// Redirects by pattern.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RedirectRegex {
    /// What to find in the URL.
    #[serde(skip_serializing_if = "is_zero")]
    pub regex: String,
    /// The new URL.
    #[serde(skip_serializing_if = "is_zero")]
    pub replacement: String,
    /// Say that it is for ever.
    #[serde(skip_serializing_if = "is_zero")]
    pub permanent: bool,
}

/// Redirects to another scheme or port.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RedirectScheme {
    /// The new scheme.
    #[serde(skip_serializing_if = "is_zero")]
    pub scheme: String,
    /// The new port.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: String,
    /// Say that it is for ever.
    #[serde(skip_serializing_if = "is_zero")]
    pub permanent: bool,
}

/// Several middlewares by one name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Chain {
    /// In order of execution.
    #[serde(skip_serializing_if = "is_zero")]
    pub middlewares: Vec<ObjectRef>,
}

/// Guesses missing content types.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ContentType {
    /// Deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_detect: Option<bool>,
}

/// Turns gRPC-Web into gRPC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct GrpcWeb {
    /// Origins that may call; `*` means all.
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_origins: Vec<String>,
}

/// Which encoded characters may a path hold?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct EncodedCharacters {
    /// `%2F`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_slash: bool,
    /// `%5C`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_back_slash: bool,
    /// `%00`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_null_character: bool,
    /// `%3B`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_semicolon: bool,
    /// `%25`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_percent: bool,
    /// `%3F`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_question_mark: bool,
    /// `%23`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_hash: bool,
}
