//! Parents and children: which routers are matched under which.

use std::collections::{BTreeMap, BTreeSet};

use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};

use crate::reason::INVALID_ROUTER_TREE;
use crate::report::Verdict;

/// Deeper trees are refused: each level is a table inside a table.
const MAX_DEPTH: usize = 64;

/// The routers of a configuration as a forest.
#[derive(Debug, Default)]
pub(crate) struct RouterTree {
    children: BTreeMap<QualifiedName, BTreeSet<QualifiedName>>,
}

impl RouterTree {
    /// Links routers to their parents, and judges each router by its place.
    ///
    /// Traefik: checks and texts of `pkg/server/router.ParseRouterTree`.
    pub(crate) fn new(
        routers: &Elements<dynamic::Router, QualifiedName>,
        verdicts: &mut BTreeMap<QualifiedName, Verdict>,
    ) -> Self {
        let mut tree = Self::default();
        for (name, router) in routers.iter().filter(|(_, router)| !is_root(router)) {
            let verdict = verdicts.entry(name.clone()).or_default();
            for parent in &router.parent_refs {
                let parent = name.resolve(parent);
                if routers.contains_key(&parent) {
                    tree.children
                        .entry(parent)
                        .or_default()
                        .insert(name.clone());
                } else {
                    verdict.disable(
                        INVALID_ROUTER_TREE,
                        "parentRefs",
                        format!("parent router \"{parent}\" does not exist"),
                    );
                }
            }
            if let Some(part) = part_of_roots_only(router) {
                verdict.disable(
                    INVALID_ROUTER_TREE,
                    "",
                    format!("non-root router cannot have {part} configuration"),
                );
            }
        }
        let reached = tree.walk(routers, verdicts);
        tree.judge_ends(routers, &reached, verdicts);
        tree
    }

    /// The children of a router, in the order of their names.
    pub(crate) fn children(&self, parent: &QualifiedName) -> impl Iterator<Item = &QualifiedName> {
        self.children.get(parent).into_iter().flatten()
    }

    pub(crate) fn is_parent(&self, name: &QualifiedName) -> bool {
        self.children
            .get(name)
            .is_some_and(|children| !children.is_empty())
    }

    /// Walks down from the roots, cutting each link that leads back to the path it is on.
    fn walk(
        &mut self,
        routers: &Elements<dynamic::Router, QualifiedName>,
        verdicts: &mut BTreeMap<QualifiedName, Verdict>,
    ) -> BTreeSet<QualifiedName> {
        let mut reached = BTreeSet::new();
        for (root, _) in routers.iter().filter(|(_, router)| is_root(router)) {
            let mut path = Vec::new();
            self.walk_from(root, &mut path, &mut reached, verdicts);
        }
        reached
    }

    fn walk_from(
        &mut self,
        name: &QualifiedName,
        path: &mut Vec<QualifiedName>,
        reached: &mut BTreeSet<QualifiedName>,
        verdicts: &mut BTreeMap<QualifiedName, Verdict>,
    ) {
        if path.len() >= MAX_DEPTH {
            let message = format!("router is more than {MAX_DEPTH} levels below its root");
            verdicts.entry(name.clone()).or_default().disable(
                INVALID_ROUTER_TREE,
                "parentRefs",
                message,
            );
            return;
        }
        reached.insert(name.clone());
        path.push(name.clone());
        let children: Vec<_> = self.children(name).cloned().collect();
        for child in children {
            if let Some(start) = path.iter().position(|ancestor| *ancestor == child) {
                let circle: Vec<_> = path[start..]
                    .iter()
                    .chain([&child])
                    .map(QualifiedName::as_str)
                    .collect();
                let message = format!(
                    "cyclic reference detected in router tree: {}",
                    circle.join(" -> ")
                );
                verdicts.entry(name.clone()).or_default().warn(
                    INVALID_ROUTER_TREE,
                    "parentRefs",
                    message,
                );
                if let Some(siblings) = self.children.get_mut(name) {
                    siblings.remove(&child);
                }
            } else if !reached.contains(&child) {
                self.walk_from(&child, path, reached, verdicts);
            }
        }
        path.pop();
    }

    fn judge_ends(
        &self,
        routers: &Elements<dynamic::Router, QualifiedName>,
        reached: &BTreeSet<QualifiedName>,
        verdicts: &mut BTreeMap<QualifiedName, Verdict>,
    ) {
        for (name, router) in routers {
            let problem = if !reached.contains(name) {
                "router is not reachable"
            } else {
                match (router.service.is_empty(), self.is_parent(name)) {
                    (true, false) => "router has no service and no child routers",
                    (false, true) => {
                        "router has both a service and is referenced as a parent by other routers"
                    }
                    (true, true) | (false, false) => continue,
                }
            };
            verdicts
                .entry(name.clone())
                .or_default()
                .disable(INVALID_ROUTER_TREE, "", problem);
        }
    }
}

pub(crate) fn is_root(router: &dynamic::Router) -> bool {
    router.parent_refs.is_empty()
}

fn part_of_roots_only(router: &dynamic::Router) -> Option<&'static str> {
    if router.tls.is_some() {
        Some("TLS")
    } else if router.observability.is_some() {
        Some("Observability")
    } else if !router.entry_points.is_empty() {
        Some("Entrypoints")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
