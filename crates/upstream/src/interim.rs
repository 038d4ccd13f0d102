//! What a server says before it answers.

use std::time::Duration;

use http::{HeaderMap, header};

/// Traefik's transport (`pkg/server/service/transport.go`, 3.7) waits so long for `100 Continue`.
pub(crate) const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) const MAX_INTERIM: usize = 100;

/// Whether the first `Expect` has a body wait for `100 Continue`.
///
/// ```
/// # use http::{HeaderMap, HeaderValue, header::EXPECT};
/// let headers = HeaderMap::from_iter([(EXPECT, HeaderValue::from_static("100-Continue"))]);
/// assert!(traefikrs_upstream::expects_continue(&headers));
/// ```
#[must_use]
pub fn expects_continue(headers: &HeaderMap) -> bool {
    // Go: blanks part words as commas do (`hasToken` of net/http).
    let is_between = |byte: &u8| matches!(byte, b' ' | b',' | b'\t');
    headers.get(header::EXPECT).is_some_and(|expect| {
        expect
            .as_bytes()
            .split(is_between)
            .any(|word| word.eq_ignore_ascii_case(b"100-continue"))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_wish_to_continue_is_a_word_among_others() {
        // Recorded from Traefik 3.7.15.
        for (lines, expected) in [
            (&["100-continue"][..], true),
            (&["100-CONTINUE"], true),
            (&["x 100-continue"], true),
            (&["100-continue\tx"], true),
            (&["x,100-continue"], true),
            (&["100-continue, "], true),
            (&["100-continue", "x"], true),
            (&["x", "100-continue"], false),
            (&["100-continue;q=1"], false),
            (&["100-continue=x"], false),
            (&["x100-continue"], false),
            (&["\"100-continue\""], false),
            (&[""], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::EXPECT, HeaderValue::from_static(line));
            }
            assert_eq!(expects_continue(&headers), expected, "{lines:?}");
        }
    }
}
