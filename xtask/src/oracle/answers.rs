//! What a backend does on request: the plans of `xtask/oracle/answers.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::latin1::Latin1;

/// The field by which a request asks for a plan.
pub(super) const FIELD: &str = "x-oracle-do";

/// One way to answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Plan {
    /// Heads sent before the answer.
    #[serde(default)]
    interim: Vec<Vec<Latin1>>,
    /// Status line and fields; a line that ends with `: ` is completed by the backend's name. Without
    /// any, no head is sent.
    #[serde(default)]
    head: Vec<Latin1>,
    /// Replaces the blank line after the fields.
    #[serde(default = "blank_line")]
    head_end: Latin1,
    #[serde(default)]
    body: Latin1,
    /// How often the body is sent.
    #[serde(default = "once")]
    times: usize,
    #[serde(default)]
    pub(super) when: When,
    #[serde(default)]
    pub(super) then: Then,
    /// How long to wait before the answer.
    #[serde(default)]
    pub(super) wait_ms: u64,
    /// How long to wait between head and body.
    #[serde(default)]
    pub(super) pause_ms: u64,
}

/// The moment of the answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum When {
    #[default]
    AfterBody,
    BeforeBody,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Then {
    #[default]
    Keep,
    Close,
    Reset,
}

/// All plans by name.
#[derive(Clone, Debug)]
pub(super) struct Plans<P = Plan>(BTreeMap<String, P>);

impl<P: DeserializeOwned> Plans<P> {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text)
            .map(Self)
            .with_context(|| path.display().to_string())
    }

    /// The plan of that name, or a plain answer.
    pub(super) fn named(&self, name: Option<&str>) -> &P {
        name.and_then(|name| self.0.get(name))
            .or_else(|| self.0.get("plain"))
            .expect("there is a plan named plain")
    }

    /// Every name but the plain one, in order.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| *name != "plain")
            .collect()
    }
}

impl Plan {
    /// The head's bytes, and those of interim ones, `backend` being the sender's name.
    pub(super) fn head(&self, backend: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for head in &self.interim {
            bytes.extend(lines(head, backend, b"\r\n"));
        }
        if !self.head.is_empty() {
            bytes.extend(lines(&self.head, backend, &self.head_end));
        }
        bytes
    }

    pub(super) fn body(&self) -> Vec<u8> {
        self.body.repeat(self.times)
    }
}

fn lines(lines: &[Latin1], backend: &str, end: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(line);
        if line.ends_with(b": ") {
            bytes.extend_from_slice(backend.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(end);
    bytes
}

fn blank_line() -> Latin1 {
    Latin1(b"\r\n".to_vec())
}

fn once() -> usize {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plans_of_the_repository_read() {
        let plans: Plans = Plans::read(&super::super::data().join("answers.toml")).unwrap();
        assert!(
            plans
                .named(Some("no such plan"))
                .head("b")
                .starts_with(b"HTTP/1.1 200 ")
        );
    }

    #[test]
    fn a_head_names_its_sender() {
        let plan: Plan = toml::from_str(
            r#"head = ["HTTP/1.1 200 OK", "X: ", "Y: \u00ff"]
body = "ab"
times = 2"#,
        )
        .unwrap();
        assert_eq!(
            plan.head("one"),
            b"HTTP/1.1 200 OK\r\nX: one\r\nY: \xff\r\n\r\n"
        );
        assert_eq!(plan.body(), b"abab");
    }
}
