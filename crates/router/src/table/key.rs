use std::borrow::Cow;

use smallvec::SmallVec;

use crate::Matcher;
use crate::matcher::{HostMatch, Node, Predicate};

/// Where must a route stand in the index, and what is left to check when it is found there?
///
/// A matcher gives one entry or more, such that every request it matches is found under one of them. The more an entry
/// says, the fewer requests need a look at its route.
#[derive(Clone, Debug)]
pub(super) struct Entry<'m> {
    pub(super) host: HostKey<'m>,
    pub(super) path: PathKey<'m>,
    /// Conditions that do not follow from being found, all of which must hold; `None` for the whole rule.
    pub(super) residual: Option<Vec<&'m Node>>,
}

/// Which hosts an entry is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostKey<'m> {
    /// Any, or none.
    Any,
    /// This one.
    Exact(&'m str),
    /// Those of which this is left when their first label is taken off.
    Under(&'m str),
    /// Those that start with this.
    StartingWith(&'m [u8]),
    /// Those that end with this.
    EndingWith(&'m [u8]),
}

impl HostKey<'_> {
    /// Orders keys by how much they say.
    fn weight(self) -> u8 {
        match self {
            HostKey::Any => 0,
            HostKey::StartingWith(_) | HostKey::EndingWith(_) => 1,
            HostKey::Under(_) => 2,
            HostKey::Exact(_) => 3,
        }
    }
}

/// Which paths an entry is found by: those that start with the prefix, or only the prefix itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathKey<'m> {
    pub(super) is_whole: bool,
    pub(super) prefix: &'m [u8],
}

impl PathKey<'_> {
    const ANY: Self = Self {
        is_whole: false,
        prefix: b"",
    };

    fn is_any(self) -> bool {
        self == Self::ANY
    }
}

/// How many entries the combination of alternatives may give before alternatives are given up instead.
const MAX_PRODUCT: usize = 1024;

/// How many conditions with hosts and paths of their own are combined; more would say little new.
const MAX_COMBINED: usize = 4;

/// How many conditions an entry remembers before it has the whole rule checked instead.
const MAX_RESIDUAL: usize = 16;

pub(super) fn entries(matcher: &Matcher) -> Vec<Entry<'_>> {
    of_node(&matcher.node)
}

fn of_node(node: &Node) -> Vec<Entry<'_>> {
    match node {
        Node::One(predicate) => of_predicate(predicate, node),
        Node::Not(_) => vec![Entry::anywhere(vec![node])],
        Node::Any(nodes) => {
            let entries: Vec<_> = nodes.iter().flat_map(of_node).collect();
            if entries.iter().any(Entry::is_anywhere) {
                vec![Entry::anywhere(vec![node])]
            } else {
                entries
            }
        }
        Node::All(nodes) => of_all(nodes),
    }
}

// Rules are as large as their authors like, so the work here is bounded by the size of the rule, not by its square.
fn of_all(nodes: &[Node]) -> Vec<Entry<'_>> {
    let mut entries = vec![Entry::anywhere(Vec::new())];
    let mut combined = Vec::new();
    let mut conditions = Vec::new();
    for node in nodes {
        if combined.len() == MAX_COMBINED {
            conditions.push(node);
            continue;
        }
        match &*of_node(node) {
            [only] if only.is_anywhere() => match &only.residual {
                Some(residual) => conditions.extend(residual),
                None => conditions.push(node),
            },
            right => {
                entries = both(&entries, &combined, right, node);
                combined.push(node);
            }
        }
    }
    entries
        .into_iter()
        .map(|entry| entry.and(&conditions))
        .collect()
}

fn of_predicate<'m>(predicate: &'m Predicate, node: &'m Node) -> Vec<Entry<'m>> {
    match predicate {
        Predicate::Host(HostMatch::Any) => vec![Entry::anywhere(Vec::new())],
        Predicate::Host(HostMatch::Like(pattern)) => {
            spellings(pattern).map(like).map(Entry::at_host).collect()
        }
        Predicate::HostName(name) => spellings(&name.0)
            .map(HostKey::Exact)
            .map(Entry::at_host)
            .collect(),
        Predicate::Path(path) => vec![Entry::at_path(
            PathKey {
                is_whole: true,
                prefix: path,
            },
            Vec::new(),
        )],
        Predicate::PathPrefix(prefix) => vec![Entry::at_path(
            PathKey {
                is_whole: false,
                prefix,
            },
            Vec::new(),
        )],
        Predicate::PathRegexp(regexp) => vec![Entry::at_path(
            starts_with(regexp.required_prefix()),
            vec![node],
        )],
        Predicate::PathTemplate(template) => vec![Entry::at_path(
            starts_with(template.required_prefix()),
            vec![node],
        )],
        Predicate::HostRegexp(regexp) => {
            let (start, end) = (regexp.required_prefix(), regexp.required_suffix());
            let host = match (start, end) {
                (b"", b"") => HostKey::Any,
                _ if start.len() > end.len() => HostKey::StartingWith(start),
                _ => HostKey::EndingWith(end),
            };
            vec![Entry {
                host,
                ..Entry::anywhere(vec![node])
            }]
        }
        Predicate::ClientIp(_)
        | Predicate::Header(_)
        | Predicate::HeaderRegexp(_)
        | Predicate::HostTemplate(_)
        | Predicate::Method(_)
        | Predicate::Query(_)
        | Predicate::QueryRegexp(_)
        | Predicate::QueryTemplate(_) => vec![Entry::anywhere(vec![node])],
    }
}

