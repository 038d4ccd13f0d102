//! A reference to a Service or TraefikService as the name of a service, which it may bring along.

use std::sync::Arc;

use traefikrs_config::diagnostic::Consequence;
use traefikrs_config::duration::GoDuration;
use traefikrs_config::dynamic;
use traefikrs_crd::{self as crd, IntOrString, ObjectRef, ServiceRef};

use crate::endpoint::Backend;
use crate::name::Slot;
use crate::problem::{Path, Problem};
use crate::reason;
use crate::reference::ignored_namespace;
use crate::view::View;

/// What one object contributes, before it is known whether all of it works.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) services: Vec<(String, dynamic::Service)>,
    pub(crate) warnings: Vec<Problem>,
}

/// Where does a reference stand?
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Namespace of the object with the reference.
    pub(crate) parent: &'a str,
    /// What a Kubernetes Service there is called.
    pub(crate) key: Key<'a>,
    /// What `nativeLB` means where the reference does not say.
    pub(crate) native_lb_by_default: bool,
    /// What becomes of the object when the reference leads nowhere.
    pub(crate) dangling: Consequence,
}

/// What is the service of a reference to a Kubernetes Service called?
#[derive(Clone, Copy)]
pub(crate) enum Key<'a> {
    /// This.
    Own(&'a str),
    /// After the Service, in this place.
    In(Slot<'a>),
}

impl View<'_> {
    /// The name of the service that a reference means; a Kubernetes Service is added to the draft.
    pub(crate) fn referred_service(
        &self,
        place: Place<'_>,
        reference: &ServiceRef,
        path: Path<'_>,
        draft: &mut Draft,
    ) -> Result<String, Problem> {
        match reference.kind.as_str() {
            "" | "Service" => {
                let namespace = self.service_namespace(place, "Service", reference, path)?;
                let service = self.balancer(place, namespace, reference, path, draft)?;
                let key = match place.key {
                    Key::Own(key) => key.to_owned(),
                    Key::In(slot) => {
                        let port = port_text(reference);
                        self.names.child(slot, namespace, &reference.name, &port)
                    }
                };
                draft.services.push((key.clone(), service));
                Ok(key)
            }
            "TraefikService" => self.traefik_service(place, reference, path, draft),
            other => {
                let message =
                    format!("`{other}` is no kind of service; write Service or TraefikService");
                Err(Problem::error(
                    reason::SERVICE_KIND_UNKNOWN,
                    path.field("kind"),
                    message,
                ))
            }
        }
    }

    fn traefik_service(
        &self,
        place: Place<'_>,
        reference: &ServiceRef,
        path: Path<'_>,
        draft: &mut Draft,
    ) -> Result<String, Problem> {
        if has_balancer_options(reference) {
            let message = "balancer options say nothing on a TraefikService; set them on the Services it refers to";
            draft
                .warnings
                .push(Problem::warning(reason::OPTIONS_IGNORED, path, message));
        }
        let target = ObjectRef {
            name: reference.name.clone(),
            namespace: reference.namespace.clone(),
        };
        if let Some((name, provider)) = reference.name.rsplit_once('@') {
            self.check_provider(place.parent, &reference.name, provider, path)?;
            if provider != "kubernetescrd" {
                draft.warnings.extend(ignored_namespace(&target, path));
            }
            return Ok(self.foreign_service(&target, name, provider));
        }
        let namespace = self.service_namespace(place, "TraefikService", reference, path)?;
        let dangling = self.dangling(
            &self.cluster.traefik_services,
            "TraefikService",
            namespace,
            &reference.name,
            reason::TRAEFIK_SERVICE_NOT_FOUND,
            path.field("name"),
        );
        draft
            .warnings
            .extend(dangling.map(|problem| problem.leads_to(place.dangling)));
        Ok(self.names.object(namespace, &reference.name))
    }

    fn service_namespace<'r>(
        &self,
        place: Place<'r>,
        kind: &str,
        reference: &'r ServiceRef,
        path: Path<'_>,
    ) -> Result<&'r str, Problem> {
        let namespace = match reference.namespace.as_str() {
            "" => place.parent,
            given => given,
        };
        self.check_namespace(kind, place.parent, namespace, &reference.name, path)?;
        Ok(namespace)
    }

    fn balancer(
        &self,
        place: Place<'_>,
        namespace: &str,
        reference: &ServiceRef,
        path: Path<'_>,
        draft: &mut Draft,
    ) -> Result<dynamic::Service, Problem> {
        let warnings = &mut draft.warnings;
        let strategy = strategy(reference, path, warnings)?;
        let backend = Backend {
            view: self,
            namespace,
            reference,
            service: self.service(namespace, &reference.name, path.field("name"))?,
            native_lb_by_default: place.native_lb_by_default,
        };
        let servers = backend.servers(path, warnings)?;
        self.report_native_lb(place, &backend, path, warnings);
        let balancer = dynamic::LoadBalancer {
            sticky: sticky(reference.sticky.as_ref()).map(Box::new),
            servers,
            strategy,
            health_check: reference
                .health_check
                .as_ref()
                .map(|check| health_check(check, path.field("healthCheck")))
                .transpose()?
                .map(Box::new),
            passive_health_check: reference
                .passive_health_check
                .as_ref()
                .map(|check| passive_health_check(check, path.field("passiveHealthCheck")))
                .transpose()?,
            slow_start: None,
            pass_host_header: Some(reference.pass_host_header.unwrap_or(true)),
            response_forwarding: Some(response_forwarding(reference, path)?),
            servers_transport: match reference.servers_transport.as_str() {
                "" => String::new(),
                name => self.servers_transport(
                    namespace,
                    name,
                    path.field("serversTransport"),
                    warnings,
                )?,
            },
        };
        let middlewares = self.middlewares(
            namespace,
            &reference.middlewares,
            path.field("middlewares"),
            Consequence::ServiceDisabled,
            warnings,
        )?;
        Ok(dynamic::Service {
            load_balancer: Some(balancer),
            middlewares,
            observability: Some(origin(namespace, reference)),
            ..dynamic::Service::default()
        })
    }

    /// Traefik: `nativeLBByDefault` only reaches what routes refer to directly.
    fn report_native_lb(
        &self,
        place: Place<'_>,
        backend: &Backend<'_>,
        path: Path<'_>,
        warnings: &mut Vec<Problem>,
    ) {
        if self.options.native_lb_by_default
            && !place.native_lb_by_default
            && backend.reference.native_lb.is_none()
            && backend.service.spec.service_type != "ExternalName"
        {
            let message = format!(
                "`nativeLBByDefault` only reaches services of routes, not {backend} here; set `nativeLB: true`"
            );
            warnings.push(Problem::warning(
                reason::NATIVE_LB_DEFAULT_NOT_APPLIED,
                path.field("nativeLB"),
                message,
            ));
        }
    }
}

