//! Single fields of a head.

use http::{HeaderName, HeaderValue};
use memchr::memchr_iter;

/// Writes one field, its name as Go's `textproto.CanonicalMIMEHeaderKey` spells it: `weird_name` becomes `Weird_name`,
/// `x-upper` becomes `X-Upper`.
///
/// ```
/// use http::{HeaderName, HeaderValue};
///
/// let mut head = Vec::new();
/// traefikrs_http1::write_field(&mut head, &HeaderName::from_static("x-a"), &HeaderValue::from_static("b"));
/// assert_eq!(head, b"X-A: b\r\n");
/// ```
pub fn write_field(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    let start = out.len();
    out.extend_from_slice(name.as_str().as_bytes());
    out[start].make_ascii_uppercase();
    for hyphen in memchr_iter(b'-', name.as_str().as_bytes()) {
        if let Some(initial) = out.get_mut(start + hyphen + 1) {
            initial.make_ascii_uppercase();
        }
    }
    write_value(out, value);
}

/// Writes one field, its name letter by letter as it is given.
pub fn write_raw_field(out: &mut Vec<u8>, name: &str, value: &HeaderValue) {
    out.extend_from_slice(name.as_bytes());
    write_value(out, value);
}

fn write_value(out: &mut Vec<u8>, value: &HeaderValue) {
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// RFC 9110 §8.6: digits only; no sign, no list. The top bit stays free, as in Go.
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |length, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        length
            .checked_mul(10)?
            .checked_add(digit)
            .filter(|&length| length <= u64::MAX >> 1)
    })
}

/// The items of a comma-separated list.
pub(crate) fn tokens(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}