/// Returns the pattern and, where it ends with a dot, the pattern without.
fn spellings(pattern: &str) -> impl Iterator<Item = &str> {
    [Some(pattern), pattern.strip_suffix('.')]
        .into_iter()
        .flatten()
}

fn like(pattern: &str) -> HostKey<'_> {
    pattern
        .strip_prefix('*')
        .map_or(HostKey::Exact(pattern), HostKey::Under)
}

fn starts_with(prefix: &[u8]) -> PathKey<'_> {
    PathKey {
        is_whole: false,
        prefix,
    }
}

/// Combines the entries of conditions that must hold together: those of `left`, which come from `lefts`, and those of `right`.
fn both<'m>(
    left: &[Entry<'m>],
    lefts: &[&'m Node],
    right: &[Entry<'m>],
    right_node: &'m Node,
) -> Vec<Entry<'m>> {
    if left.len().saturating_mul(right.len()) > MAX_PRODUCT {
        let has_hosts = |side: &[Entry<'_>]| side.iter().all(|entry| entry.host != HostKey::Any);
        return if has_hosts(left) || !has_hosts(right) {
            left.iter()
                .map(|entry| entry.clone().and(&[right_node]))
                .collect()
        } else {
            right.iter().map(|entry| entry.clone().and(lefts)).collect()
        };
    }
    let pairs = left
        .iter()
        .flat_map(|left| right.iter().map(move |right| (left, right)));
    pairs
        .map(|(left, right)| narrowed(left, lefts, right, right_node))
        .collect()
}

/// Takes the host and the path from whichever side says more about them. A side that is not needed for what it says is
/// checked as a whole.
fn narrowed<'m>(
    left: &Entry<'m>,
    lefts: &[&'m Node],
    right: &Entry<'m>,
    right_node: &'m Node,
) -> Entry<'m> {
    let host = if right.host.weight() > left.host.weight() {
        right.host
    } else {
        left.host
    };
    let path = left.path.max_specific(right.path);
    let follows = |side: &Entry<'_>| {
        (side.host == HostKey::Any || side.host == host)
            && (side.path.is_any() || side.path == path)
    };
    let left_residual = if follows(left) {
        left.residual.clone()
    } else {
        Some(lefts.to_vec())
    };
    let entry = Entry {
        host,
        path,
        residual: left_residual,
    };
    match &right.residual {
        Some(residual) if follows(right) => entry.and(residual),
        _ => entry.and(&[right_node]),
    }
}

impl<'m> PathKey<'m> {
    fn max_specific(self, other: Self) -> Self {
        let weight = |key: Self| (key.is_whole, key.prefix.len());
        if weight(other) > weight(self) {
            other
        } else {
            self
        }
    }
}

impl<'m> Entry<'m> {
    /// Tells whether the entry stands among others by its path.
    pub(super) fn is_by_path(&self) -> bool {
        !matches!(self.host, HostKey::StartingWith(_) | HostKey::EndingWith(_))
    }

    /// Returns the text by which the entry stands among others.
    pub(super) fn text(&self) -> Cow<'m, [u8]> {
        match self.host {
            HostKey::Any | HostKey::Exact(_) | HostKey::Under(_) => Cow::Borrowed(self.path.prefix),
            HostKey::StartingWith(start) => Cow::Borrowed(start),
            HostKey::EndingWith(end) => Cow::Owned(backwards(end).into_vec()),
        }
    }

    fn anywhere(residual: Vec<&'m Node>) -> Self {
        Self {
            host: HostKey::Any,
            path: PathKey::ANY,
            residual: Some(residual),
        }
    }

    fn at_host(host: HostKey<'m>) -> Self {
        Self {
            host,
            ..Self::anywhere(Vec::new())
        }
    }

    fn at_path(path: PathKey<'m>, residual: Vec<&'m Node>) -> Self {
        Self {
            path,
            ..Self::anywhere(residual)
        }
    }

    fn is_anywhere(&self) -> bool {
        self.host == HostKey::Any && self.path.is_any()
    }

    /// Adds conditions to check.
    fn and(self, conditions: &[&'m Node]) -> Self {
        let residual = self
            .residual
            .filter(|residual| residual.len() + conditions.len() <= MAX_RESIDUAL);
        let residual = residual.map(|residual| [&*residual, conditions].concat());
        Self { residual, ..self }
    }
}

/// Reverses a host, on the stack unless it is longer than any real one.
pub(super) fn backwards(host: &[u8]) -> SmallVec<[u8; 256]> {
    host.iter().rev().copied().collect()
}
