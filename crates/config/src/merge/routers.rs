//! Routers get their full names and what their entry points give.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Configurations, MergeOptions, Model, changes_of, model};
use crate::diagnostic::Diagnostic;
use crate::dynamic::Router;
use crate::elements::{Change, Elements};
use crate::name::{QualifiedName, qualify};

/// The routers of all providers.
#[derive(Debug, Clone, Default)]
pub(super) struct Routers {
    pub(super) routers: Elements<Router>,
    pub(super) diagnostics: Vec<Diagnostic>,
    unsaid: model::Unsaid,
    /// Whether what became of each router depends on nothing but itself.
    is_plain: bool,
}

impl Routers {
    /// The routers, given what they were and of what.
    pub(super) fn next(
        &self,
        before: &Configurations,
        now: &Configurations,
        options: &MergeOptions,
    ) -> Self {
        let mut changes = Vec::new();
        for provider in super::providers(before, now) {
            let of_provider = changes_of(provider, before, now, |http| &http.routers);
            changes.extend(of_provider.map(|change| (provider, change)));
        }
        let is_plain = !can_depend_on_others(now, &options.models);
        if self.is_plain && is_plain && !can_meet(&changes, now, options) {
            return self.after(&changes, options);
        }
        let mut all = all(now, options);
        let diagnostics = model::apply(&mut all, &options.models, &self.unsaid);
        Self {
            routers: all.shared_with(&self.routers),
            is_plain: is_plain && diagnostics.is_empty(),
            diagnostics,
            unsaid: self.unsaid.clone(),
        }
    }

    fn after(&self, changes: &[(&str, Change<'_, Router>)], options: &MergeOptions) -> Self {
        let made_of = |provider: &str, name: &str, router: Option<&Arc<Router>>| {
            let router = router.map(|router| prepared(provider, name, router, options));
            let made = router
                .map(|(name, router)| model::made_of(&name, router, &options.models, &self.unsaid));
            made.into_iter().flatten()
        };
        let mut routers = self.routers.clone();
        for (provider, change) in changes {
            for (name, _) in made_of(provider, change.name, change.before) {
                routers.remove(name.as_str());
            }
        }
        let made = changes
            .iter()
            .flat_map(|(provider, change)| made_of(provider, change.name, change.now));
        routers.extend(made);
        Self {
            routers,
            diagnostics: Vec::new(),
            unsaid: self.unsaid.clone(),
            is_plain: true,
        }
    }
}

fn all(configurations: &Configurations, options: &MergeOptions) -> Elements<Router> {
    let all = configurations.iter().filter_map(|(provider, own)| {
        let routers = own.http.as_ref()?.routers.iter();
        Some(routers.map(|(name, router)| prepared(provider, name, router, options)))
    });
    all.flatten().collect()
}

/// A router with its full name, those of its parents and its entry points.
fn prepared(
    provider: &str,
    name: &str,
    router: &Router,
    options: &MergeOptions,
) -> (String, Router) {
    let mut router = router.clone();
    if !router.parent_refs.is_empty() {
        let parents = router.parent_refs.iter();
        let parents = parents.map(|parent| qualify(parent, provider).into_owned());
        router.parent_refs = parents.collect();
    }
    if router.parent_refs.is_empty() && router.entry_points.is_empty() {
        router.entry_points = Arc::clone(&options.default_entry_points);
    }
    (QualifiedName::new(name, provider).to_string(), router)
}

/// Whether something can become of a router because of another: children follow the copies of their
/// parents, and copies of two routers may have one name.
fn can_depend_on_others(configurations: &Configurations, models: &BTreeMap<String, Model>) -> bool {
    let https = configurations.values().filter_map(|own| own.http.as_ref());
    let mut routers = https.flat_map(|http| http.routers.values());
    let mut names = models.keys();
    !models.is_empty()
        && (names.any(|name| models.keys().any(|other| is_copy_at(other, name)))
            || routers.any(|router| !router.parent_refs.is_empty()))
}

/// Whether the copy of a router can have the name of another.
fn can_meet(
    changes: &[(&str, Change<'_, Router>)],
    now: &Configurations,
    options: &MergeOptions,
) -> bool {
    let is_written = |name: &str, provider: &str| {
        let http = now.get(provider).and_then(|own| own.http.as_ref());
        http.is_some_and(|http| http.routers.contains_key(name))
    };
    options.models.keys().any(|entry_point| {
        changes.iter().any(|(provider, change)| {
            let copy = format!("{entry_point}-{}", change.name);
            let original = change.name.strip_prefix(&format!("{entry_point}-"));
            is_written(&copy, provider)
                || original.is_some_and(|original| is_written(original, provider))
        })
    })
}

fn is_copy_at(name: &str, entry_point: &str) -> bool {
    let rest = name.strip_prefix(entry_point);
    rest.is_some_and(|rest| rest.starts_with('-'))
}
