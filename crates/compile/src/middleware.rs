//! Middlewares: names become a stack, chains expanded.

use std::collections::BTreeMap;
use std::sync::Arc;

use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_middleware::{Error, Middleware, Stack};

use crate::error::BuildError;
use crate::reason::{MIDDLEWARE_UNUSABLE, NOT_SERVED};
use crate::report::Verdict;

/// Chains of chains can multiply; longer stacks are refused.
const MAX_STACK: usize = 1_000;
/// Chains nested deeper are refused.
const MAX_DEPTH: usize = 64;

/// Kinds without which a request is served all the same: they change how, not who may.
///
/// Every other kind that is not served yet closes the router.
const HARMLESS: &[&str] = &["buffering", "circuitBreaker", "compress", "contentType", "errors", "retry"];

/// The middlewares of one configuration, built on demand and once.
pub(crate) struct Middlewares<'c> {
    configured: &'c BTreeMap<String, dynamic::Middleware>,
    built: BTreeMap<QualifiedName, Result<Vec<Arc<Middleware>>, BuildError>>,
    previous: Option<&'c Previous>,
    pub(crate) verdicts: BTreeMap<QualifiedName, Verdict>,
}

/// What a generation leaves to the next: middlewares that did not change stay the same value.
#[derive(Debug, Default)]
pub(crate) struct Previous {
    configured: BTreeMap<String, dynamic::Middleware>,
    built: BTreeMap<QualifiedName, Vec<Arc<Middleware>>>,
}

impl<'c> Middlewares<'c> {
    pub(crate) fn new(http: &'c dynamic::Http, previous: Option<&'c Previous>) -> Self {
        Self {
            configured: &http.middlewares,
            built: BTreeMap::new(),
            previous,
            verdicts: BTreeMap::new(),
        }
    }

    pub(crate) fn into_previous(self) -> Previous {
        let built = self.built.into_iter().filter_map(|(name, built)| Some((name, built.ok()?)));
        Previous {
            configured: self.configured.clone(),
            built: built.collect(),
        }
    }

    /// The stack that a list of references inside an element means.
    pub(crate) fn stack(&mut self, references: &[String], element: &QualifiedName) -> Result<Stack, BuildError> {
        Ok(Stack::new(self.list(references, element, &mut Vec::new())?))
    }

    fn list(
        &mut self,
        references: &[String],
        element: &QualifiedName,
        path: &mut Vec<QualifiedName>,
    ) -> Result<Vec<Arc<Middleware>>, BuildError> {
        let mut list = Vec::new();
        for reference in references {
            list.extend(self.expanded(&element.resolve(reference), path)?);
            if list.len() > MAX_STACK {
                return Err(BuildError::invalid(format!("more than {MAX_STACK} middlewares in a row")));
            }
        }
        Ok(list)
    }

    fn expanded(
        &mut self,
        name: &QualifiedName,
        path: &mut Vec<QualifiedName>,
    ) -> Result<Vec<Arc<Middleware>>, BuildError> {
        if let Some(built) = self.built.get(name) {
            return built.clone();
        }
        let Some(configured) = self.configured.get(name.as_str()) else {
            return Err(BuildError::invalid(format!("middleware \"{name}\" does not exist")));
        };
        if path.contains(name) {
            let circle: Vec<_> = path.iter().chain([name]).map(|name| format!("middleware:{name}")).collect();
            return Err(BuildError::invalid(format!(
                "could not instantiate middleware {name}: recursion detected in {}",
                circle.join("->")
            )));
        }
        if path.len() >= MAX_DEPTH {
            return Err(BuildError::invalid(format!("chains are nested more than {MAX_DEPTH} deep")));
        }
        path.push(name.clone());
        let built = self.build(name, configured, path);
        path.pop();
        if let Err(error) = &built {
            self.verdicts.entry(name.clone()).or_default().disable(
                error.reason(MIDDLEWARE_UNUSABLE),
                "",
                error.to_string(),
            );
        }
        self.built.insert(name.clone(), built.clone());
        built
    }

    fn build(
        &mut self,
        name: &QualifiedName,
        configured: &dynamic::Middleware,
        path: &mut Vec<QualifiedName>,
    ) -> Result<Vec<Arc<Middleware>>, BuildError> {
        if let Some(chain) = only_chain(configured) {
            return self.list(&chain.middlewares, name, path);
        }
        if let Some(unchanged) = self.unchanged(name, configured) {
            return Ok(unchanged);
        }
        match Middleware::new(name.as_str(), configured) {
            Ok(middleware) => Ok(vec![Arc::new(middleware)]),
            Err(Error::NotServed(kind)) if HARMLESS.contains(&kind) => {
                let verdict = self.verdicts.entry(name.clone()).or_default();
                verdict.warn(NOT_SERVED, "", format!("{kind} is not served yet: requests pass without it"));
                Ok(Vec::new())
            }
            Err(Error::NotServed(kind)) => Err(BuildError::not_served(format!(
                "middleware \"{name}\": {kind} is not served yet, and requests must not pass without it"
            ))),
            Err(error) => Err(BuildError::invalid(error.to_string())),
        }
    }

    fn unchanged(&self, name: &QualifiedName, configured: &dynamic::Middleware) -> Option<Vec<Arc<Middleware>>> {
        let previous = self.previous?;
        let same = previous.configured.get(name.as_str()) == Some(configured);
        // An empty list stands for one that is not served, which has to be said each time.
        same.then(|| previous.built.get(name)).flatten().filter(|built| !built.is_empty()).cloned()
    }
}

/// The chain, when the middleware is nothing else.
fn only_chain(configured: &dynamic::Middleware) -> Option<&dynamic::Chain> {
    let chain = configured.chain.as_ref()?;
    let alone = dynamic::Middleware {
        chain: Some(chain.clone()),
        ..dynamic::Middleware::default()
    };
    (*configured == alone).then_some(chain)
}
