//! The differences that are meant, as one reviewed list: `xtask/oracle/accepted.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use regex_automata::meta::Regex;
use serde::Deserialize;

use super::facts::{Difference, Part, Place};
use super::generate::Conversation;

/// How much of a value is shown of what an entry applied to.
const WORDS_LIMIT: usize = 40;

/// The list, counting how often each entry applied.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    written: Written,
    request: Option<Regex>,
    earlier: Option<Regex>,
    conversation: Option<Regex>,
    status: Option<Regex>,
    traefik: Option<Regex>,
    ours: Option<Regex>,
    /// What it applied to, and how often.
    applied: Mutex<BTreeMap<String, usize>>,
}

/// What a client says on one connection, escaped.
#[derive(Debug)]
pub(super) struct Said {
    text: String,
    /// Where each request ends.
    ends: Vec<usize>,
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
    /// What the escaped request contains to which the difference belongs; of the connection's end, any request.
    request: Option<String>,
    /// What the escaped requests before it contain.
    earlier: Option<String>,
    /// What all requests together contain.
    conversation: Option<String>,
    /// What Traefik's status of that exchange contains.
    status: Option<String>,
    /// What Traefik's value contains; an absent one reads `-`.
    traefik: Option<String>,
    ours: Option<String>,
    /// Whether time decides who shows it, so that a run may pass without.
    #[serde(default)]
    timing: bool,
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

    /// Why the difference is accepted, if it is.
    pub(super) fn reason(
        &self,
        configuration: &str,
        said: &Said,
        difference: &Difference,
    ) -> Option<&str> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.applies(configuration, said, difference))?;
        *entry.applied().entry(in_words(difference)).or_default() += 1;
        Some(&entry.written.reason)
    }

    /// Each entry in words, and what it applied to how often.
    pub(super) fn applied(&self) -> Vec<(String, BTreeMap<String, usize>)> {
        self.entries
            .iter()
            .map(|entry| (entry.to_string(), entry.applied().clone()))
            .collect()
    }

    /// Entries that never applied and should have, in words.
    pub(super) fn idle(&self) -> Vec<String> {
        self.entries
            .iter()
            .filter(|entry| !entry.written.timing && entry.applied().is_empty())
            .map(Entry::to_string)
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
            earlier: regex(&written.earlier)?,
            conversation: regex(&written.conversation)?,
            status: regex(&written.status)?,
            traefik: regex(&written.traefik)?,
            ours: regex(&written.ours)?,
            applied: Mutex::default(),
            written,
        })
    }

    fn applied(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn applies(&self, configuration: &str, said: &Said, difference: &Difference) -> bool {
        let kind = difference.kind();
        let [traefik, ours] = values(difference);
        let holds = |regex: &Option<Regex>, text: &str| {
            regex.as_ref().is_none_or(|regex| regex.is_match(text))
        };
        let configurations = &self.written.configurations;
        (configurations.is_empty() || configurations.iter().any(|name| name == configuration))
            && self.written.what.iter().any(|what| names(what, &kind))
            && holds(&self.request, said.request(&difference.place))
            && holds(&self.earlier, said.earlier(&difference.place))
            && holds(&self.conversation, &said.text)
            && holds(&self.status, difference.status.as_deref().unwrap_or("-"))
            && holds(&self.traefik, traefik)
            && holds(&self.ours, ours)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written {
            anchor,
            reason,
            what,
            ..
        } = &self.written;
        write!(f, "#{anchor}: {reason} ({})", what.join(", "))
    }
}

impl Said {
    pub(super) fn new(conversation: &Conversation) -> Self {
        let mut ends = Vec::with_capacity(conversation.exchanges.len());
        let mut text = String::new();
        for exchange in &conversation.exchanges {
            text += &exchange.raw.escape_ascii().to_string();
            ends.push(text.len());
        }
        Self { text, ends }
    }

    /// The request that a fact belongs to; all of them where it is none in particular.
    fn request(&self, place: &Place) -> &str {
        match self.bounds(place) {
            Some((start, end)) => &self.text[start..end],
            None => &self.text,
        }
    }

    fn earlier(&self, place: &Place) -> &str {
        match self.bounds(place) {
            Some((start, _)) => &self.text[..start],
            None => &self.text,
        }
    }

    fn bounds(&self, place: &Place) -> Option<(usize, usize)> {
        if place.part == Part::Connection {
            return None;
        }
        let index = place.number.0.checked_sub(1)?;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((start, end))
    }
}

fn values(difference: &Difference) -> [&str; 2] {
    difference
        .values
        .each_ref()
        .map(|value| value.as_deref().unwrap_or("-"))
}

/// Kind and values, the long ones cut.
fn in_words(difference: &Difference) -> String {
    let [traefik, ours] = values(difference).map(|value| {
        let start: String = value.chars().take(WORDS_LIMIT).collect();
        if start.len() < value.len() {
            start + "…"
        } else {
            start
        }
    });
    format!("{}: {traefik} / {ours}", difference.kind())
}

/// Whether an entry speaks of this kind; what it says of a server holds for each that is asked.
fn names(what: &str, kind: &str) -> bool {
    let says = |kind: &str| {
        what.strip_suffix('*')
            .map_or(what == kind, |start| kind.starts_with(start))
    };
    let first = kind.strip_prefix("server again ");
    says(kind) || first.is_some_and(|aspect| says(&format!("server {aspect}")))
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
    use super::super::generate::{Exchange, Name};
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
            list.reason("routing", &said(&["GET / HTTP/1.1"]), &difference)
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

    fn said(requests: &[&str]) -> Said {
        let exchange = |raw: &&str| Exchange {
            token: String::new(),
            raw: raw.as_bytes().to_vec(),
        };
        Said::new(&Conversation {
            name: Name::Made(0),
            exchanges: requests.iter().map(exchange).collect(),
            pipelined: false,
            in_parts: false,
            client: None,
        })
    }

    #[test]
    fn a_difference_belongs_to_one_request() {
        let said = said(&["GET /\n", "POST /", "PUT /"]);
        let check = |part, exchange, request, earlier| {
            let place = Place {
                part,
                number: (exchange, 1),
                aspect: String::new(),
            };
            assert_eq!(
                (said.request(&place), said.earlier(&place)),
                (request, earlier)
            );
        };
        check(Part::Answer, 1, r"GET /\n", "");
        check(Part::Server, 2, "POST /", r"GET /\n");
        check(Part::Answer, 3, "PUT /", r"GET /\nPOST /");
        let all = r"GET /\nPOST /PUT /";
        check(Part::Answer, 4, all, all);
        check(Part::Connection, 1, all, all);
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
