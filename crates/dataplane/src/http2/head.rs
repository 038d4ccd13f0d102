//! Heads of answers.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::SizeHint;

/// RFC 9113 §8.2.2: what is said of a connection of HTTP/1 makes a message malformed.
const OF_HTTP1: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TRANSFER_ENCODING,
    UPGRADE,
    TE,
];

/// Makes the fields of an answer those of one of HTTP/2.
pub(super) fn complete(
    headers: &mut HeaderMap,
    status: StatusCode,
    is_head: bool,
    size: &SizeHint,
    date: &str,
) {
    for name in &OF_HTTP1 {
        headers.remove(name);
    }
    let has_no_body = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    // RFC 9110 §9.3.2: the answer to HEAD says what would follow. Nothing is what a server says that does not know.
    let length = size.exact().filter(|&length| !is_head || length > 0);
    if let Some(length) = length.filter(|_| !has_no_body) {
        headers
            .entry(CONTENT_LENGTH)
            .or_insert_with(|| length.into());
    }
    if !headers.contains_key(DATE)
        && let Ok(date) = HeaderValue::from_str(date)
    {
        headers.insert(DATE, date);
    }
}
