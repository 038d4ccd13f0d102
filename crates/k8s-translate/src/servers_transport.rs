//! ServersTransports: what is faulty of one is left out, towards the safe side.

use traefikrs_config::diagnostic::Consequence;
use traefikrs_config::duration::GoDuration;
use traefikrs_config::dynamic::{self, is_cipher_suite};
use traefikrs_config::redact::FileOrContent;
use traefikrs_crd::{self as crd, IntOrString};

use crate::problem::{Path, Problem};
use crate::reason;
use crate::service::duration_or;
use crate::tls::version_rank;
use crate::view::View;

impl View<'_> {
    /// The transport that a ServersTransport describes.
    pub(crate) fn transport(
        &self,
        namespace: &str,
        spec: &crd::ServersTransportSpec,
        problems: &mut Vec<Problem>,
    ) -> dynamic::ServersTransport {
        let (min_version, max_version) = versions(spec, problems);
        dynamic::ServersTransport {
            server_name: spec.server_name.clone(),
            insecure_skip_verify: spec.insecure_skip_verify,
            root_cas: self.root_cas(namespace, spec, problems),
            certificates: self.client_certificates(namespace, spec, problems),
            max_idle_conns_per_host: spec.max_idle_conns_per_host,
            forwarding_timeouts: Some(timeouts(spec.forwarding_timeouts.as_ref(), problems)),
            disable_http2: spec.disable_http2,
            peer_cert_uri: spec.peer_cert_uri.clone(),
            cipher_suites: cipher_suites(spec, problems),
            min_version,
            max_version,
            spiffe: spec.spiffe.as_ref().map(|spiffe| dynamic::Spiffe {
                ids: spiffe.ids.clone(),
                trust_domain: spiffe.trust_domain.clone(),
            }),
        }
    }

    fn root_cas(
        &self,
        namespace: &str,
        spec: &crd::ServersTransportSpec,
        problems: &mut Vec<Problem>,
    ) -> Vec<FileOrContent> {
        let mut authorities = Vec::new();
        let path = Path::SPEC.field("rootCAsSecrets");
        if !spec.root_cas_secrets.is_empty() {
            let message = "`rootCAsSecrets` is deprecated; write `rootCAs` with a `secret` each";
            problems.push(Problem::warning(reason::DEPRECATED, path, message));
        }
        for (index, secret) in spec.root_cas_secrets.iter().enumerate() {
            authorities.push(self.authority(namespace, secret, path.index(index)));
        }
        let path = Path::SPEC.field("rootCAs");
        for (index, root) in spec.root_cas.iter().enumerate() {
            let path = path.index(index);
            authorities.push(match (&root.secret, &root.config_map) {
                (Some(secret), None) => self.authority(namespace, secret, path.field("secret")),
                (None, Some(map)) => self.public_authority(namespace, map, path.field("configMap")),
                _ => {
                    let message =
                        "an authority comes from either a `secret` or a `configMap`; write one";
                    Err(Problem::error(reason::INVALID_ROOT_CA, path, message))
                }
            });
        }
        let is_asked_for = !authorities.is_empty();
        let mut loaded: Vec<_> = authorities
            .into_iter()
            .filter_map(|authority| left_out(authority, problems))
            .collect();
        if is_asked_for && loaded.is_empty() {
            // Traefik: an empty list, which means those of the system. Nobody was asked to trust them.
            loaded.push(FileOrContent::from_content(String::new()));
        }
        loaded
    }

    fn client_certificates(
        &self,
        namespace: &str,
        spec: &crd::ServersTransportSpec,
        problems: &mut Vec<Problem>,
    ) -> Vec<dynamic::Certificate> {
        let path = Path::SPEC.field("certificatesSecrets");
        spec.certificates_secrets
            .iter()
            .enumerate()
            .filter_map(|(index, secret)| {
                left_out(
                    self.key_pair(namespace, secret, path.index(index)),
                    problems,
                )
            })
            .collect()
    }
}

fn left_out<T>(part: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    part.map_err(|problem| problems.push(problem.leads_to(Consequence::PartLeftOut)))
        .ok()
}

fn cipher_suites(spec: &crd::ServersTransportSpec, problems: &mut Vec<Problem>) -> Vec<String> {
    let path = Path::SPEC.field("cipherSuites");
    for (index, suite) in spec.cipher_suites.iter().enumerate() {
        if !is_cipher_suite(suite) {
            // Traefik: one unknown name and the defaults apply.
            let message =
                format!("`{suite}` is no cipher suite, so the defaults apply; correct it");
            let problem = Problem::error(reason::UNKNOWN_CIPHER_SUITE, path.index(index), message);
            problems.push(problem.leads_to(Consequence::DefaultUsed));
            return Vec::new();
        }
    }
    spec.cipher_suites.clone()
}

/// The lowest and the highest version. A faulty one is left out, which never lowers what is asked for.
fn versions(spec: &crd::ServersTransportSpec, problems: &mut Vec<Problem>) -> (String, String) {
    let mut version = |text: &str, field| {
        if text.is_empty() || version_rank(text).is_some() {
            return text.to_owned();
        }
        let message = format!("`{text}` is no TLS version; write VersionTLS12 or VersionTLS13");
        let problem = Problem::error(
            reason::UNKNOWN_TLS_VERSION,
            Path::SPEC.field(field),
            message,
        );
        problems.push(problem.leads_to(Consequence::PartLeftOut));
        String::new()
    };
    let min = version(&spec.min_version, "minVersion");
    let max = version(&spec.max_version, "maxVersion");
    if let (Some(lowest), Some(highest)) = (version_rank(&min), version_rank(&max))
        && lowest > highest
    {
        let message = format!("`{max}` is below `minVersion`, so it is left out; raise it");
        let problem = Problem::error(
            reason::TLS_VERSIONS_CROSSED,
            Path::SPEC.field("maxVersion"),
            message,
        );
        problems.push(problem.leads_to(Consequence::PartLeftOut));
        return (min, String::new());
    }
    (min, max)
}

fn timeouts(
    given: Option<&crd::ForwardingTimeouts>,
    problems: &mut Vec<Problem>,
) -> dynamic::ForwardingTimeouts {
    let defaults = dynamic::ForwardingTimeouts::default();
    let Some(given) = given else {
        return defaults;
    };
    let path = Path::SPEC.field("forwardingTimeouts");
    // A timeout that cannot be read gets its default: none at all would be the unsafe side.
    let mut timeout = |value: &Option<IntOrString>, field, default: GoDuration| {
        duration_or(value.as_ref(), default, path.field(field)).unwrap_or_else(|problem| {
            problems.push(problem.leads_to(Consequence::DefaultUsed));
            default
        })
    };
    dynamic::ForwardingTimeouts {
        dial_timeout: timeout(&given.dial_timeout, "dialTimeout", defaults.dial_timeout),
        response_header_timeout: timeout(
            &given.response_header_timeout,
            "responseHeaderTimeout",
            defaults.response_header_timeout,
        ),
        idle_conn_timeout: timeout(
            &given.idle_conn_timeout,
            "idleConnTimeout",
            defaults.idle_conn_timeout,
        ),
        read_idle_timeout: timeout(
            &given.read_idle_timeout,
            "readIdleTimeout",
            defaults.read_idle_timeout,
        ),
        ping_timeout: timeout(&given.ping_timeout, "pingTimeout", defaults.ping_timeout),
    }
}
