//! Conversations that are held in every run: `configurations/NAME/cases.toml`.
//!
//! They say again what once differed, and give each accepted difference an occasion that no seed can miss.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::generate::{self, Conversation, Exchange, Name};
use super::latin1::Latin1;

/// Stands for the token in a request.
const TOKEN: &[u8] = b"{token}";

/// One conversation, written out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Case {
    /// What it is about, for the reader.
    #[serde(rename = "about")]
    _about: String,
    /// Byte by byte, but for `{token}`.
    requests: Vec<Latin1>,
    /// Whether all are sent before the first answer is awaited.
    #[serde(default)]
    pipelined: bool,
    /// Whether they are sent in several writes.
    #[serde(default)]
    in_parts: bool,
    /// The client's address.
    client: Option<Ipv4Addr>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// The cases of a file, which need not be there.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Case>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let cases: Cases = toml::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(cases.case)
}

impl Case {
    pub(super) fn conversation(&self, configuration: &str, number: usize) -> Conversation {
        let exchanges = self.requests.iter().enumerate().map(|(exchange, request)| {
            let token = generate::token(configuration, &format!("case{number}"), exchange);
            Exchange {
                raw: generate::fill(request, TOKEN, token.as_bytes()),
                token,
            }
        });
        Conversation {
            name: Name::Case(number),
            exchanges: exchanges.collect(),
            pipelined: self.pipelined,
            in_parts: self.in_parts,
            client: self.client,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_said_as_it_is_written() {
        let cases: Cases = toml::from_str(
            r#"[[case]]
about = "a byte and a token"
requests = ["GET /\u00ff HTTP/1.1\r\nX: {token}\r\n\r\n{token}"]"#,
        )
        .unwrap();
        let conversation = cases.case[0].conversation("c", 3);
        assert_eq!(
            conversation.raw().escape_ascii().to_string(),
            r"GET /\xff HTTP/1.1\r\nX: oracle~c-case3-0~\r\n\r\noracle~c-case3-0~"
        );
        assert_eq!(conversation.name.to_string(), "case 3");
    }
}
