use std::fmt;

use http::Method;

use crate::RequestView;

mod error;
mod from_rule;
mod header;
mod host;
mod query;
mod template;

pub use error::{MatcherError, MatcherErrorKind, RegexpError};
pub(crate) use host::{HostMatch, tail_of};
pub use template::TemplateError;

use crate::client_ip::IpRange;
use header::{HeaderMatch, HeaderRegexpMatch};
use host::{HostRegexpMatch, NameMatch};
use query::{QueryMatch, QueryRegexpMatch, QueryTemplateMatch};
use template::Template;
use traefikrs_goregexp::Regex;

/// Does this request satisfy the rule?
///
/// A rule with everything worked out beforehand. Made by [`Matcher::new`].
#[derive(Clone, Debug)]
pub struct Matcher {
    pub(crate) node: Node,
}

impl Matcher {
    /// Tells whether the rule holds for the request.
    #[must_use]
    pub fn matches(&self, request: &RequestView<'_>) -> bool {
        self.node.matches(request)
    }
}

/// A condition; the depth is bounded by that of rules.
#[derive(Clone)]
pub(crate) enum Node {
    All(Box<[Self]>),
    Any(Box<[Self]>),
    Not(Box<Self>),
    One(Predicate),
}

impl Node {
    pub(crate) fn matches(&self, request: &RequestView<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.matches(request)),
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(request)),
            Self::Not(node) => !node.matches(request),
            Self::One(predicate) => predicate.matches(request),
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(nodes) => formatter.debug_tuple("All").field(nodes).finish(),
            Self::Any(nodes) => formatter.debug_tuple("Any").field(nodes).finish(),
            Self::Not(node) => formatter.debug_tuple("Not").field(node).finish(),
            Self::One(predicate) => predicate.fmt(formatter),
        }
    }
}

/// One property of a request.
///
/// The functions of v2 take many arguments; each argument is a predicate of its own there.
#[derive(Clone, Debug)]
pub(crate) enum Predicate {
    ClientIp(IpRange),
    Header(Box<HeaderMatch>),
    HeaderRegexp(Box<HeaderRegexpMatch>),
    Host(HostMatch),
    HostName(NameMatch),
    HostRegexp(Box<HostRegexpMatch>),
    HostTemplate(Box<Template>),
    /// `None` for a text that is no method; no request has it.
    Method(Option<Method>),
    Path(Box<[u8]>),
    PathPrefix(Box<[u8]>),
    PathRegexp(Box<Regex>),
    PathTemplate(Box<Template>),
    Query(Box<QueryMatch>),
    QueryRegexp(Box<QueryRegexpMatch>),
    QueryTemplate(Box<QueryTemplateMatch>),
}

impl Predicate {
    fn matches(&self, request: &RequestView<'_>) -> bool {
        match self {
            Self::ClientIp(range) => request.peer.is_some_and(|peer| range.contains(peer)),
            Self::Header(header) => header.matches(request.headers),
            Self::HeaderRegexp(header) => header.matches(request.headers),
            Self::Host(host) => host.matches(request),
            Self::HostName(name) => name.matches(request),
            Self::HostRegexp(regexp) => regexp.matches(request),
            Self::HostTemplate(template) => template.is_match(host::current(request).as_bytes()),
            Self::Method(method) => method
                .as_ref()
                .is_some_and(|method| method == request.method),
            Self::Path(path) => **path == *request.path,
            Self::PathPrefix(prefix) => request.path.starts_with(prefix),
            Self::PathRegexp(regexp) => regexp.is_match(request.path),
            Self::PathTemplate(template) => template.is_match(request.path),
            Self::Query(query) => query.matches(request.query),
            Self::QueryRegexp(query) => query.matches(request.query),
            Self::QueryTemplate(query) => query.matches(request.query),
        }
    }
}
