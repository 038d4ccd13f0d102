//! What an HTTP/2 backend does on request: the plans of `xtask/oracle/http2-answers.toml`.

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use super::field;
use crate::oracle::answers::{self, When};
use crate::oracle::latin1::Latin1;

/// One way to answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::oracle) struct Plan {
    /// Heads sent before the answer.
    #[serde(default)]
    interim: Vec<Head>,
    /// Without any, no head is sent.
    head: Option<Head>,
    #[serde(default)]
    body: Latin1,
    /// How often the body is sent.
    #[serde(default = "once")]
    times: usize,
    #[serde(default)]
    trailers: Vec<Latin1>,
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

/// A status, and fields; a line that ends with `: ` is completed by the backend's name.
#[derive(Clone, Debug, Deserialize)]
struct Head(u16, Vec<Latin1>);

/// What comes after the body, or in place of all.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Then {
    /// The end of the stream.
    #[default]
    End,
    // Resets of the stream.
    NoError,
    ProtocolError,
    InternalError,
    RefusedStream,
    Cancel,
    EnhanceYourCalm,
    Http11Required,
    /// The end of the stream, and later that of the connection.
    GoAway,
    /// A connection that ends with an error.
    GoAwayError,
    /// A connection that ends without a word.
    Close,
    /// A connection that is reset.
    ResetConnection,
}

/// All plans by name.
pub(in crate::oracle) type Plans = answers::Plans<Plan>;

impl Plan {
    pub(super) fn interim(&self, backend: &str) -> impl Iterator<Item = Response<()>> {
        self.interim.iter().map(move |head| head.response(backend))
    }

    pub(super) fn head(&self, backend: &str) -> Option<Response<()>> {
        self.head.as_ref().map(|head| head.response(backend))
    }

    pub(super) fn body(&self) -> Bytes {
        self.body.repeat(self.times).into()
    }

    pub(super) fn trailers(&self) -> Option<HeaderMap> {
        (!self.trailers.is_empty()).then(|| fields(&self.trailers, ""))
    }
}

impl Head {
    fn response(&self, backend: &str) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() =
            StatusCode::from_u16(self.0).expect("a plan's status has three digits");
        *response.headers_mut() = fields(&self.1, backend);
        response
    }
}

impl Then {
    pub(super) fn ends_the_stream(self) -> bool {
        matches!(self, Self::End | Self::GoAway)
    }

    /// The reset that this is.
    pub(super) fn reset(self) -> Option<Reason> {
        Some(match self {
            Self::NoError => Reason::NO_ERROR,
            Self::ProtocolError => Reason::PROTOCOL_ERROR,
            Self::InternalError => Reason::INTERNAL_ERROR,
            Self::RefusedStream => Reason::REFUSED_STREAM,
            Self::Cancel => Reason::CANCEL,
            Self::EnhanceYourCalm => Reason::ENHANCE_YOUR_CALM,
            Self::Http11Required => Reason::HTTP_1_1_REQUIRED,
            Self::End | Self::GoAway | Self::GoAwayError | Self::Close | Self::ResetConnection => {
                return None;
            }
        })
    }
}

fn fields(lines: &[Latin1], backend: &str) -> HeaderMap {
    let fields = lines.iter().map(|line| {
        let colon = line.windows(2).position(|part| part == b": ");
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = match value.strip_prefix(b": ") {
            Some(value) if !value.is_empty() => value,
            _ => backend.as_bytes(),
        };
        field(name, value).expect("a plan has fields that HTTP/2 knows")
    });
    fields.fold(HeaderMap::new(), |mut map, (name, value)| {
        map.append(name, value);
        map
    })
}

fn once() -> usize {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plans_of_the_repository_can_be_said() {
        let plans =
            Plans::read(&crate::oracle::data().join("http2-answers.toml")).expect("it reads");
        let names = plans.names().into_iter().map(Some).chain([None]);
        for plan in names.map(|name| plans.named(name)) {
            assert!(
                plan.interim("b")
                    .all(|head| head.status().is_informational())
            );
            assert!(
                plan.head("b")
                    .is_none_or(|head| !head.status().is_informational())
            );
            drop((plan.body(), plan.trailers()));
        }
        let plain = plans.named(Some("no such plan")).head("b").expect("a head");
        assert_eq!(plain.headers()["x-backend"], "b");
    }
}
