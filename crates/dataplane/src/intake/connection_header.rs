use http::header::{CONNECTION, HOST, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{forwarded, has_token, tokens};

/// Whether `Connection` says that the client wants to switch to another protocol.
pub(super) fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONNECTION).iter();
    lines.any(|line| has_token(line.as_bytes(), b"upgrade"))
}

/// Whether the first line of `Connection` says so.
pub(super) fn says_upgrade_first(headers: &HeaderMap) -> bool {
    let first = headers.get(CONNECTION);
    first.is_some_and(|line| has_token(line.as_bytes(), b"upgrade"))
}

/// Removes what `Connection` names, and `Connection` itself unless the request wants to switch protocols: then it is
/// left to say so. Gives the protocol that is wanted.
pub(super) fn obey(
    headers: &mut HeaderMap,
    kept: &[HeaderName],
    upgrade: Option<HeaderValue>,
) -> Option<HeaderValue> {
    let lines: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
    headers.remove(CONNECTION);
    let mut kept_names = Vec::new();
    for token in lines.iter().flat_map(|line| tokens(line.as_bytes())) {
        let Ok(name) = HeaderName::from_bytes(token) else {
            continue;
        };
        if kept.contains(&name) {
            kept_names.push(name);
        } else if name != HOST && !forwarded::is_protected(&name) {
            headers.remove(name);
        }
    }
    if let Some(protocol) = &upgrade {
        let mut value = kept_names
            .iter()
            .fold(String::new(), |all, name| all + name.as_str() + ", ");
        value.push_str("Upgrade");
        let value = HeaderValue::try_from(value).expect("header names are header values");
        headers.insert(CONNECTION, value);
        headers.insert(UPGRADE, protocol.clone());
    } else if !kept_names.is_empty() {
        // They are the next hop's no more than the others, and go when the request is forwarded.
        let value = kept_names
            .iter()
            .map(HeaderName::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let value = HeaderValue::try_from(value).expect("header names are header values");
        headers.insert(CONNECTION, value);
    }
    upgrade
}
