//! The configurations under `xtask/oracle/configurations`: files for a proxy, and words for requests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::cases::{self, Case};
use super::generate::Vocabulary;
use super::shares::Shares;

/// One configuration, as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    pub(super) name: String,
    static_file: String,
    dynamic_file: String,
    pub(super) requests: Requests,
    pub(super) cases: Vec<Case>,
}

/// `requests.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Requests {
    pub(super) vocabulary: Vocabulary,
    /// Servers of which nobody can say which one a request reaches.
    #[serde(default)]
    pub(super) either: Vec<Shares>,
    /// How long after the answers servers may still be asked.
    #[serde(default)]
    pub(super) settle_ms: u64,
    /// How long proxies that serve take to learn which servers are well.
    #[serde(default)]
    pub(super) warm_ms: u64,
    /// What clients speak.
    #[serde(default)]
    pub(super) clients: Version,
    /// What servers are asked to do in terms of.
    #[serde(default)]
    pub(super) answers: Version,
    /// How many conversations run at once; most of the time they wait.
    #[serde(default = "many")]
    pub(super) workers: usize,
}

/// Of HTTP.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Version {
    #[default]
    Http1,
    Http2,
}

fn many() -> usize {
    16
}

/// The router that tells a proxy is ready, beside every configuration's own.
const READY: &str = "
http:
  routers:
    oracle-ready:
      rule: Host(`ready.oracle`)
      ruleSyntax: v3
      priority: 1000000
      service: oracle-ready
  services:
    oracle-ready:
      loadBalancer:
        servers: [{url: \"http://{ready}\"}]
";

/// All configurations, or the named ones, in order of name.
pub(super) fn read(directory: &Path, names: &[String]) -> anyhow::Result<Vec<Configuration>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        all.insert(name, path);
    }
    if names.is_empty() {
        return all
            .into_iter()
            .map(|(name, path)| read_one(name, &path))
            .collect();
    }
    names
        .iter()
        .map(|name| match all.get(name) {
            Some(path) => read_one(name.clone(), path),
            None => {
                let known: Vec<&str> = all.keys().map(String::as_str).collect();
                bail!(
                    "there is no configuration `{name}`; there are {}",
                    known.join(", ")
                )
            }
        })
        .collect()
}

fn read_one(name: String, path: &Path) -> anyhow::Result<Configuration> {
    let file = |file: &str| {
        let path = path.join(file);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    Ok(Configuration {
        static_file: file("static.yml")?,
        dynamic_file: file("dynamic.yml")?,
        cases: cases::read(&path.join("cases.toml"))?,
        requests: toml::from_str(&file("requests.toml")?)
            .with_context(|| path.join("requests.toml").display().to_string())?,
        name,
    })
}

impl Configuration {
    /// Writes the files for one proxy and returns the static one's path.
    pub(super) fn write(
        &self,
        directory: &Path,
        addresses: &BTreeMap<&str, String>,
    ) -> anyhow::Result<PathBuf> {
        let dynamic = directory.join("dynamic");
        std::fs::create_dir_all(&dynamic).with_context(|| dynamic.display().to_string())?;
        let fill = |text: &str| {
            let text = text.replace("{dynamic}", &dynamic.display().to_string());
            addresses.iter().fold(text, |text, (name, address)| {
                text.replace(&format!("{{{name}}}"), address)
            })
        };
        let static_file = directory.join("static.yml");
        for (path, text) in [
            (&static_file, self.static_file.as_str()),
            (&dynamic.join("dynamic.yml"), &self.dynamic_file),
            (&dynamic.join("ready.yml"), READY),
        ] {
            std::fs::write(path, fill(text)).with_context(|| path.display().to_string())?;
        }
        Ok(static_file)
    }
}
