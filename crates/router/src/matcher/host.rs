use traefikrs_goregexp::Regex;
use traefikrs_gourl::host;

use crate::RequestView;

/// The `Host` of v3: a name in lower case, which may begin with a star.
#[derive(Clone, Debug)]
pub(crate) enum HostMatch {
    /// `*`: any host, or none.
    Any,
    /// Everything else.
    Like(Box<str>),
}

impl HostMatch {
    pub(crate) fn new(host: &str) -> Self {
        if host == "*" {
            Self::Any
        } else {
            Self::Like(host.to_lowercase().into())
        }
    }

    pub(super) fn matches(&self, request: &RequestView<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Like(pattern) => like_with_dots(pattern, request),
        }
    }
}

// Traefik: after a flattened name was asked, dots at the end are not forgiven any more.
fn like_with_dots(pattern: &str, request: &RequestView<'_>) -> bool {
    let host = request.host;
    if host.is_empty() {
        return false;
    }
    if like(pattern, host) {
        return true;
    }
    if let Some(flattened) = request.flattened_host {
        return like(pattern, flattened);
    }
    pattern
        .strip_suffix('.')
        .is_some_and(|pattern| like(pattern, host))
        || host
            .strip_suffix('.')
            .is_some_and(|host| like(pattern, host))
}

/// Compares as Traefik compares a host with a host expression: a leading star stands for the first label, whatever it is.
fn like(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(tail) => tail == tail_of(host),
        None => pattern == host,
    }
}

/// Returns what follows the first label, its dot included.
pub(crate) fn tail_of(host: &str) -> &str {
    memchr::memchr(b'.', host.as_bytes()).map_or("", |dot| &host[dot..])
}

/// The `Host` and `HostHeader` of v2: a name in lower case, without wildcards.
#[derive(Clone, Debug)]
pub(crate) struct NameMatch(pub(crate) Box<str>);

impl NameMatch {
    pub(super) fn new(host: &str) -> Self {
        Self(host.to_lowercase().into())
    }

    pub(super) fn matches(&self, request: &RequestView<'_>) -> bool {
        let (name, host) = (&*self.0, request.host);
        if host.is_empty() {
            return false;
        }
        if name == host {
            return true;
        }
        if let Some(flattened) = request.flattened_host {
            return name == flattened;
        }
        name.strip_suffix('.') == Some(host) || host.strip_suffix('.') == Some(name)
    }
}

/// The `HostRegexp` of v3.
#[derive(Clone, Debug)]
pub(crate) struct HostRegexpMatch {
    regexp: Regex,
    matches_nothing: bool,
}

impl HostRegexpMatch {
    pub(super) fn new(regexp: Regex) -> Self {
        let matches_nothing = regexp.is_match(b"");
        Self {
            regexp,
            matches_nothing,
        }
    }

    /// Returns what every host that matches starts with.
    pub(crate) fn required_prefix(&self) -> &[u8] {
        if self.matches_nothing {
            b""
        } else {
            self.regexp.required_prefix()
        }
    }

    /// Returns what every host that matches ends with.
    pub(crate) fn required_suffix(&self) -> &[u8] {
        if self.matches_nothing {
            b""
        } else {
            self.regexp.required_suffix()
        }
    }

    // Traefik: the flattened name is asked too, and is the empty text where there is none.
    // So a pattern that finds something in the empty text holds for every request.
    pub(super) fn matches(&self, request: &RequestView<'_>) -> bool {
        let in_flattened = match request.flattened_host {
            Some(flattened) => self.regexp.is_match(flattened.as_bytes()),
            None => self.matches_nothing,
        };
        in_flattened || self.regexp.is_match(request.host.as_bytes())
    }
}

/// Returns the host that the request has now, for the `HostRegexp` of v2.
// Traefik: it takes the port off only where there is one, so brackets stay on an address without port.
pub(super) fn current<'a>(request: &RequestView<'a>) -> &'a str {
    host::split(request.raw_host).map_or(request.raw_host, |(host, _)| host)
}
