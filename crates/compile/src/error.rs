//! Why a part cannot be built.

use std::fmt;

use traefikrs_config::diagnostic::Reason;

use crate::reason::NOT_SERVED;

/// Why a service or middleware cannot be built, and what that means for the routers that need it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BuildError {
    pub(crate) kind: BuildErrorKind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BuildErrorKind {
    /// Traefik refuses it too: the router takes no requests.
    Invalid,
    /// Traefik would serve it and this version does not: the router answers 503.
    NotServed,
    /// Traefik would serve it otherwise than it was asked to, or fail each request: the router answers 503.
    Closed,
}

impl BuildError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: BuildErrorKind::Invalid,
            message: message.into(),
        }
    }

    pub(crate) fn not_served(message: impl Into<String>) -> Self {
        Self {
            kind: BuildErrorKind::NotServed,
            message: message.into(),
        }
    }

    pub(crate) fn closed(message: impl Into<String>) -> Self {
        Self {
            kind: BuildErrorKind::Closed,
            message: message.into(),
        }
    }

    /// The reason to report: the given one, unless the part is only not served yet.
    pub(crate) fn reason(&self, invalid: Reason) -> Reason {
        match self.kind {
            BuildErrorKind::Invalid | BuildErrorKind::Closed => invalid,
            BuildErrorKind::NotServed => NOT_SERVED,
        }
    }

    /// Says what was being built.
    #[must_use]
    pub(crate) fn within(self, what: &str) -> Self {
        Self {
            kind: self.kind,
            message: format!("{what}: {}", self.message),
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
