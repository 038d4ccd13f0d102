//! The differences that are meant, as one reviewed list: `xtask/oracle/accepted.toml`.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, bail};
use regex_automata::meta::Regex;
use serde::Deserialize;

use super::facts::Difference;

/// The list, counting how often each entry applied.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    written: Written,
    request: Option<Regex>,
    status: Option<Regex>,
    traefik: Option<Regex>,
    ours: Option<Regex>,
    applied: AtomicUsize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    accepted: Vec<Written>,
}

/// One entry as it is written. What is absent does not matter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The section of `docs/compatibility.md` that speaks of it.
    anchor: String,
    reason: String,
    /// Kinds of differences, such as `server header accept-encoding`; a final `*` stands for the rest.
    what: Vec<String>,
    #[serde(default)]
    configurations: Vec<String>,
    /// What the escaped request contains.
    request: Option<String>,
    /// What Traefik's status of that exchange contains.
    status: Option<String>,
    /// What Traefik's value contains; an absent one reads `-`.
    traefik: Option<String>,
    ours: Option<String>,
}

impl Accepted {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let list: List = toml::from_str(text)?;
        let entries = list
            .accepted
            .into_iter()
            .map(Entry::new)
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The anchor under which the difference is accepted.
    pub(super) fn anchor(
        &self,
        configuration: &str,
        request: &str,
        difference: &Difference,
    ) -> Option<&str> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.applies(configuration, request, difference))?;
        entry.applied.fetch_add(1, Ordering::Relaxed);
        Some(&entry.written.anchor)
    }

    /// Entries that never applied, in words.
    pub(super) fn idle(&self) -> Vec<String> {
        let idle = self
            .entries
            .iter()
            .filter(|entry| entry.applied.load(Ordering::Relaxed) == 0);
        idle.map(|entry| {
            format!(
                "#{}: {} ({})",
                entry.written.anchor,
                entry.written.reason,
                entry.written.what.join(", ")
            )
        })
        .collect()
    }

    /// Anchors that the text of `docs/compatibility.md` lacks.
    pub(super) fn without_section(&self, compatibility: &str) -> Vec<&str> {
        let anchors: Vec<String> = compatibility
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .map(slug)
            .collect();
        let explicit = |anchor: &str| compatibility.contains(&format!("id=\"{anchor}\""));
        let mut missing: Vec<&str> = self
            .entries
            .iter()
            .map(|entry| entry.written.anchor.as_str())
            .collect();
        missing.retain(|anchor| !explicit(anchor) && !anchors.iter().any(|known| known == anchor));
        missing.dedup();
        missing
    }
}

impl Entry {
    fn new(written: Written) -> anyhow::Result<Self> {
        if written.what.is_empty() || written.reason.is_empty() {
            bail!("#{}: an entry says what differs and why", written.anchor);
        }
        let regex = |pattern: &Option<String>| {
            pattern
                .as_deref()
                .map(|pattern| Regex::new(pattern).with_context(|| pattern.to_owned()))
                .transpose()
        };
        Ok(Self {
            request: regex(&written.request)?,
            status: regex(&written.status)?,
            traefik: regex(&written.traefik)?,
            ours: regex(&written.ours)?,
            applied: AtomicUsize::new(0),
            written,
        })
    }

    fn applies(&self, configuration: &str, request: &str, difference: &Difference) -> bool {
        let kind = difference.kind();
        let [traefik, ours] = difference
            .values
            .each_ref()
            .map(|value| value.as_deref().unwrap_or("-"));
        let holds = |regex: &Option<Regex>, text: &str| {
            regex.as_ref().is_none_or(|regex| regex.is_match(text))
        };
        let configurations = &self.written.configurations;
        (configurations.is_empty() || configurations.iter().any(|name| name == configuration))
            && self.written.what.iter().any(|what| names(what, &kind))
            && holds(&self.request, request)
            && holds(&self.status, difference.status.as_deref().unwrap_or("-"))
            && holds(&self.traefik, traefik)
            && holds(&self.ours, ours)
    }
}

fn names(what: &str, kind: &str) -> bool {
    what.strip_suffix('*')
        .map_or(what == kind, |start| kind.starts_with(start))
}

/// The anchor of a Markdown heading.
fn slug(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'));
    kept.map(|character| if character == ' ' { '-' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::facts::{Part, Place};
    use super::*;

    /// Whether an entry of these lines accepts that Traefik sent `value` and we sent nothing.
    fn check(lines: &str, value: &str, accepted: bool) {
        let list = Accepted::parse(&format!(
            "[[accepted]]\nanchor = \"x\"\nreason = \"y\"\n{lines}"
        ))
        .unwrap();
        let difference = Difference {
            place: Place {
                part: Part::Server,
                number: (1, 1),
                aspect: "header accept-encoding".to_owned(),
            },
            values: [Some(value.to_owned()), None],
            status: Some("200".to_owned()),
        };
        assert_eq!(
            list.anchor("routing", "GET / HTTP/1.1", &difference)
                .is_some(),
            accepted,
            "{lines}"
        );
        assert_eq!(list.idle().is_empty(), accepted);
    }

    #[test]
    fn an_entry_accepts_only_what_it_names() {
        check("what = ['server header accept-encoding']", "gzip", true);
        check("what = ['server header *']", "gzip", true);
        check("what = ['server header accept']", "gzip", false);
        check(
            "what = ['server header *']\ntraefik = '^gzip$'\nours = '^-$'",
            "gzip",
            true,
        );
        check(
            "what = ['server header *']\ntraefik = '^gzip$'",
            "br",
            false,
        );
        check(
            "what = ['server header *']\nrequest = '^GET '\nconfigurations = ['routing']",
            "gzip",
            true,
        );
        check(
            "what = ['server header *']\nconfigurations = ['headers']",
            "gzip",
            false,
        );
    }

    #[test]
    fn the_list_of_the_repository_reads() {
        Accepted::read(&super::super::data().join("accepted.toml")).unwrap();
    }

    #[test]
    fn a_heading_is_its_own_anchor() {
        assert_eq!(slug("## Request trailers"), "request-trailers");
    }
}
