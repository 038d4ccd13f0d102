//! Headers that are meant for one connection and go no further.

use http::header::{
    CONNECTION, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue};

use crate::intake::tokens;

/// `Trailer` is none of them here: trailers are passed on, and it announces them.
const NAMES: [HeaderName; 9] = [
    CONNECTION,
    TRANSFER_ENCODING,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    UPGRADE,
];

/// Removes what `Connection` names, and what is for one connection by its nature.
pub(crate) fn remove(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        remove_named(headers);
    }
    for name in &NAMES {
        headers.remove(name);
    }
}

#[cold]
fn remove_named(headers: &mut HeaderMap) {
    let lines: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
    for name in lines.iter().flat_map(|line| tokens(line.as_bytes())) {
        if let Ok(name) = HeaderName::from_bytes(name) {
            headers.remove(name);
        }
    }
}
