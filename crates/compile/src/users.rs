//! Which routers name an element?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use traefikrs_config::elements::{Change, Elements};
use traefikrs_config::{QualifiedName, dynamic};

use crate::asked::Ask;

/// The routers that name each service and each middleware, whether it is there or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Users {
    services: UsersByElement,
    middlewares: UsersByElement,
}

/// In the order of their names.
type UsersByElement = Elements<Vec<QualifiedName>, QualifiedName>;

impl Affected {
    pub(crate) fn add(&mut self, ask: &Ask) {
        match ask {
            Ask::Service(name) => drop(self.services.insert(name.clone())),
            Ask::Middleware(name) => drop(self.middlewares.insert(name.clone())),
            Ask::Transport(_) | Ask::Server(..) => {}
        }
    }
}

/// Elements of which something is to be told anew, such as that other routers name them.
#[derive(Debug, Default)]
pub(crate) struct Affected {
    pub(crate) services: BTreeSet<QualifiedName>,
    pub(crate) middlewares: BTreeSet<QualifiedName>,
}

impl Users {
    pub(crate) fn of_service(&self, name: &QualifiedName) -> Arc<Vec<QualifiedName>> {
        of(&self.services, name)
    }

    pub(crate) fn of_middleware(&self, name: &QualifiedName) -> Arc<Vec<QualifiedName>> {
        of(&self.middlewares, name)
    }

    /// Follows changes of routers.
    pub(crate) fn follow(&mut self, changes: &[Change<'_, dynamic::Router>]) -> Affected {
        Affected {
            services: follow(&mut self.services, changes, |router| vec![&*router.service]),
            middlewares: follow(&mut self.middlewares, changes, |router| {
                router.middlewares.iter().map(String::as_str).collect()
            }),
        }
    }
}

fn of(users: &UsersByElement, name: &QualifiedName) -> Arc<Vec<QualifiedName>> {
    users.get(name.as_str()).cloned().unwrap_or_default()
}

/// Routers that no longer name an element, and those that do now.
#[derive(Default)]
struct Moved {
    gone: BTreeSet<QualifiedName>,
    come: BTreeSet<QualifiedName>,
}

/// So many that move are looked for one by one among those that stay, which may be very many.
const FEW: usize = 16;

impl Moved {
    fn applied_to(&self, before: &[QualifiedName]) -> Vec<QualifiedName> {
        let Self { gone, come } = self;
        if gone.len() + come.len() > FEW {
            let stay = before.iter().filter(|user| !gone.contains(*user));
            let mut now: Vec<_> = stay.chain(come).cloned().collect();
            now.sort_unstable();
            return now;
        }
        let mut now = Vec::with_capacity(before.len() + come.len());
        now.extend_from_slice(before);
        for user in gone {
            if let Ok(place) = now.binary_search(user) {
                now.remove(place);
            }
        }
        for user in come {
            if let Err(place) = now.binary_search(user) {
                now.insert(place, user.clone());
            }
        }
        now
    }
}

fn follow(
    users: &mut UsersByElement,
    changes: &[Change<'_, dynamic::Router>],
    references: fn(&dynamic::Router) -> Vec<&str>,
) -> BTreeSet<QualifiedName> {
    let mut moved: BTreeMap<QualifiedName, Moved> = BTreeMap::new();
    for change in changes {
        let router = QualifiedName::of(change.name, "");
        let named = |configured: Option<&Arc<dynamic::Router>>| -> BTreeSet<_> {
            let references = configured.map_or_else(Vec::new, |configured| references(configured));
            let references = references
                .into_iter()
                .filter(|reference| !reference.is_empty());
            references
                .map(|reference| router.resolve(reference))
                .collect()
        };
        let (before, now) = (named(change.before), named(change.now));
        for element in before.difference(&now) {
            let moved = moved.entry(element.clone()).or_default();
            moved.gone.insert(router.clone());
        }
        for element in now.difference(&before) {
            let moved = moved.entry(element.clone()).or_default();
            moved.come.insert(router.clone());
        }
    }
    let mut changed = Vec::new();
    for (element, moved) in &moved {
        let before = users
            .get(element.as_str())
            .map_or(&[][..], |users| users.as_slice());
        let now = moved.applied_to(before);
        if now.is_empty() {
            users.remove(element.as_str());
        } else {
            changed.push((element.clone(), now));
        }
    }
    users.extend(changed);
    moved.into_keys().collect()
}
