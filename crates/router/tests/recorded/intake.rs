//! What an entry point does to a request before its routing, as far as the recorded cases need it.

use std::net::IpAddr;

use http::header::{CACHE_CONTROL, CONNECTION, HOST, PRAGMA, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use traefikrs_gourl::query::Semicolons;
use traefikrs_gourl::target::{Form, Target};
use traefikrs_gourl::{canonical_path, host, routing_path};
use traefikrs_router::{RequestView, canonical_host};

/// A request as it is written to the socket.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct WireRequest {
    method: String,
    target: String,
    host: Option<String>,
    headers: Vec<(String, String)>,
    #[serde(default = "loopback")]
    peer: IpAddr,
    #[serde(default)]
    trusted: bool,
    #[serde(default)]
    latin1: bool,
    #[serde(default)]
    pub(crate) latin1_target: bool,
}

fn loopback() -> IpAddr {
    [127, 0, 0, 1].into()
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Matched,
    NotFound,
    /// Answered by the server itself, with this status.
    Answered(u16),
}

impl WireRequest {
    /// Takes the request in and asks whether it matches.
    pub(crate) fn route(&self, matches: impl Fn(&RequestView<'_>) -> bool) -> Outcome {
        let Ok(target) = Target::parse(self.target.as_bytes(), self.method == "CONNECT") else {
            return Outcome::Answered(400);
        };
        if self.method == "OPTIONS" && target.form == Form::Asterisk {
            return Outcome::Answered(200);
        }
        let own_host = self.host.as_deref().unwrap_or_default();
        if !host::is_valid(own_host.as_bytes()) {
            return Outcome::Answered(400);
        }
        let raw_host = target.authority.as_deref().unwrap_or(own_host);
        let Ok(path) = canonical_path(target.path) else {
            return Outcome::Answered(400);
        };
        let query = target.query.map(|query| Semicolons::default().apply(query));
        let view = RequestView {
            method: &self.method,
            host: &canonical_host(raw_host),
            raw_host,
            flattened_host: None,
            path: &routing_path(&path),
            query: query.as_deref().map(str::as_bytes),
            headers: &self.visible_headers(raw_host),
            peer: Some(self.peer),
        };
        if matches(&view) {
            Outcome::Matched
        } else {
            Outcome::NotFound
        }
    }

    fn visible_headers(&self, raw_host: &str) -> HeaderMap {
        let mut headers = header_map(&self.headers, self.latin1);
        if !self.trusted {
            let managed = |name: &HeaderName| {
                name.as_str().replace('_', "-").starts_with("x-forwarded-") || name == "x-real-ip"
            };
            for name in headers
                .keys()
                .filter(|name| managed(name))
                .cloned()
                .collect::<Vec<_>>()
            {
                headers.remove(name);
            }
        }
        let default = |name: &'static str, value: &str, headers: &mut HeaderMap| {
            headers
                .entry(name)
                .or_insert_with(|| HeaderValue::from_str(value).unwrap());
        };
        default("x-real-ip", &self.peer.to_string(), &mut headers);
        default("x-forwarded-proto", "http", &mut headers);
        default(
            "x-forwarded-port",
            host::split(raw_host).map_or("80", |(_, port)| port),
            &mut headers,
        );
        default("x-forwarded-host", raw_host, &mut headers);
        if headers.get(PRAGMA).is_some_and(|value| value == "no-cache") {
            default("cache-control", "no-cache", &mut headers);
        }
        assert!(headers.get_all(CACHE_CONTROL).iter().count() < 2);
        let listed: Vec<String> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|name| name.trim().to_owned())
            .collect();
        for name in listed {
            headers.remove(name.as_str());
        }
        for name in [CONNECTION, TRANSFER_ENCODING, TRAILER] {
            headers.remove(name);
        }
        // Present in many programs' maps, and still not to be seen.
        headers.insert(HOST, HeaderValue::from_str(raw_host).unwrap());
        headers
    }
}

pub(crate) fn header_map(lines: &[(String, String)], latin1: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let value: Vec<u8> = if latin1 {
            value.chars().map(|byte| byte as u8).collect()
        } else {
            value.as_bytes().to_vec()
        };
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.trim_ascii()).unwrap(),
        );
    }
    headers
}
