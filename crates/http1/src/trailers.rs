//! What may follow a message?

use http::HeaderName;

/// May a field come behind the message?
///
/// RFC 9110 §6.5.1: one that says how to read, route or allow the message is of no use there, and a danger where a server
/// puts it with the headers that somebody has checked. These are Go's (`httpguts.ValidTrailerHeader`), and what a proxy
/// tells a server about the client.
///
/// ```
/// use http::HeaderName;
/// use traefikrs_http1::may_trail;
///
/// assert!(may_trail(&HeaderName::from_static("grpc-status")));
/// assert!(!may_trail(&HeaderName::from_static("x-forwarded-for")));
/// ```
#[must_use]
pub fn may_trail(name: &HeaderName) -> bool {
    let name = name.as_str();
    let is_late = matches!(
        name,
        "authorization"
            | "cache-control"
            | "connection"
            | "content-encoding"
            | "content-length"
            | "content-range"
            | "content-type"
            | "cookie"
            | "expect"
            | "forwarded"
            | "host"
            | "keep-alive"
            | "max-forwards"
            | "pragma"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "range"
            | "realm"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "www-authenticate"
            | "x-real-ip"
    );
    !is_late && !name.starts_with("if-") && !name.starts_with("x-forwarded-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_routes_or_allows_a_message_does_not_follow_it() {
        let check = |names: &[&'static str], expected: bool| {
            for name in names {
                assert_eq!(
                    may_trail(&HeaderName::from_static(name)),
                    expected,
                    "{name}"
                );
            }
        };
        check(
            &["grpc-status", "x-sum", "etag", "x-forwarded", "iffy"],
            true,
        );
        check(&["content-length", "transfer-encoding", "host"], false);
        check(&["authorization", "cookie", "if-match"], false);
        check(&["x-forwarded-for", "x-real-ip", "forwarded"], false);
    }
}
