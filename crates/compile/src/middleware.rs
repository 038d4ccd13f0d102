//! Middlewares: names become a stack, chains expanded.

use std::collections::{BTreeMap, BTreeSet};

use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_middleware::{Definition, Error, Headers, Kind, Middleware, Stack};

use crate::asked::{Added, Ask, Building};
use crate::error::BuildError;
use crate::outcome::{OutcomeByName, Stale};
use crate::reason::{MIDDLEWARE_UNUSABLE, NOT_SERVED};
use crate::report::Verdict;

/// Chains of chains can multiply; longer stacks are refused.
const MAX_STACK: usize = 1_000;
/// Chains nested deeper are refused.
const MAX_DEPTH: usize = 64;

/// Kinds without which a request is served all the same: they change how, not who may.
///
/// Every other kind that is not served yet closes the router.
const HARMLESS: &[Kind] = &[
    Kind::Buffering,
    Kind::CircuitBreaker,
    Kind::Compress,
    Kind::ContentType,
    Kind::Errors,
    Kind::Retry,
];

/// Options of the headers middleware that decide who may pass.
const GUARDING_HEADERS: &[&str] = &["allowedHosts"];

/// The middlewares of one configuration, built on demand and once.
pub(crate) struct Middlewares<'c> {
    configured: &'c Elements<dynamic::Middleware>,
    /// Those of the generation before, to tell what has changed.
    before: Option<&'c Elements<dynamic::Middleware>>,
    pub(crate) building: Building<'c, Vec<Middleware>>,
    verdicts: BTreeMap<QualifiedName, Verdict>,
}

impl<'c> Middlewares<'c> {
    pub(crate) fn new(
        configured: &'c Elements<dynamic::Middleware>,
        before: Option<&'c Elements<dynamic::Middleware>>,
        base: &'c OutcomeByName<Vec<Middleware>>,
        stale: &'c Stale,
    ) -> Self {
        Self {
            configured,
            before,
            building: Building::new(Ask::Middleware, base, stale),
            verdicts: BTreeMap::new(),
        }
    }

    /// What was built.
    pub(crate) fn finish(self) -> Added<Vec<Middleware>> {
        self.building.finish(self.verdicts)
    }

    /// Whether a list of references means what it meant in the generation before.
    pub(crate) fn unchanged(&self, references: &[String], element: &QualifiedName) -> bool {
        let Some(before) = self.before else {
            return false;
        };
        let mut names: Vec<_> = references
            .iter()
            .map(|reference| element.resolve(reference))
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = names.pop() {
            let now = self.configured.get(name.as_str());
            if now != before.get(name.as_str()) {
                return false;
            }
            let chain = now.and_then(|middleware| middleware.chain.as_ref());
            if seen.insert(name.clone()) {
                names.extend(
                    chain
                        .into_iter()
                        .flat_map(|chain| &chain.middlewares)
                        .map(|link| name.resolve(link)),
                );
            }
        }
        true
    }

    /// The stack that a list of references inside an element means.
    pub(crate) fn stack(
        &mut self,
        references: &[String],
        element: &QualifiedName,
    ) -> Result<Stack, BuildError> {
        Ok(self
            .list(references, element, &mut Vec::new())?
            .into_iter()
            .collect())
    }

    fn list(
        &mut self,
        references: &[String],
        element: &QualifiedName,
        path: &mut Vec<QualifiedName>,
    ) -> Result<Vec<Middleware>, BuildError> {
        let mut list = Vec::new();
        for reference in references {
            list.extend(self.expanded(&element.resolve(reference), path)?);
            if list.len() > MAX_STACK {
                return Err(BuildError::invalid(format!(
                    "more than {MAX_STACK} middlewares in a row"
                )));
            }
        }
        Ok(list)
    }

    fn expanded(
        &mut self,
        name: &QualifiedName,
        path: &mut Vec<QualifiedName>,
    ) -> Result<Vec<Middleware>, BuildError> {
        if let Some(built) = self.building.ask(name) {
            return built;
        }
        let Some(configured) = self.configured.get(name.as_str()) else {
            return Err(BuildError::invalid(format!(
                "middleware \"{name}\" does not exist"
            )));
        };
        if path.contains(name) {
            self.building.depends_on_order = true;
            let circle: Vec<_> = path
                .iter()
                .chain([name])
                .map(|name| format!("middleware:{name}"))
                .collect();
            return Err(BuildError::invalid(format!(
                "could not instantiate middleware {name}: recursion detected in {}",
                circle.join("->")
            )));
        }
        if path.len() >= MAX_DEPTH {
            self.building.depends_on_order = true;
            return Err(BuildError::invalid(format!(
                "chains are nested more than {MAX_DEPTH} deep"
            )));
        }
        path.push(name.clone());
        let mark = self.building.log.mark();
        let built = self.build(name, configured, path);
        path.pop();
        if let Err(error) = &built {
            self.verdicts.entry(name.clone()).or_default().disable(
                error.reason(MIDDLEWARE_UNUSABLE),
                "",
                error.to_string(),
            );
        }
        let asked = self.building.log.since(mark).collect();
        self.building.add(name, built.clone(), asked);
        built
    }

    fn build(
        &mut self,
        name: &QualifiedName,
        configured: &dynamic::Middleware,
        path: &mut Vec<QualifiedName>,
    ) -> Result<Vec<Middleware>, BuildError> {
        match Definition::new(name.as_str(), configured) {
            Ok(Definition::Chain(chain)) => self.list(chain.names(), name, path),
            Ok(Definition::Middleware(middleware)) => {
                self.judge_headers(name, configured)?;
                Ok(vec![middleware])
            }
            Err(Error::NotServed(kind)) if HARMLESS.contains(&kind) => {
                self.not_served(
                    name,
                    format!("{kind} is not served yet: requests pass without it"),
                );
                Ok(Vec::new())
            }
            Err(Error::NotServed(kind)) => Err(must_not_pass_without(name, kind.name())),
            Err(error) => Err(BuildError::invalid(error.to_string())),
        }
    }

    fn judge_headers(
        &mut self,
        name: &QualifiedName,
        configured: &dynamic::Middleware,
    ) -> Result<(), BuildError> {
        let unserved: Vec<_> = configured
            .headers
            .iter()
            .flat_map(Headers::unserved)
            .collect();
        if let Some(guard) = unserved
            .iter()
            .find(|option| GUARDING_HEADERS.contains(option))
        {
            return Err(must_not_pass_without(name, guard));
        }
        if !unserved.is_empty() {
            let options = unserved.join(", ");
            self.not_served(
                name,
                format!("headers: {options} not served yet: requests pass without"),
            );
        }
        Ok(())
    }

    fn not_served(&mut self, name: &QualifiedName, message: String) {
        self.verdicts
            .entry(name.clone())
            .or_default()
            .warn(NOT_SERVED, "", message);
    }
}

fn must_not_pass_without(name: &QualifiedName, what: &str) -> BuildError {
    BuildError::not_served(format!(
        "middleware \"{name}\": {what} is not served yet, and requests must not pass without it"
    ))
}
