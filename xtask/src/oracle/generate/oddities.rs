//! The tables of `xtask/oracle/oddities.toml`.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use crate::oracle::latin1::Latin1;

/// Parts of which odd requests are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::oracle) struct Oddities {
    pub(super) in_paths: Vec<Latin1>,
    pub(super) before_paths: Vec<Latin1>,
    pub(super) after_paths: Vec<Latin1>,
    pub(super) authorities: Vec<Latin1>,
    pub(super) targets: Vec<Latin1>,
    pub(super) in_queries: Vec<Latin1>,
    pub(super) hosts: Vec<Latin1>,
    pub(super) forwarded: Vec<Latin1>,
    pub(super) fields: Vec<Latin1>,
    pub(super) lines: Vec<Latin1>,
    pub(super) methods: Vec<Latin1>,
    pub(super) versions: Vec<Latin1>,
    /// Fields, and the bytes after the head.
    pub(super) framings: Vec<(Latin1, Latin1)>,
}

impl Oddities {
    pub(in crate::oracle) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }
}
