//! Where the dynamic configuration comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::duration::GoDuration;
use crate::dynamic::ClientTls;
use crate::redact::Sensitive;

/// Where the dynamic configuration comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Providers {
    /// The shortest time between two changes of one provider; unset means ours.
    pub providers_throttle_duration: Option<GoDuration>,
    /// Whose router wins among equal priorities: the one that stands first. Lower case.
    pub precedence: Vec<String>,
    /// Files.
    pub file: Option<FileProvider>,
    /// An HTTP endpoint.
    pub http: Option<HttpProvider>,
    /// The objects of a cluster.
    #[serde(rename = "kubernetesCRD")]
    pub kubernetes_crd: Option<KubernetesCrd>,
    /// The objects of a cluster, out of files.
    pub kubernetes_manifests: Option<KubernetesManifests>,
}

/// Dynamic configuration out of files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FileProvider {
    /// One file.
    pub filename: String,
    /// All files of a directory; before `filename` when both are given.
    pub directory: String,
    /// Read them again when they change.
    pub watch: bool,
    /// Traefik's; there are no templates here.
    pub debug_log_generated_template: bool,
}

impl Default for FileProvider {
    fn default() -> Self {
        Self {
            filename: String::new(),
            directory: String::new(),
            watch: true,
            debug_log_generated_template: false,
        }
    }
}

/// Dynamic configuration from an HTTP endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpProvider {
    /// The URL to ask, which may hold a password or a token.
    pub endpoint: Sensitive,
    /// The time from one question to the next.
    pub poll_interval: GoDuration,
    /// The longest time for an answer; 0 and less mean ours.
    pub poll_timeout: GoDuration,
    /// Sent with each request.
    #[serde(deserialize_with = "headers")]
    pub headers: BTreeMap<String, Sensitive>,
    /// How to reach it by TLS.
    pub tls: Option<ClientTls>,
    /// The most bytes of an answer; less than 0 means ours.
    pub max_response_body_size: i64,
}

// What stands in their place instead may hold a token, which an error must not show.
fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Sensitive>, D::Error> {
    BTreeMap::deserialize(deserializer)
        .map_err(|_| de::Error::custom("expected names of headers with a text each"))
}

impl Default for HttpProvider {
    fn default() -> Self {
        Self {
            endpoint: Sensitive::default(),
            poll_interval: GoDuration::from_secs(5),
            poll_timeout: GoDuration::from_secs(5),
            headers: BTreeMap::new(),
            tls: None,
            max_response_body_size: -1,
        }
    }
}

/// The objects of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct KubernetesCrd {
    /// The API server's URL.
    pub endpoint: String,
    /// Token to log in with, or the path of a file that holds it.
    pub token: Sensitive,
    /// File with the authorities that may vouch for the API server.
    pub cert_auth_file_path: String,
    /// Namespaces to look into; empty means all.
    pub namespaces: Vec<String>,
    /// Which objects of `traefik.io` count.
    pub label_selector: String,
    /// Class of IngressRoutes to translate.
    pub ingress_class: String,
    /// The shortest time between two translations.
    pub throttle_duration: GoDuration,
    /// Let objects refer to objects of other namespaces.
    pub allow_cross_namespace: bool,
    /// Let routes point to Services of type ExternalName.
    pub allow_external_name_services: bool,
    /// Let routes have the pods of any Service checked, not only what an ExternalName leads to. Ours.
    pub allow_service_health_checks: bool,
    /// Serve 503 where a Service has no endpoints.
    pub allow_empty_services: bool,
    /// Let the cluster balance.
    #[serde(rename = "nativeLBByDefault")]
    pub native_lb_by_default: bool,
    /// Never look at Nodes.
    pub disable_cluster_scope_resources: bool,
    /// Namespaces whose objects may refer to other providers; unset means all, an empty list none.
    pub cross_provider_namespaces: Option<Vec<String>>,
    /// Join the parts of names so that two objects never share one.
    pub safe_naming: bool,
    /// The only namespace whose `default` TLSOption and TLSStore count.
    #[serde(rename = "defaultTLSResourcesNamespace")]
    pub default_tls_resources_namespace: String,
}

/// The objects of a cluster, out of files: for tests, edges and clusters without access.
///
/// Ours; Traefik has nothing like it. The elements are named as those of `kubernetesCRD`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct KubernetesManifests {
    /// One file, or a directory.
    pub path: String,
    /// A directory; before `path` when both are given.
    pub directory: String,
    /// Read them again when they change.
    pub watch: bool,
    /// Namespaces to look into; empty means all.
    pub namespaces: Vec<String>,
    /// Which objects of `traefik.io` count.
    pub label_selector: String,
    /// Class of IngressRoutes to translate.
    pub ingress_class: String,
    /// Let objects refer to objects of other namespaces.
    pub allow_cross_namespace: bool,
    /// Let routes point to Services of type ExternalName.
    pub allow_external_name_services: bool,
    /// Let routes have the pods of any Service checked, not only what an ExternalName leads to. Ours.
    pub allow_service_health_checks: bool,
    /// Serve 503 where a Service has no endpoints.
    pub allow_empty_services: bool,
    /// Let the cluster balance.
    #[serde(rename = "nativeLBByDefault")]
    pub native_lb_by_default: bool,
    /// Never look at Nodes.
    pub disable_cluster_scope_resources: bool,
    /// Namespaces whose objects may refer to other providers; unset means all, an empty list none.
    pub cross_provider_namespaces: Option<Vec<String>>,
    /// Join the parts of names so that two objects never share one.
    pub safe_naming: bool,
    /// The only namespace whose `default` TLSOption and TLSStore count.
    #[serde(rename = "defaultTLSResourcesNamespace")]
    pub default_tls_resources_namespace: String,
}

impl Default for KubernetesManifests {
    fn default() -> Self {
        Self {
            path: String::new(),
            directory: String::new(),
            watch: true,
            namespaces: Vec::new(),
            label_selector: String::new(),
            ingress_class: String::new(),
            allow_cross_namespace: false,
            allow_external_name_services: false,
            allow_service_health_checks: false,
            allow_empty_services: false,
            native_lb_by_default: false,
            disable_cluster_scope_resources: false,
            cross_provider_namespaces: None,
            safe_naming: false,
            default_tls_resources_namespace: String::new(),
        }
    }
}
