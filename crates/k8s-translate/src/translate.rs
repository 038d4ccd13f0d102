//! One cluster in, one configuration out.

use traefikrs_config::Diagnostic;
use traefikrs_config::dynamic::Configuration;

use crate::{Cluster, Options};

/// What a cluster asks for, and what of it does not work.
#[derive(Debug, Clone, Default)]
pub struct Translation {
    /// The configuration; names are not qualified by their provider yet.
    pub configuration: Configuration,
    /// One entry for each thing that does not work or is likely not meant.
    pub diagnostics: Vec<Diagnostic>,
}

/// What configuration do these objects ask for?
///
/// Total and deterministic: every cluster gives a configuration, a broken object disables itself
/// and is reported, and the order in which objects were applied does not matter.
pub fn translate(_cluster: &Cluster, _options: &Options) -> Translation {
    Translation::default()
}
