use traefikrs_config::dynamic;

/// Several middlewares under one name, in order of execution.
///
/// The names mean nothing here: who compiles a configuration puts the middlewares in the place of their chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    names: Vec<String>,
}

impl Chain {
    /// A chain as it was written; an empty one lets everything pass.
    pub fn new(config: &dynamic::Chain) -> Self {
        Self {
            names: config.middlewares.clone(),
        }
    }

    /// The names as they were written.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}
