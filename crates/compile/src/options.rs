//! What is known before any configuration comes.

use std::collections::BTreeMap;

use traefikrs_router::Precedence;
use traefikrs_tls::Roots;

use crate::compiled::DeniedCharacters;

/// What the static configuration and the system say that matters for routes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The entry points that serve HTTP, by name.
    pub entry_points: BTreeMap<String, EntryPointOptions>,
    /// Which provider wins among routers of equal priority.
    pub precedence: Precedence,
    /// The authorities that servers transports trust which name none: those of the system.
    pub system_roots: Roots,
}

/// What an entry point says that matters for its routes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryPointOptions {
    /// Encoded characters that it refuses in paths.
    pub denied: DeniedCharacters,
}
