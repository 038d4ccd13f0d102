//! Which host is meant?

use std::borrow::Cow;

use crate::class::{self, HOST};

/// Tells whether a `Host` header consists of bytes Go's server accepts; the answer to others is 400.
///
/// An empty value is accepted.
pub fn is_valid(header: &[u8]) -> bool {
    header.iter().all(|&byte| class::is(byte, HOST))
}

/// The host that routing rules compare: the port taken off, lower case.
///
/// ```
/// # use traefikrs_gourl::host::canonical;
/// assert_eq!(canonical("Example.COM:8080"), "example.com");
/// assert_eq!(canonical("[::1]:80"), "::1");
/// ```
pub fn canonical(host: &str) -> Cow<'_, str> {
    let host = without_port(host).trim();
    if host
        .bytes()
        .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
    {
        Cow::Owned(host.to_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// Takes the port off, and the brackets of an IPv6 address.
///
/// Text that is not a host with a port stays as it is.
pub fn without_port(host: &str) -> &str {
    if !host.contains(':') {
        return host;
    }
    match split(host) {
        Some((name, _)) => name,
        None => host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host),
    }
}

/// Splits `name:port` or `[address]:port`; `None` for anything else.
///
/// The port may be empty and is not checked.
pub fn split(host: &str) -> Option<(&str, &str)> {
    let (name, port) = host.rsplit_once(':')?;
    if let Some(rest) = name.strip_prefix('[') {
        let address = rest.strip_suffix(']')?;
        return (!address.contains(['[', ']']) && !port.contains(['[', ']']))
            .then_some((address, port));
    }
    (!name.contains([':', '[', ']']) && !port.contains(['[', ']'])).then_some((name, port))
}

/// Is this host the other one, or a name below it? Both are [canonical].
///
/// Go: only there does a client that is redirected take its secrets along (`isDomainOrSubdomain` of net/http).
///
/// ```
/// # use traefikrs_gourl::host::is_at_or_below;
/// assert!(is_at_or_below("a.example.com", "example.com"));
/// assert!(!is_at_or_below("example.com", "a.example.com"));
/// assert!(!is_at_or_below("an-example.com", "example.com"));
/// ```
pub fn is_at_or_below(host: &str, other: &str) -> bool {
    let below = host.strip_suffix(other);
    // An IPv6 address has nothing below it.
    below.is_some_and(|below| below.is_empty() || (below.ends_with('.') && !below.contains(':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_host_has_no_port_and_no_capitals() {
        let check = |host: &str, expected: &str| assert_eq!(canonical(host), expected, "{host}");
        check("h:", "h");
        check("H", "h");
        check("[::1]:80", "::1");
        check("[::1]", "::1");
        check("::1", "::1");
        check("[name]", "[name]");
        check("a:80:90", "a:80:90");
        check("Example.com.:80", "example.com.");
        check("", "");
    }

    #[test]
    fn the_bytes_of_a_host_header_are_checked() {
        for good in [
            "",
            "example.com:80",
            "[::1]:80",
            "a_b~c",
            "%41",
            "a!$&'()*+,;=b",
        ] {
            assert!(is_valid(good.as_bytes()), "{good}");
        }
        for bad in [
            "a b", "a@b", "a/b", "é", "{a}", "a\"", "a<b", "a?b", "a#b", "a\\b", "a^b", "a|b",
            "a`b",
        ] {
            assert!(!is_valid(bad.as_bytes()), "{bad}");
        }
    }
}
