//! What was found about each element, for people.

use traefikrs_config::QualifiedName;
use traefikrs_config::diagnostic::{Consequence, Diagnostic, Reason, Subject};
use traefikrs_config::dynamic;
use traefikrs_config::elements::Elements;

use crate::reason;
use crate::report::{Status, Verdict};

/// The diagnostics of those elements that have any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    pub(crate) routers: FindingsByElement,
    pub(crate) services: FindingsByElement,
    pub(crate) middlewares: FindingsByElement,
}

type FindingsByElement = Elements<Vec<Diagnostic>, QualifiedName>;

impl Findings {
    /// Everything, in the order of the stages.
    pub(crate) fn all(&self) -> Vec<Diagnostic> {
        let routers = self.routers.values();
        let others = self.services.values().chain(self.middlewares.values());
        let found = routers.chain(others);
        found.flat_map(|found| found.iter().cloned()).collect()
    }

    pub(crate) fn of_router(
        &mut self,
        name: &QualifiedName,
        judged: Option<(&dynamic::Router, &Verdict)>,
    ) {
        let found = judged.map(|(router, verdict)| {
            let found = diagnostics("router", name, verdict, Consequence::RouterDisabled);
            found
                .map(|diagnostic| from_its_object(diagnostic, router))
                .collect()
        });
        keep(&mut self.routers, name, found.unwrap_or_default());
    }

    pub(crate) fn of_service(&mut self, name: &QualifiedName, verdict: Option<&Verdict>) {
        let found = verdict.map(|verdict| {
            diagnostics("service", name, verdict, Consequence::ServiceDisabled).collect()
        });
        keep(&mut self.services, name, found.unwrap_or_default());
    }

    pub(crate) fn of_middleware(&mut self, name: &QualifiedName, verdict: Option<&Verdict>) {
        let found = verdict.map(|verdict| {
            diagnostics("middleware", name, verdict, Consequence::MiddlewareDisabled).collect()
        });
        keep(&mut self.middlewares, name, found.unwrap_or_default());
    }
}

fn keep(findings: &mut FindingsByElement, name: &QualifiedName, found: Vec<Diagnostic>) {
    if found.is_empty() {
        findings.remove(name.as_str());
    } else {
        findings.insert(name.clone(), found);
    }
}

fn diagnostics(
    kind: &'static str,
    name: &QualifiedName,
    verdict: &Verdict,
    consequence: Consequence,
) -> impl Iterator<Item = Diagnostic> {
    let subject = Subject::named(kind, name.as_str());
    verdict.findings.iter().map(move |finding| {
        let diagnostic = match finding.status {
            Status::Disabled => {
                Diagnostic::error(subject.clone(), finding.reason, &*finding.message)
                    .leads_to(consequence)
            }
            Status::Enabled | Status::Warning => {
                Diagnostic::warning(subject.clone(), finding.reason, &*finding.message)
                    .leads_to(mild_consequence(finding.reason))
            }
        };
        diagnostic.at(finding.path).showing(&*finding.detail)
    })
}

/// Names the Kubernetes object that a router was made of: people know that, not the router.
fn from_its_object(mut diagnostic: Diagnostic, router: &dynamic::Router) -> Diagnostic {
    let metadata = router
        .observability
        .as_ref()
        .and_then(|observability| observability.metadata.as_ref());
    if let Some(object) = metadata.and_then(|metadata| metadata.ingress.as_ref()) {
        let origin = format!(" (in {} {}/{})", object.kind, object.namespace, object.name);
        diagnostic.message += &origin;
    }
    diagnostic
}

fn mild_consequence(reason: Reason) -> Consequence {
    if reason == reason::NOT_SERVED {
        Consequence::NotServed
    } else {
        Consequence::PartLeftOut
    }
}
