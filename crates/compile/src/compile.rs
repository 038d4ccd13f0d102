//! The one way from a configuration to what serves it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use traefikrs_config::diagnostic::{Consequence, Diagnostic, Reason, Subject};
use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};

use crate::compiled::Compiled;
use crate::middleware::Middlewares;
use crate::options::Options;
use crate::reason;
use crate::report::{MiddlewareReport, Report, RouterReport, ServiceReport, Status, Verdict};
use crate::router::Routers;
use crate::service::Services;
use crate::{middleware, service};

/// One generation: what serves requests and what became of each element, to be published together.
#[derive(Debug, Default)]
pub struct Generation {
    /// What serves requests.
    pub compiled: Arc<Compiled>,
    /// What became of each element.
    pub report: Report,
    legacy: Legacy,
}

/// What this generation leaves to the next.
#[derive(Debug, Default)]
struct Legacy {
    middlewares: middleware::Previous,
    services: service::Previous,
}

/// Turns a merged configuration into what serves it.
///
/// Names in the configuration are qualified (`name@provider`) and root routers have their entry
/// points: that is what merging does. It never fails: an element that cannot be built is disabled,
/// reported, and harms only those that need it.
///
/// What did not change since `previous` goes on: services keep their place in the balancer's turn
/// and their connections.
///
/// (Traefik: `pkg/server/router`, `pkg/server/service` and `pkg/server/middleware`.)
///
/// ```
/// use traefikrs_compile::{Options, compile};
/// use traefikrs_config::dynamic::Configuration;
///
/// let configuration: Configuration = serde_json::from_value(serde_json::json!({
///     "http": {
///         "routers": {
///             "web@file": { "entryPoints": ["web"], "rule": "Host(`example.com`)", "service": "whoami" },
///             "bad@file": { "entryPoints": ["web"], "rule": "Hots(`example.com`)", "service": "whoami" },
///         },
///         "services": {
///             "whoami@file": { "loadBalancer": { "servers": [{ "url": "http://10.0.0.1:8080" }] } },
///         },
///     },
/// }))?;
/// let options = Options {
///     entry_points: [("web".to_owned(), Default::default())].into(),
///     ..Options::default()
/// };
///
/// let generation = compile(&configuration, &options, None);
///
/// assert_eq!(generation.compiled.entry_points["web"].http.len(), 1);
/// assert!(generation.report.diagnostics[0].to_string().contains("bad@file"));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn compile(
    configuration: &dynamic::Configuration,
    options: &Options,
    previous: Option<&Generation>,
) -> Generation {
    let nothing = dynamic::Http::default();
    let http = configuration.http.as_ref().unwrap_or(&nothing);
    let legacy = previous.map(|previous| &previous.legacy);
    let mut middlewares = Middlewares::new(http, legacy.map(|legacy| &legacy.middlewares));
    let mut services = Services::new(http, legacy.map(|legacy| &legacy.services));

    let tls_options = configuration.tls.as_ref().map(|tls| &tls.options);
    let routers = Routers::new(http, tls_options, options, &mut services, &mut middlewares);
    let (entry_points, routers) = routers.build();

    let mut report = Report {
        services: service_reports(http, &mut services, &routers),
        middlewares: middleware_reports(http, &mut middlewares, &routers),
        routers,
        diagnostics: Vec::new(),
    };
    report.diagnostics = diagnostics(&report);
    Generation {
        compiled: Arc::new(Compiled { entry_points }),
        report,
        legacy: Legacy {
            middlewares: middlewares.into_previous(),
            services: services.into_previous(),
        },
    }
}

fn service_reports(
    http: &dynamic::Http,
    services: &mut Services<'_>,
    routers: &Elements<RouterReport, QualifiedName>,
) -> Elements<ServiceReport, QualifiedName> {
    let used_by = users(routers, |router| std::slice::from_ref(&router.service));
    let reports = http.services.iter().map(|(name, service)| {
        let name = QualifiedName::of(name, "");
        let report = ServiceReport {
            service: Arc::clone(service),
            verdict: services.verdicts.remove(&name).unwrap_or_default(),
            used_by: used_by.get(&name).cloned().unwrap_or_default(),
            servers: services.servers.remove(&name).unwrap_or_default(),
        };
        (name, report)
    });
    reports.collect()
}

fn middleware_reports(
    http: &dynamic::Http,
    middlewares: &mut Middlewares<'_>,
    routers: &Elements<RouterReport, QualifiedName>,
) -> Elements<MiddlewareReport, QualifiedName> {
    let used_by = users(routers, |router| &router.middlewares);
    let reports = http.middlewares.iter().map(|(name, middleware)| {
        let name = QualifiedName::of(name, "");
        let report = MiddlewareReport {
            middleware: Arc::clone(middleware),
            verdict: middlewares.verdicts.remove(&name).unwrap_or_default(),
            used_by: used_by.get(&name).cloned().unwrap_or_default(),
        };
        (name, report)
    });
    reports.collect()
}

/// Which routers name an element, in the order of their names.
fn users(
    routers: &Elements<RouterReport, QualifiedName>,
    references: impl Fn(&dynamic::Router) -> &[String],
) -> BTreeMap<QualifiedName, Vec<QualifiedName>> {
    let mut users: BTreeMap<QualifiedName, Vec<QualifiedName>> = BTreeMap::new();
    for (name, report) in routers {
        let named: BTreeSet<_> = references(&report.router)
            .iter()
            .filter(|reference| !reference.is_empty())
            .map(|reference| name.resolve(reference))
            .collect();
        for element in named {
            users.entry(element).or_default().push(name.clone());
        }
    }
    users
}

fn diagnostics(report: &Report) -> Vec<Diagnostic> {
    let routers = report.routers.iter().flat_map(|(name, router)| {
        let found = findings("router", name, &router.verdict, Consequence::RouterDisabled);
        found.map(|diagnostic| from_its_object(diagnostic, &router.router))
    });
    let services = report.services.iter().flat_map(|(name, service)| {
        findings(
            "service",
            name,
            &service.verdict,
            Consequence::ServiceDisabled,
        )
    });
    let middlewares = report.middlewares.iter().flat_map(|(name, middleware)| {
        findings(
            "middleware",
            name,
            &middleware.verdict,
            Consequence::MiddlewareDisabled,
        )
    });
    routers.chain(services).chain(middlewares).collect()
}

fn findings(
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
