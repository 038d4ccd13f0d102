//! Middleware: changes to requests and responses on their way.

use std::collections::BTreeMap;

use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_zero;

mod auth;
mod flow;
mod headers;
mod rewrite;
mod tls_client_cert;

pub use auth::*;
pub use flow::*;
pub use headers::*;
pub use rewrite::*;
pub use tls_client_cert::*;

/// What happens to requests and responses on their way? Exactly one of the kinds.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "traefik.io",
    version = "v1alpha1",
    kind = "Middleware",
    plural = "middlewares",
    singular = "middleware",
    namespaced,
    derive = "Default",
    derive = "PartialEq",
    doc = "Changes to requests and responses on their way.",
    crates(
        kube_core = "::kube_core",
        k8s_openapi = "::k8s_openapi",
        schemars = "::schemars",
        serde = "::serde",
        serde_json = "::serde_json"
    )
)]
#[serde(default, rename_all = "camelCase")]
pub struct MiddlewareSpec {
    /// Puts text in front of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_prefix: Option<AddPrefix>,
    /// Takes a prefix off the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<StripPrefix>,
    /// Takes a prefix off the path, by pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix_regex: Option<StripPrefixRegex>,
    /// Sets the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_path: Option<ReplacePath>,
    /// Rewrites the path by pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_path_regex: Option<ReplacePathRegex>,
    /// Several others by one name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// Old spelling of `ipAllowList`; deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_white_list: Option<IpWhiteList>,
    /// Lets only some addresses in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_allow_list: Option<IpAllowList>,
    /// Sets headers, CORS and security headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    /// Says which encoded characters a path may hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded_characters: Option<EncodedCharacters>,
    /// Replaces error answers by pages of another service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorPage>,
    /// Limits requests in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Redirects by pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_regex: Option<RedirectRegex>,
    /// Redirects to another scheme or port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_scheme: Option<RedirectScheme>,
    /// Asks for a name and a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// Asks for a digest of name and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_auth: Option<DigestAuth>,
    /// Asks another server whether a request may pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_auth: Option<ForwardAuth>,
    /// Limits requests at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_req: Option<InFlightReq>,
    /// Reads bodies before they are sent on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffering: Option<Buffering>,
    /// Stops calling a failing service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Compresses answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compress: Option<Compress>,
    /// Sends the client's certificate on as headers.
    #[serde(rename = "passTLSClientCert", skip_serializing_if = "Option::is_none")]
    pub pass_tls_client_cert: Option<PassTlsClientCert>,
    /// Tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Guesses missing content types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    /// Turns gRPC-Web into gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_web: Option<GrpcWeb>,
    /// Plugins by name, with what each of them takes.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(schema_with = "free_form_by_name")]
    pub plugin: BTreeMap<String, serde_json::Value>,
}

/// Objects by name, about which nothing is known.
fn free_form_by_name(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": { "x-kubernetes-preserve-unknown-fields": true },
    })
}
