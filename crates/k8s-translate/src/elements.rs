//! The elements of a configuration while it is made, and who defined each.

use std::collections::BTreeMap;
use std::rc::Rc;

use traefikrs_config::Diagnostic;
use traefikrs_config::diagnostic::{Consequence, Location, Subject};
use traefikrs_config::dynamic;

use crate::cluster::{Key, Kind, Object};
use crate::problem::{Path, Problem};
use crate::reason;

/// The object that is being translated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Owner {
    subject: Subject,
    location: Option<Location>,
}

impl Owner {
    pub(crate) fn new<T>(kind: Kind, key: &Key, object: &Object<T>) -> Rc<Self> {
        Rc::new(Self {
            subject: Subject::object(kind.as_str(), &key.namespace, &key.name),
            location: object.location.clone(),
        })
    }
}

/// The elements so far, and what was found on the way.
#[derive(Debug)]
pub(crate) struct Elements {
    pub(crate) http: dynamic::Http,
    pub(crate) tls: dynamic::Tls,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// By what an element is and its name.
    owners: BTreeMap<(&'static str, String), Rc<Owner>>,
    safe_naming: bool,
}

impl Elements {
    pub(crate) fn new(safe_naming: bool, diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            http: dynamic::Http::default(),
            tls: dynamic::Tls::default(),
            diagnostics,
            owners: BTreeMap::new(),
            safe_naming,
        }
    }

    /// Says what is wrong with an object.
    pub(crate) fn report(&mut self, owner: &Rc<Owner>, problems: Vec<Problem>) {
        let first = self.diagnostics.len();
        for problem in problems {
            let diagnostic = problem.diagnostic(owner.subject.clone(), owner.location.clone());
            // Routes of one object share parts of it, whose problems are said once.
            if !self.diagnostics[first..].contains(&diagnostic) {
                self.diagnostics.push(diagnostic);
            }
        }
    }

    pub(crate) fn add_services(
        &mut self,
        services: Vec<(String, dynamic::Service)>,
        owner: &Rc<Owner>,
    ) {
        for (name, service) in services {
            self.add(
                |elements| &mut elements.http.services,
                "service",
                name,
                service,
                owner,
            );
        }
    }

    /// Adds an element; one that already has the name is replaced, which is reported if they differ.
    pub(crate) fn add<T: PartialEq>(
        &mut self,
        elements: impl Fn(&mut Self) -> &mut traefikrs_config::elements::Elements<T>,
        what: &'static str,
        name: String,
        element: T,
        owner: &Rc<Owner>,
    ) {
        let differs = elements(self)
            .get(name.as_str())
            .is_some_and(|present| **present != element);
        let earlier = self.owners.insert((what, name.clone()), Rc::clone(owner));
        if let Some(earlier) = earlier.filter(|_| differs) {
            self.collision(what, &name, &earlier, owner);
        }
        elements(self).insert(name, element);
    }

    fn collision(&mut self, what: &str, name: &str, earlier: &Rc<Owner>, owner: &Rc<Owner>) {
        let way_out = if self.safe_naming {
            ""
        } else {
            " or set `safeNaming`"
        };
        let message = if earlier == owner {
            format!(
                "the {what} `{name}` is defined more than once, and the last definition counts; make them equal{way_out}"
            )
        } else {
            format!(
                "the {what} `{name}` is also defined by {}, whose definition counts; rename one{way_out}",
                owner.subject
            )
        };
        let problem = Problem::warning(reason::NAME_COLLISION, Path::SPEC, message);
        self.report(earlier, vec![problem.leads_to(Consequence::Overridden)]);
    }
}
