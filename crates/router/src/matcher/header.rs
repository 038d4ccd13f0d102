use http::HeaderMap;
use http::header::{HOST, HeaderName, HeaderValue, TRAILER, TRANSFER_ENCODING};
use traefikrs_goregexp::Regex;

/// `Header`: one line of the header is this value.
#[derive(Clone, Debug)]
pub(crate) struct HeaderMatch {
    name: Option<HeaderName>,
    value: Box<[u8]>,
}

impl HeaderMatch {
    pub(super) fn new(name: &[u8], value: &[u8]) -> Self {
        Self {
            name: visible(name),
            value: value.into(),
        }
    }

    pub(super) fn matches(&self, headers: &HeaderMap) -> bool {
        lines(headers, self.name.as_ref()).any(|line| line.as_bytes() == &*self.value)
    }
}

/// `HeaderRegexp`: a pattern is found in one line of the header.
#[derive(Clone, Debug)]
pub(crate) struct HeaderRegexpMatch {
    name: Option<HeaderName>,
    value: Regex,
}

impl HeaderRegexpMatch {
    pub(super) fn new(name: &[u8], value: Regex) -> Self {
        Self {
            name: visible(name),
            value,
        }
    }

    pub(super) fn matches(&self, headers: &HeaderMap) -> bool {
        lines(headers, self.name.as_ref()).any(|line| self.value.is_match(line.as_bytes()))
    }
}

// Traefik: Go keeps these out of the header map.
const INVISIBLE: [HeaderName; 3] = [HOST, TRAILER, TRANSFER_ENCODING];

/// Returns the name under which a header can be seen; there is none for what is no header name.
// Traefik: Go looks up a malformed name without finding anything.
fn visible(name: &[u8]) -> Option<HeaderName> {
    HeaderName::from_bytes(name)
        .ok()
        .filter(|name| !INVISIBLE.contains(name))
}

fn lines<'h>(
    headers: &'h HeaderMap,
    name: Option<&HeaderName>,
) -> impl Iterator<Item = &'h HeaderValue> {
    name.into_iter().flat_map(|name| headers.get_all(name))
}
