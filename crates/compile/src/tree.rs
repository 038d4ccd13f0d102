//! Parents and children: which routers are matched under which.

use std::collections::{BTreeMap, BTreeSet};

use traefikrs_config::elements::{Change, Elements};
use traefikrs_config::{QualifiedName, dynamic};

use crate::reason::INVALID_ROUTER_TREE;
use crate::report::Verdict;

/// Deeper trees are refused: each level is a table inside a table.
const MAX_DEPTH: usize = 64;

const LEADS_NOWHERE: &str = "router has no service and no child routers";

/// The routers of a configuration as a forest.
///
/// Routers that have neither parents nor children are no part of it.
#[derive(Debug, Default)]
pub(crate) struct RouterTree {
    children: BTreeMap<QualifiedName, BTreeSet<QualifiedName>>,
    /// Parents and children, be they there or only referred to.
    members: BTreeSet<QualifiedName>,
    verdicts: BTreeMap<QualifiedName, Verdict>,
}

impl RouterTree {
    /// Links routers to their parents, and judges each router by its place.
    ///
    /// Traefik: checks and texts of `pkg/server/router.ParseRouterTree`.
    pub(crate) fn new(routers: &Elements<dynamic::Router>) -> Self {
        let mut tree = Self::default();
        for (name, router) in routers.iter().filter(|(_, router)| !is_root(router)) {
            let name = QualifiedName::of(name, "");
            let verdict = tree.verdicts.entry(name.clone()).or_default();
            tree.members.insert(name.clone());
            for parent in &*router.parent_refs {
                let parent = name.resolve(parent);
                tree.members.insert(parent.clone());
                if routers.contains_key(parent.as_str()) {
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
        let reached = tree.walk(routers);
        tree.judge_ends(routers, &reached);
        tree
    }

    /// Whether a change of routers can change the forest.
    pub(crate) fn is_touched_by(&self, changes: &[Change<'_, dynamic::Router>]) -> bool {
        changes.iter().any(|change| {
            let mut routers = change.before.into_iter().chain(change.now);
            self.members.contains(&**change.name) || routers.any(|router| !is_root(router))
        })
    }

    /// Parents and children, be they there or only referred to.
    pub(crate) fn members(&self) -> &BTreeSet<QualifiedName> {
        &self.members
    }

    /// What a router's place says about it.
    pub(crate) fn verdict(&self, name: &QualifiedName, router: &dynamic::Router) -> Verdict {
        if self.members.contains(name) {
            return self.verdicts.get(name).cloned().unwrap_or_default();
        }
        let mut verdict = Verdict::default();
        if router.service.is_empty() {
            verdict.disable(INVALID_ROUTER_TREE, "", LEADS_NOWHERE);
        }
        verdict
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
    fn walk(&mut self, routers: &Elements<dynamic::Router>) -> BTreeSet<QualifiedName> {
        let mut reached = BTreeSet::new();
        let members = self.members.iter();
        let roots = members.filter(|name| {
            let router = routers.get(name.as_str());
            router.is_some_and(|router| is_root(router))
        });
        for root in roots.cloned().collect::<Vec<_>>() {
            self.walk_from(&root, &mut Vec::new(), &mut reached);
        }
        reached
    }

    fn walk_from(
        &mut self,
        name: &QualifiedName,
        path: &mut Vec<QualifiedName>,
        reached: &mut BTreeSet<QualifiedName>,
    ) {
        if path.len() >= MAX_DEPTH {
            let message = format!("router is more than {MAX_DEPTH} levels below its root");
            self.verdicts.entry(name.clone()).or_default().disable(
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
                self.verdicts.entry(name.clone()).or_default().warn(
                    INVALID_ROUTER_TREE,
                    "parentRefs",
                    message,
                );
                if let Some(siblings) = self.children.get_mut(name) {
                    siblings.remove(&child);
                }
            } else if !reached.contains(&child) {
                self.walk_from(&child, path, reached);
            }
        }
        path.pop();
    }

    fn judge_ends(
        &mut self,
        routers: &Elements<dynamic::Router>,
        reached: &BTreeSet<QualifiedName>,
    ) {
        for name in &self.members {
            let Some(router) = routers.get(name.as_str()) else {
                continue;
            };
            let problem = if !reached.contains(name) {
                "router is not reachable"
            } else {
                let is_parent = self
                    .children
                    .get(name)
                    .is_some_and(|children| !children.is_empty());
                match (router.service.is_empty(), is_parent) {
                    (true, false) => LEADS_NOWHERE,
                    (false, true) => {
                        "router has both a service and is referenced as a parent by other routers"
                    }
                    (true, true) | (false, false) => continue,
                }
            };
            self.verdicts.entry(name.clone()).or_default().disable(
                INVALID_ROUTER_TREE,
                "",
                problem,
            );
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
