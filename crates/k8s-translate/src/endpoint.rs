//! Which servers are behind a port of a Service?

use std::collections::HashSet;
use std::fmt;

use traefikrs_config::dynamic::Server;
use traefikrs_crd::{IntOrString, ServiceRef};

use crate::cluster::{Service, ServicePort};
use crate::hint::list;
use crate::problem::{Path, Problem};
use crate::reason;
use crate::view::View;

/// A reference to a Service that exists, with what its servers depend on.
pub(crate) struct Backend<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) namespace: &'a str,
    pub(crate) reference: &'a ServiceRef,
    pub(crate) service: &'a Service,
    /// What `nativeLB` means where the reference does not say.
    pub(crate) native_lb_by_default: bool,
}

/// Which port of a Service a reference means.
#[derive(Clone, Copy)]
enum Port<'a> {
    Declared(&'a ServicePort),
    /// A number that a Service of type ExternalName need not declare.
    Bare(i32),
}

impl Port<'_> {
    fn number(self) -> i32 {
        match self {
            Self::Declared(port) => port.port,
            Self::Bare(number) => number,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Declared(port) => &port.name,
            Self::Bare(_) => "",
        }
    }
}

const EXTERNAL_NAME: &str = "ExternalName";

impl Backend<'_> {
    /// The servers, of which there may be none only where the operator allows that.
    pub(crate) fn servers(
        &self,
        path: Path<'_>,
        warnings: &mut Vec<Problem>,
    ) -> Result<Vec<Server>, Problem> {
        let port = self.port(path, warnings)?;
        let spec = &self.service.spec;
        if self.reference.health_check.is_some()
            && spec.service_type != EXTERNAL_NAME
            && !self.view.options.allow_service_health_checks
        {
            let message = format!(
                "{self} is not of type ExternalName, and Kubernetes checks its pods itself; remove the health check, or let the operator set `allowServiceHealthChecks`"
            );
            return Err(Problem::error(
                reason::HEALTH_CHECK_FORBIDDEN,
                path.field("healthCheck"),
                message,
            ));
        }
        if spec.service_type == EXTERNAL_NAME {
            return self.external(port, path);
        }
        if self
            .reference
            .native_lb
            .unwrap_or(self.native_lb_by_default)
        {
            return self.native(port, path);
        }
        if self.reference.node_port_lb && spec.service_type == "NodePort" {
            return self.nodes(port, path);
        }
        self.endpoints(port, path, warnings)
    }

    fn port(&self, path: Path<'_>, warnings: &mut Vec<Problem>) -> Result<Port<'_>, Problem> {
        let path = path.field("port");
        let wanted = match &self.reference.port {
            None | Some(IntOrString::Int(0)) => None,
            Some(IntOrString::String(name)) if name.is_empty() => None,
            port => port.as_ref(),
        };
        let Some(wanted) = wanted else {
            let ports = self.declared_ports();
            let message = format!("{self} needs a port in the reference; it declares {ports}");
            return Err(Problem::error(reason::SERVICE_PORT_MISSING, path, message));
        };
        if let Some(port) = self.declared(wanted) {
            return Ok(Port::Declared(port));
        }
        match wanted {
            IntOrString::Int(number) if self.service.spec.service_type == EXTERNAL_NAME => {
                self.bare_port(*number, path, warnings)
            }
            _ => Err(self.port_not_found(wanted, path)),
        }
    }

    /// The declared port of that number or name; one that speaks TCP if there is a choice.
    fn declared(&self, wanted: &IntOrString) -> Option<&ServicePort> {
        let fits = |port: &&ServicePort| match wanted {
            IntOrString::Int(number) => port.port == *number,
            IntOrString::String(name) => port.name == *name,
        };
        let ports = &self.service.spec.ports;
        ports
            .iter()
            .filter(fits)
            .find(|port| matches!(port.protocol.as_str(), "" | "TCP"))
            .or_else(|| ports.iter().find(fits))
    }

    fn bare_port(
        &self,
        number: i32,
        path: Path<'_>,
        warnings: &mut Vec<Problem>,
    ) -> Result<Port<'_>, Problem> {
        if !(1..=65_535).contains(&number) {
            let message = format!("{number} is no port; ports are 1 to 65535");
            return Err(Problem::error(
                reason::SERVICE_PORT_NOT_FOUND,
                path,
                message,
            ));
        }
        if self.service.spec.ports.iter().any(|port| port.port != 0) {
            let ports = self.declared_ports();
            let message = format!("{self} declares {ports}, not {number}; {number} is used");
            warnings.push(Problem::warning(
                reason::SERVICE_PORT_MISMATCH,
                path,
                message,
            ));
        }
        Ok(Port::Bare(number))
    }

    fn port_not_found(&self, wanted: &IntOrString, path: Path<'_>) -> Problem {
        let ports = self.declared_ports();
        let hint = match wanted {
            IntOrString::String(name) => name
                .parse()
                .ok()
                .filter(|number| self.declared(&IntOrString::Int(*number)).is_some())
                .map(|number| format!("; write the number `{number}` without quotes"))
                .unwrap_or_default(),
            IntOrString::Int(_) => String::new(),
        };
        let wanted = match wanted {
            IntOrString::Int(number) => format!("port {number}"),
            IntOrString::String(name) => format!("port named `{name}`"),
        };
        let message = format!("{self} has no {wanted}; it declares {ports}{hint}");
        Problem::error(reason::SERVICE_PORT_NOT_FOUND, path, message)
    }

    fn declared_ports(&self) -> String {
        let ports: Vec<String> = self
            .service
            .spec
            .ports
            .iter()
            .map(|port| match port.name.as_str() {
                "" => port.port.to_string(),
                name => format!("{} (`{name}`)", port.port),
            })
            .collect();
        list(ports.iter().map(String::as_str), "no ports")
    }

    fn external(&self, port: Port<'_>, path: Path<'_>) -> Result<Vec<Server>, Problem> {
        if !self.view.options.allow_external_name_services {
            let message = format!(
                "{self} is of type ExternalName; set `allowExternalNameServices` to use it"
            );
            return Err(Problem::error(
                reason::EXTERNAL_NAME_FORBIDDEN,
                path,
                message,
            ));
        }
        let scheme = self.scheme(port, path)?;
        Ok(vec![server(
            scheme,
            &self.service.spec.external_name,
            port.number(),
        )])
    }

    fn native(&self, port: Port<'_>, path: Path<'_>) -> Result<Vec<Server>, Problem> {
        let cluster_ip = &self.service.spec.cluster_ip;
        if matches!(cluster_ip.as_str(), "" | "None") {
            let message =
                format!("{self} has no cluster IP; set `nativeLB: false` to use its endpoints");
            return Err(Problem::error(
                reason::NO_CLUSTER_IP,
                path.field("nativeLB"),
                message,
            ));
        }
        let scheme = self.scheme(port, path)?;
        Ok(vec![server(scheme, cluster_ip, port.number())])
    }

    fn nodes(&self, port: Port<'_>, path: Path<'_>) -> Result<Vec<Server>, Problem> {
        let node_port = match port {
            Port::Declared(port) => port.node_port,
            Port::Bare(number) => number,
        };
        if self.view.options.disable_cluster_scope_resources {
            let message = format!(
                "{self} needs Nodes, which `disableClusterScopeResources` hides; remove one of the two"
            );
            return Err(Problem::error(
                reason::NODES_NOT_WATCHED,
                path.field("nodePortLB"),
                message,
            ));
        }
        let mut addresses: Vec<&str> = self
            .view
            .cluster
            .nodes
            .values()
            .filter_map(|node| node.content.as_ref())
            .flat_map(|node| node.internal_ips())
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            let message = format!("no Node has an address of type InternalIP to reach {self} by");
            return Err(Problem::error(
                reason::NO_NODE_ADDRESS,
                path.field("nodePortLB"),
                message,
            ));
        }
        let scheme = self.scheme(port, path)?;
        Ok(addresses
            .into_iter()
            .map(|address| server(scheme, address, node_port))
            .collect())
    }

    fn endpoints(
        &self,
        port: Port<'_>,
        path: Path<'_>,
        warnings: &mut Vec<Problem>,
    ) -> Result<Vec<Server>, Problem> {
        let mut seen = HashSet::new();
        let mut servers = Vec::new();
        for slice in self.view.slices(self.namespace, &self.reference.name) {
            let Some(number) = slice
                .ports
                .iter()
                .find(|slice_port| slice_port.name.as_deref() == Some(port.name()))
                .and_then(|slice_port| slice_port.port)
                .filter(|number| *number != 0)
            else {
                continue;
            };
            // Traefik: a bad scheme is only noticed where it is needed.
            let scheme = self.scheme(port, path)?;
            for endpoint in &slice.endpoints {
                if endpoint.conditions.serving == Some(false) {
                    continue;
                }
                for address in &endpoint.addresses {
                    if seen.insert((address.as_str(), number)) {
                        servers.push(Server {
                            fenced: endpoint.conditions.terminating == Some(true),
                            ..server(scheme, address, number)
                        });
                    }
                }
            }
        }
        if servers.is_empty() && !self.view.options.allow_empty_services {
            return Err(self.no_endpoints(port, path));
        }
        if !servers.is_empty() && servers.iter().all(|server| server.fenced) {
            // As kube-proxy does: endpoints that are about to end are better than none.
            servers.iter_mut().for_each(|server| server.fenced = false);
            let message = format!(
                "all endpoints of {self} are terminating; they are used until others are there"
            );
            warnings.push(Problem::warning(reason::ALL_TERMINATING, path, message));
        }
        Ok(servers)
    }

    fn no_endpoints(&self, port: Port<'_>, path: Path<'_>) -> Problem {
        let slices = self.view.slices(self.namespace, &self.reference.name);
        let names: Vec<String> = slices
            .iter()
            .flat_map(|slice| &slice.ports)
            .map(|port| format!("`{}`", port.name.as_deref().unwrap_or("")))
            .collect();
        let why = if slices.is_empty() {
            format!(
                "there is no EndpointSlice with the label `kubernetes.io/service-name: {}`",
                self.reference.name
            )
        } else if !names.contains(&format!("`{}`", port.name())) {
            let names = list(names.iter().map(String::as_str), "none");
            match port.name() {
                "" => format!("its EndpointSlices have no port without a name, only {names}"),
                name => format!("its EndpointSlices have no port named `{name}`, only {names}"),
            }
        } else {
            "none of its endpoints is serving".to_owned()
        };
        let message = format!(
            "{self} has no endpoints: {why}; set `allowEmptyServices` to answer 503 instead"
        );
        Problem::error(reason::NO_ENDPOINTS, path, message)
    }

    fn scheme(&self, port: Port<'_>, path: Path<'_>) -> Result<&str, Problem> {
        match self.reference.scheme.as_str() {
            "" if port.number() == 443 || port.name().starts_with("https") => Ok("https"),
            "" => Ok("http"),
            scheme @ ("http" | "https" | "h2c") => Ok(scheme),
            other => {
                let message = format!("`{other}` is no scheme; write http, https or h2c");
                Err(Problem::error(
                    reason::INVALID_SCHEME,
                    path.field("scheme"),
                    message,
                ))
            }
        }
    }
}

impl fmt::Display for Backend<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service {}/{}", self.namespace, self.reference.name)
    }
}

fn server(scheme: &str, host: &str, port: i32) -> Server {
    let url = if host.contains(':') {
        format!("{scheme}://[{host}]:{port}")
    } else {
        format!("{scheme}://{host}:{port}")
    };
    Server {
        url,
        ..Server::default()
    }
}
