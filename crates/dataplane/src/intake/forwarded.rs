use http::{HeaderMap, HeaderName, HeaderValue};
use traefikrs_gourl::host;

use super::{Seen, has_token};
use crate::connection::Connection;

pub(crate) const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const SERVER: HeaderName = HeaderName::from_static("x-forwarded-server");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// What is behind `x-` in the names of headers that only a trusted peer may send.
const MANAGED: [&str; 11] = [
    "forwarded-for",
    "forwarded-proto",
    "forwarded-host",
    "forwarded-port",
    "forwarded-server",
    "forwarded-uri",
    "forwarded-method",
    "forwarded-prefix",
    "forwarded-tls-client-cert",
    "forwarded-tls-client-cert-info",
    "real-ip",
];

/// Whether a name, in lower case, is that of a header which tells about the client.
///
/// Many servers read an underscore as a dash, so either spelling counts.
pub(super) fn is_managed(name: &str) -> bool {
    let &[b'x', b'-' | b'_', ref rest @ ..] = name.as_bytes() else {
        return false;
    };
    let is = |managed: &str| {
        rest.len() == managed.len()
            && rest
                .iter()
                .zip(managed.bytes())
                .all(|(&byte, managed)| byte == managed || (byte == b'_' && managed == b'-'))
    };
    matches!(rest.first(), Some(b'f' | b'r')) && MANAGED.into_iter().any(is)
}

/// Whether a client's `Connection` header cannot take this header away.
pub(super) fn is_protected(name: &HeaderName) -> bool {
    let name = name.as_str();
    !name.contains('_') && is_managed(name)
}

/// Forgets what the peer says about the client unless it is trusted, and says it anew.
pub(super) fn fill_in(
    connection: &Connection,
    headers: &mut HeaderMap,
    host: &HeaderValue,
    upgrade: Option<&HeaderValue>,
    seen: Seen,
) {
    let is_told = seen.forwarded() && {
        if connection.is_trusted() {
            fold_lines(headers);
        } else {
            forget(headers);
        }
        connection.is_trusted()
    };
    let is_missing = |headers: &HeaderMap, name: &HeaderName| {
        !is_told || headers.get(name).is_none_or(HeaderValue::is_empty)
    };
    if is_missing(headers, &REAL_IP) {
        headers.insert(REAL_IP, connection.peer_ip.clone());
    }
    if is_missing(headers, &PROTO) {
        let is_websocket =
            upgrade.is_some_and(|upgrade| has_token(upgrade.as_bytes(), b"websocket"));
        headers.insert(
            PROTO,
            HeaderValue::from_static(if is_websocket { "ws" } else { "http" }),
        );
    }
    if is_missing(headers, &PORT) {
        let port = port(host, headers.get(PROTO));
        headers.insert(PORT, port);
    }
    if !host.is_empty() && is_missing(headers, &HOST) {
        headers.insert(HOST, host.clone());
    }
    headers.insert(SERVER, connection.entry_point.worker.server_name.clone());
}

#[cold]
fn forget(headers: &mut HeaderMap) {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_managed(name.as_str()))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

/// Makes one line of all lines of `X-Forwarded-For`.
fn fold_lines(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(FOR).iter();
    if lines.next().is_none() || lines.next().is_none() {
        return;
    }
    let lines: Vec<&[u8]> = headers
        .get_all(FOR)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let folded =
        HeaderValue::from_bytes(&lines.join(&b", "[..])).expect("values make a value when joined");
    headers.insert(FOR, folded);
}

/// Traefik: the port of the `Host` header, else the scheme's; never the one that is listened on.
fn port(host: &HeaderValue, proto: Option<&HeaderValue>) -> HeaderValue {
    let port = host
        .to_str()
        .ok()
        .and_then(host::split)
        .map_or("", |(_, port)| port);
    if !port.is_empty() {
        return HeaderValue::from_str(port).expect("a part of a value is a value");
    }
    match proto.map(HeaderValue::as_bytes) {
        Some(b"https" | b"wss") => HeaderValue::from_static("443"),
        _ => HeaderValue::from_static("80"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_spelling_is_managed_but_only_dashes_are_protected() {
        let check = |name: &'static str, managed: bool, protected: bool| {
            assert_eq!(is_managed(name), managed, "{name}");
            assert_eq!(
                is_protected(&HeaderName::from_static(name)),
                protected,
                "{name}"
            );
        };
        check("x-forwarded-for", true, true);
        check("x_forwarded_for", true, false);
        check("x-forwarded_tls-client_cert-info", true, false);
        check("x-real-ip", true, true);
        check("x-forwarded", false, false);
        check("x-forwarded-scheme", false, false);
        check("forwarded", false, false);
        check("x", false, false);
    }
}
