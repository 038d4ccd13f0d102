//! TraefikService: a service made of others.

use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ServiceRef, Sticky, is_zero};

/// How do other services answer together? Exactly one of the kinds.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "traefik.io",
    version = "v1alpha1",
    kind = "TraefikService",
    plural = "traefikservices",
    singular = "traefikservice",
    namespaced,
    derive = "Default",
    derive = "PartialEq",
    doc = "A service made of others.",
    crates(
        kube_core = "::kube_core",
        k8s_openapi = "::k8s_openapi",
        schemars = "::schemars",
        serde = "::serde",
        serde_json = "::serde_json"
    )
)]
#[serde(default, rename_all = "camelCase")]
pub struct TraefikServiceSpec {
    /// Services chosen in turn by weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted: Option<WeightedRoundRobin>,
    /// A service that answers and others that get copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirroring: Option<Mirroring>,
    /// Services chosen by the client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_random_weight: Option<HighestRandomWeight>,
    /// A service and its stand-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
}

/// Services chosen in turn by weight.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct WeightedRoundRobin {
    /// The services.
    #[serde(skip_serializing_if = "is_zero")]
    pub services: Vec<ServiceRef>,
    /// Keep a client on its service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
}

/// Services chosen by rendezvous hashing of the client's address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HighestRandomWeight {
    /// The services.
    #[serde(skip_serializing_if = "is_zero")]
    pub services: Vec<ServiceRef>,
}

/// A service that answers and others that get copies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Mirroring {
    /// The service that answers.
    #[serde(flatten)]
    pub service: ServiceRef,
    /// Copy bodies too; true when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror_body: Option<bool>,
    /// Largest body to copy, in bytes; -1, the default, means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_size: Option<i64>,
    /// Who gets copies.
    #[serde(skip_serializing_if = "is_zero")]
    pub mirrors: Vec<Mirror>,
}

/// Who gets copies, and of how many requests?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Mirror {
    /// The service.
    #[serde(flatten)]
    pub service: ServiceRef,
    /// Of all requests, 0 to 100.
    #[serde(skip_serializing_if = "is_zero")]
    pub percent: i64,
}

/// A service and the one that stands in for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["service", "fallback", "errors"]))]
pub struct Failover {
    /// The main service.
    pub service: ServiceRef,
    /// The stand-in.
    pub fallback: ServiceRef,
    /// Which answers call for the stand-in.
    pub errors: FailoverErrors,
}

/// Which answers of the main service call for the stand-in?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct FailoverErrors {
    /// Status codes and ranges, such as `500-599`.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: Vec<String>,
    /// Largest request body that can be sent again; -1, the default, means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_body_bytes: Option<i64>,
}
