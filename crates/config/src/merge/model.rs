//! What entry points give to their routers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Model, Names};
use crate::diagnostic::{Consequence, Diagnostic, Subject};
use crate::dynamic::{Router, RouterObservability};
use crate::elements::Elements;
use crate::reason;

type Routers = Elements<Router>;

/// Gives to each root router what its entry points give.
///
/// A router on several entry points becomes one copy, `<entry point>-<router>`, for each that gives
/// anything, and keeps its name on the others. Its children become children of all copies.
pub(super) fn apply(
    routers: &mut Routers,
    models: &BTreeMap<String, Model>,
    unsaid: &Unsaid,
) -> Vec<Diagnostic> {
    if models.is_empty() {
        let roots = routers
            .values_mut()
            .filter(|router| router.parent_refs.is_empty());
        roots.for_each(|root| unsaid.fill_in(root));
        return Vec::new();
    }
    let written: Names = routers.keys().map(ToString::to_string).collect();
    let mut found = Vec::new();
    let mut result = Vec::new();
    let mut copies: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, router) in &*routers {
        if !router.parent_refs.is_empty() {
            result.push((name.to_string(), (**router).clone()));
            continue;
        }
        let parts = split(name, (**router).clone(), models);
        let is_itself = matches!(&parts[..], [(only, _)] if *only == **name);
        for (copy, router) in parts {
            if copy != **name && written.contains(&copy) {
                found.push(taken(name, &copy));
                continue;
            }
            if !is_itself {
                let copies: &mut Vec<_> = copies.entry(name.to_string()).or_default();
                copies.push(copy.clone());
            }
            result.push((copy, router));
        }
    }
    for (_, router) in &mut result {
        follow(&mut router.parent_refs, &copies);
        if router.parent_refs.is_empty() {
            unsaid.fill_in(router);
        }
    }
    *routers = result.into_iter().collect();
    found
}

/// What becomes of a router that has nothing to do with others.
pub(super) fn made_of(
    name: &str,
    router: Router,
    models: &BTreeMap<String, Model>,
    unsaid: &Unsaid,
) -> Vec<(String, Router)> {
    if !router.parent_refs.is_empty() {
        return vec![(name.to_owned(), router)];
    }
    let mut made = split(name, router, models);
    for (_, router) in &mut made {
        unsaid.fill_in(router);
    }
    made
}

/// The router once for each entry point that gives anything, and once for all others.
fn split(
    name: &str,
    mut router: Router,
    models: &BTreeMap<String, Model>,
) -> Vec<(String, Router)> {
    if let [entry_point] = &router.entry_points[..] {
        if let Some(model) = models.get(entry_point) {
            give(&mut router, model);
        }
        return vec![(name.to_owned(), router)];
    }
    let mut parts = Vec::new();
    let mut others = Vec::new();
    for entry_point in &*router.entry_points {
        let Some(model) = models.get(entry_point) else {
            others.push(entry_point.clone());
            continue;
        };
        let mut copy = router.clone();
        copy.entry_points = [entry_point.clone()].into();
        give(&mut copy, model);
        let name = format!("{entry_point}-{name}");
        if parts.iter().all(|(part, _)| *part != name) {
            parts.push((name, copy));
        }
    }
    if !others.is_empty() || parts.is_empty() {
        router.entry_points = others.into();
        parts.insert(0, (name.to_owned(), router));
    }
    parts
}

fn give(router: &mut Router, model: &Model) {
    if !model.middlewares.is_empty() {
        let all = model.middlewares.iter().chain(&*router.middlewares);
        router.middlewares = all.cloned().collect();
    }
    if router.tls.is_none() {
        router.tls.clone_from(&model.tls);
    }
    // Traefik: the internal routers' `default` stays what it is.
    if let Some(syntax) = model.rule_syntax
        && router.rule_syntax.is_empty()
    {
        router.rule_syntax = syntax.as_str().into();
    }
    if let Some(given) = &model.observability {
        let own = Arc::make_mut(router.observability.get_or_insert_default());
        own.access_logs.get_or_insert(given.access_logs);
        own.metrics.get_or_insert(given.metrics);
        own.tracing.get_or_insert(given.tracing);
        if own.trace_verbosity.is_empty() {
            own.trace_verbosity.clone_from(&given.trace_verbosity);
        }
    }
}

/// What holds where nobody says anything about observing a root router; most share it.
#[derive(Debug, Clone)]
pub(super) struct Unsaid(Arc<RouterObservability>);

impl Default for Unsaid {
    fn default() -> Self {
        Self(Arc::new(RouterObservability {
            access_logs: Some(true),
            metrics: Some(true),
            tracing: Some(true),
            trace_verbosity: "minimal".to_owned(),
            metadata: None,
        }))
    }
}

impl Unsaid {
    fn fill_in(&self, router: &mut Router) {
        let Some(said) = &mut router.observability else {
            router.observability = Some(Arc::clone(&self.0));
            return;
        };
        let said = Arc::make_mut(said);
        said.access_logs = said.access_logs.or(self.0.access_logs);
        said.metrics = said.metrics.or(self.0.metrics);
        said.tracing = said.tracing.or(self.0.tracing);
        if said.trace_verbosity.is_empty() {
            said.trace_verbosity.clone_from(&self.0.trace_verbosity);
        }
    }
}

/// Makes a child of a router a child of its copies.
///
/// Traefik: forgets parents that do not exist, so that a child can become a root and skip what its
/// parents demand. Here they stay, and the child is refused for them.
fn follow(parents: &mut Arc<[String]>, copies: &BTreeMap<String, Vec<String>>) {
    if parents.iter().any(|parent| copies.contains_key(parent)) {
        let followed = parents.iter().flat_map(|parent| {
            let itself = std::slice::from_ref(parent);
            copies.get(parent).map_or(itself, Vec::as_slice)
        });
        *parents = followed.cloned().collect();
    }
}

fn taken(name: &str, copy: &str) -> Diagnostic {
    let message =
        format!("its copy for one entry point would be named {copy}, and so is another router");
    Diagnostic::error(
        Subject::named("router", name),
        reason::DUPLICATE_NAME,
        message,
    )
    .leads_to(Consequence::PartLeftOut)
}