fn port_text(reference: &ServiceRef) -> String {
    reference
        .port
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn has_balancer_options(reference: &ServiceRef) -> bool {
    let only_a_reference = ServiceRef {
        name: reference.name.clone(),
        kind: reference.kind.clone(),
        namespace: reference.namespace.clone(),
        weight: reference.weight,
        ..ServiceRef::default()
    };
    *reference != only_a_reference
}

fn origin(namespace: &str, reference: &ServiceRef) -> dynamic::ServiceObservability {
    dynamic::ServiceObservability {
        metadata: Some(Arc::new(dynamic::Metadata {
            ingress: None,
            kubernetes: Some(dynamic::KubernetesMetadata {
                name: reference.name.clone(),
                namespace: namespace.to_owned(),
                port: port_text(reference),
            }),
        })),
    }
}

fn strategy(
    reference: &ServiceRef,
    path: Path<'_>,
    warnings: &mut Vec<Problem>,
) -> Result<String, Problem> {
    let path = path.field("strategy");
    match reference.strategy.as_str() {
        "" => Ok("wrr".to_owned()),
        known @ ("wrr" | "p2c" | "hrw" | "leasttime") => Ok(known.to_owned()),
        "RoundRobin" => {
            let message = "the strategy `RoundRobin` is now called `wrr`; write that";
            warnings.push(Problem::warning(reason::DEPRECATED, path, message));
            Ok("wrr".to_owned())
        }
        other => {
            let message = format!("`{other}` is no strategy; write wrr, p2c, hrw or leasttime");
            Err(Problem::error(reason::INVALID_STRATEGY, path, message))
        }
    }
}

/// The stickiness of a service; without a cookie there is none.
pub(crate) fn sticky(sticky: Option<&crd::Sticky>) -> Option<dynamic::Sticky> {
    let cookie = sticky?.cookie.as_ref()?;
    Some(dynamic::Sticky {
        cookie: Some(dynamic::Cookie {
            name: cookie.name.clone(),
            secure: cookie.secure,
            http_only: cookie.http_only,
            same_site: cookie.same_site.clone(),
            max_age: cookie.max_age,
            path: Some(cookie.path.clone().unwrap_or_else(|| "/".to_owned())),
            domain: cookie.domain.clone(),
        }),
    })
}

fn health_check(check: &crd::HealthCheck, path: Path<'_>) -> Result<dynamic::HealthCheck, Problem> {
    let or = |value: &Option<IntOrString>, field, default| {
        duration_or(value.as_ref(), default, path.field(field))
    };
    let interval = or(&check.interval, "interval", GoDuration::from_secs(30))?;
    Ok(dynamic::HealthCheck {
        scheme: check.scheme.clone(),
        mode: check.mode.clone(),
        path: check.path.clone(),
        method: check.method.clone(),
        status: check.status,
        port: check.port,
        interval,
        unhealthy_interval: Some(or(
            &check.unhealthy_interval,
            "unhealthyInterval",
            interval,
        )?),
        timeout: or(&check.timeout, "timeout", GoDuration::from_secs(5))?,
        hostname: check.hostname.clone(),
        follow_redirects: Some(check.follow_redirects.unwrap_or(true)),
        headers: check.headers.clone(),
    })
}

fn passive_health_check(
    check: &crd::PassiveHealthCheck,
    path: Path<'_>,
) -> Result<dynamic::PassiveHealthCheck, Problem> {
    let window = path.field("failureWindow");
    Ok(dynamic::PassiveHealthCheck {
        failure_window: duration_or(
            check.failure_window.as_ref(),
            GoDuration::from_secs(10),
            window,
        )?,
        max_failed_attempts: check.max_failed_attempts.unwrap_or(1),
        max_ejected_percent: None,
    })
}

fn response_forwarding(
    reference: &ServiceRef,
    path: Path<'_>,
) -> Result<dynamic::ResponseForwarding, Problem> {
    let written = reference
        .response_forwarding
        .as_ref()
        .map_or("", |forwarding| forwarding.flush_interval.as_str());
    if written.is_empty() {
        return Ok(dynamic::ResponseForwarding::default());
    }
    let path = path.field("responseForwarding");
    Ok(dynamic::ResponseForwarding {
        flush_interval: parse_duration(written, path.field("flushInterval"))?,
    })
}

/// A duration out of an object, or the default where none is given.
pub(crate) fn duration_or(
    value: Option<&IntOrString>,
    default: GoDuration,
    path: Path<'_>,
) -> Result<GoDuration, Problem> {
    match value {
        None => Ok(default),
        Some(value) => parse_duration(&value.to_string(), path),
    }
}

fn parse_duration(text: &str, path: Path<'_>) -> Result<GoDuration, Problem> {
    text.parse()
        .map_err(|error| Problem::error(reason::INVALID_DURATION, path, format!("{error}")))
}
