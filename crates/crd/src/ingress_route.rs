//! IngressRoute: which requests go where.

use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ObjectRef, ServiceRef, is_zero};

/// Which requests go where? Routes that share entry points and TLS.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "traefik.io",
    version = "v1alpha1",
    kind = "IngressRoute",
    plural = "ingressroutes",
    singular = "ingressroute",
    namespaced,
    derive = "Default",
    derive = "PartialEq",
    doc = "Routes of HTTP requests to services.",
    crates(
        kube_core = "::kube_core",
        k8s_openapi = "::k8s_openapi",
        schemars = "::schemars",
        serde = "::serde",
        serde_json = "::serde_json"
    )
)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["routes"]))]
pub struct IngressRouteSpec {
    /// IngressRoutes whose routes these are children of: they are matched after the parents' middlewares.
    #[serde(skip_serializing_if = "is_zero")]
    pub parent_refs: Vec<ObjectRef>,
    /// The routes.
    pub routes: Vec<Route>,
    /// Entry points to listen on; empty means the default ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub entry_points: Vec<String>,
    /// Answer TLS requests only, in this way; may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Only proxies of this class look at the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_class_name: Option<String>,
}

/// Which requests go to which services?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["match"]))]
pub struct Route {
    /// The rule that a request must meet.
    #[serde(rename = "match")]
    pub match_rule: String,
    /// `Rule`, which is also the default.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("enum" = ["Rule"]))]
    pub kind: String,
    /// Routes of higher priority are tried first; 0 means the length of the rule.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(max = 9_223_372_036_854_775_000_i64))]
    pub priority: i64,
    /// Syntax of the rule, `v2` or `v3`; deprecated.
    #[serde(skip_serializing_if = "is_zero")]
    pub syntax: String,
    /// Who answers; several share the requests by weight.
    #[serde(skip_serializing_if = "is_zero")]
    pub services: Vec<ServiceRef>,
    /// Middlewares that requests pass, in this order.
    #[serde(skip_serializing_if = "is_zero")]
    pub middlewares: Vec<ObjectRef>,
    /// What is logged, counted and traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<Observability>,
}

/// What is logged, counted and traced of a route's requests? Unset fields inherit the entry point's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Observability {
    /// Write access logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_logs: Option<bool>,
    /// Count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<bool>,
    /// Trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<bool>,
    /// How much to trace.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("enum" = ["minimal", "detailed"]), extend("default" = "minimal"))]
    pub trace_verbosity: String,
}

/// How is TLS spoken for these routes?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Tls {
    /// Secret with the certificate, in the IngressRoute's namespace.
    #[serde(skip_serializing_if = "is_zero")]
    pub secret_name: String,
    /// The TLSOption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<ObjectRef>,
    /// Accepted and ignored: only the default store is ever asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<ObjectRef>,
    /// The resolver that gets certificates.
    #[serde(skip_serializing_if = "is_zero")]
    pub cert_resolver: String,
    /// Names to get certificates for, instead of those of the rules.
    #[serde(skip_serializing_if = "is_zero")]
    pub domains: Vec<Domain>,
}

/// Which names does a certificate have?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Domain {
    /// The main name.
    #[serde(skip_serializing_if = "is_zero")]
    pub main: String,
    /// Further names.
    #[serde(skip_serializing_if = "is_zero")]
    pub sans: Vec<String>,
}
