//! TLSStore: certificates for names that nothing else covers.

use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Domain, is_zero};

/// Which certificates are served where no other fits? Only the store named `default` is ever asked.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "traefik.io",
    version = "v1alpha1",
    kind = "TLSStore",
    plural = "tlsstores",
    singular = "tlsstore",
    namespaced,
    derive = "Default",
    derive = "PartialEq",
    doc = "Certificates for names that nothing else covers.",
    crates(
        kube_core = "::kube_core",
        k8s_openapi = "::k8s_openapi",
        schemars = "::schemars",
        serde = "::serde",
        serde_json = "::serde_json"
    )
)]
#[serde(default, rename_all = "camelCase")]
pub struct TLSStoreSpec {
    /// The certificate for unknown names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_certificate: Option<CertificateRef>,
    /// The same, from a resolver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_generated_cert: Option<GeneratedCert>,
    /// Further certificates to serve.
    #[serde(skip_serializing_if = "is_zero")]
    pub certificates: Vec<CertificateRef>,
}

/// Which Secret has the certificate?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["secretName"]))]
pub struct CertificateRef {
    /// A Secret with the keys `tls.crt` and `tls.key`, in the same namespace.
    pub secret_name: String,
}

/// Which certificate is asked of a resolver?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct GeneratedCert {
    /// The resolver.
    #[serde(skip_serializing_if = "is_zero")]
    pub resolver: String,
    /// Its names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
}
