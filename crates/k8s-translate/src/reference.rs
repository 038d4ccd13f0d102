//! Who may refer to what, and under which name is it then found?

use traefikrs_config::diagnostic::Consequence;
use traefikrs_crd::ObjectRef;

use crate::problem::{Path, Problem};
use crate::reason;
use crate::view::View;

/// The name of this provider's own elements in references from elsewhere: `name@kubernetescrd`.
const PROVIDER: &str = "kubernetescrd";

/// A reference that is allowed, and what is odd about it all the same.
pub(crate) struct Resolved {
    pub(crate) name: String,
    pub(crate) warnings: Vec<Problem>,
}

impl View<'_> {
    /// The middlewares that these references name, in order; the first one that is not allowed fails all.
    pub(crate) fn middlewares(
        &self,
        parent: &str,
        references: &[ObjectRef],
        path: Path<'_>,
        dangling: Consequence,
        warnings: &mut Vec<Problem>,
    ) -> Result<Vec<String>, Problem> {
        references
            .iter()
            .enumerate()
            .map(|(index, reference)| {
                let path = path.index(index);
                let resolved = self.element("Middleware", parent, reference, path)?;
                warnings.extend(resolved.warnings);
                if let Some(namespace) = local_namespace(parent, reference) {
                    let problem = self.dangling(
                        &self.cluster.middlewares,
                        "Middleware",
                        namespace,
                        &reference.name,
                        reason::MIDDLEWARE_NOT_FOUND,
                        path.field("name"),
                    );
                    warnings.extend(problem.map(|problem| problem.leads_to(dangling)));
                }
                Ok(resolved.name)
            })
            .collect()
    }

    /// The TLS options that this reference names.
    pub(crate) fn tls_option(
        &self,
        parent: &str,
        reference: &ObjectRef,
        path: Path<'_>,
        warnings: &mut Vec<Problem>,
    ) -> Result<String, Problem> {
        let resolved = self.element("TLSOption", parent, reference, path)?;
        warnings.extend(resolved.warnings);
        let Some(namespace) = local_namespace(parent, reference) else {
            return Ok(resolved.name);
        };
        if reference.name == "default" {
            // Traefik: the key of that option is `default` alone, and no reference gives that.
            let message =
                "the TLSOption `default` cannot be referenced; leave `options` out to get it";
            let path = path.field("name");
            let problem = Problem::error(reason::DEFAULT_TLS_OPTION_REFERENCED, path, message);
            warnings.push(problem.leads_to(Consequence::RouterDisabled));
        } else {
            let problem = self.dangling(
                &self.cluster.tls_options,
                "TLSOption",
                namespace,
                &reference.name,
                reason::TLS_OPTION_NOT_FOUND,
                path.field("name"),
            );
            warnings.extend(problem.map(|problem| problem.leads_to(Consequence::RouterDisabled)));
        }
        Ok(resolved.name)
    }

    /// The transport that a Service of this namespace names.
    pub(crate) fn servers_transport(
        &self,
        parent: &str,
        name: &str,
        path: Path<'_>,
        warnings: &mut Vec<Problem>,
    ) -> Result<String, Problem> {
        let reference = ObjectRef {
            name: name.to_owned(),
            namespace: String::new(),
        };
        let resolved = self.element("ServersTransport", parent, &reference, path)?;
        if local_namespace(parent, &reference).is_some() {
            let problem = self.dangling(
                &self.cluster.servers_transports,
                "ServersTransport",
                parent,
                name,
                reason::SERVERS_TRANSPORT_NOT_FOUND,
                path,
            );
            warnings.extend(problem.map(|problem| problem.leads_to(Consequence::ServiceDisabled)));
        }
        Ok(resolved.name)
    }

    fn element(
        &self,
        kind: &str,
        parent: &str,
        reference: &ObjectRef,
        path: Path<'_>,
    ) -> Result<Resolved, Problem> {
        let name = &reference.name;
        let Some((_, provider)) = name.rsplit_once('@') else {
            let namespace = local_namespace(parent, reference).unwrap_or(parent);
            self.check_namespace(kind, parent, namespace, name, path)?;
            return Ok(Resolved {
                name: self.names.object(namespace, name),
                warnings: Vec::new(),
            });
        };
        self.check_provider(parent, name, provider, path)?;
        Ok(Resolved {
            name: name.clone(),
            warnings: ignored_namespace(reference, path).into_iter().collect(),
        })
    }

    pub(crate) fn check_namespace(
        &self,
        kind: &str,
        parent: &str,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<(), Problem> {
        if self.allows(parent, namespace) {
            return Ok(());
        }
        let message = format!(
            "{kind} {namespace}/{name} is not in the namespace {parent}; move it there or set `allowCrossNamespace`"
        );
        Err(Problem::error(
            reason::CROSS_NAMESPACE,
            path.field("namespace"),
            message,
        ))
    }

    /// Whether objects of `parent` may name elements of that provider.
    pub(crate) fn check_provider(
        &self,
        parent: &str,
        name: &str,
        provider: &str,
        path: Path<'_>,
    ) -> Result<(), Problem> {
        // Traefik: since 3.7.10 for services too (CVE-2026-71325).
        if provider == PROVIDER && !self.options.allow_cross_namespace {
            let message = format!(
                "`{name}` may lead to any namespace; name the object without `@{PROVIDER}` or set `allowCrossNamespace`"
            );
            return Err(Problem::error(reason::CROSS_NAMESPACE, path, message));
        }
        if !self.options.lets_use_other_providers(parent) {
            let message = format!(
                "`{name}` is of another provider, which the namespace {parent} may not use; add it to `crossProviderNamespaces`"
            );
            return Err(Problem::error(reason::CROSS_PROVIDER, path, message));
        }
        Ok(())
    }

    /// The key of a TraefikService that a reference with a provider names.
    pub(crate) fn foreign_service(
        &self,
        reference: &ObjectRef,
        name: &str,
        provider: &str,
    ) -> String {
        if provider == PROVIDER {
            // Traefik: an own key, which the reference may also give in two parts.
            match (reference.namespace.as_str(), self.names.safe) {
                ("", true) => name.to_owned(),
                (namespace, _) => self.names.object(namespace, name),
            }
        } else {
            format!("{}@{provider}", crate::name::normalise(name))
        }
    }
}

/// The namespace of a reference to an object of this provider; `None` when it names a provider.
pub(crate) fn local_namespace<'a>(parent: &'a str, reference: &'a ObjectRef) -> Option<&'a str> {
    match (reference.name.contains('@'), reference.namespace.as_str()) {
        (true, _) => None,
        (false, "") => Some(parent),
        (false, namespace) => Some(namespace),
    }
}

/// Says that a namespace beside a reference with a provider has no meaning.
pub(crate) fn ignored_namespace(reference: &ObjectRef, path: Path<'_>) -> Option<Problem> {
    (!reference.namespace.is_empty()).then(|| {
        let message = format!(
            "the namespace has no meaning beside `{}`, which names a provider; remove it",
            reference.name
        );
        Problem::warning(reason::NAMESPACE_IGNORED, path.field("namespace"), message)
    })
}
