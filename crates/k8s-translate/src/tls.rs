//! Certificates, TLSOptions and TLSStores.

use std::collections::BTreeMap;

use traefikrs_config::diagnostic::Consequence;
use traefikrs_config::dynamic;
use traefikrs_crd as crd;

use crate::ingress_route::domain;
use crate::problem::{Path, Problem};
use crate::view::View;

/// Certificates by namespace and name of their Secret.
#[derive(Debug, Default)]
pub(crate) struct Certificates(BTreeMap<(String, String), dynamic::CertAndStores>);

impl Certificates {
    /// Adds a certificate to a store, or to the default one when a route asks for it.
    fn add(
        &mut self,
        namespace: &str,
        secret: &str,
        pair: dynamic::Certificate,
        store: Option<&str>,
    ) {
        let entry = self.0.entry((namespace.to_owned(), secret.to_owned()));
        match entry {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(dynamic::CertAndStores {
                    cert_file: pair.cert_file,
                    key_file: pair.key_file,
                    stores: store.map(str::to_owned).into_iter().collect(),
                });
            }
            // The stores add up: otherwise a store that nobody asks could take a route's certificate.
            std::collections::btree_map::Entry::Occupied(mut occupied) => {
                let stores = &mut occupied.get_mut().stores;
                if stores.is_empty() {
                    stores.push("default".to_owned());
                }
                let store = store.unwrap_or("default");
                if !stores.iter().any(|known| known == store) {
                    stores.push(store.to_owned());
                }
                if *stores == ["default"] {
                    stores.clear();
                }
            }
        }
    }

    pub(crate) fn into_list(self) -> Vec<dynamic::CertAndStores> {
        self.0.into_values().collect()
    }
}

impl View<'_> {
    /// The certificate that an IngressRoute names.
    pub(crate) fn route_certificate(
        &self,
        namespace: &str,
        spec: &crd::IngressRouteSpec,
        certificates: &mut Certificates,
    ) -> Result<(), Problem> {
        let Some(secret) = spec
            .tls
            .as_ref()
            .map(|tls| tls.secret_name.as_str())
            .filter(|secret| !secret.is_empty())
        else {
            return Ok(());
        };
        let path = Path::SPEC.field("tls");
        let pair = self.key_pair(namespace, secret, path.field("secretName"))?;
        certificates.add(namespace, secret, pair, None);
        Ok(())
    }

    /// The store that a TLSStore describes; its certificates are added to the others.
    pub(crate) fn store(
        &self,
        namespace: &str,
        key: &str,
        spec: &crd::TLSStoreSpec,
        certificates: &mut Certificates,
        problems: &mut Vec<Problem>,
    ) -> Result<dynamic::TlsStore, Problem> {
        let default_certificate = match &spec.default_certificate {
            Some(reference) => {
                let path = Path::SPEC.field("defaultCertificate");
                let path = path.field("secretName");
                Some(self.key_pair(namespace, &reference.secret_name, path)?)
            }
            None => None,
        };
        let path = Path::SPEC.field("certificates");
        for (index, reference) in spec.certificates.iter().enumerate() {
            let path = path.index(index);
            let path = path.field("secretName");
            match self.key_pair(namespace, &reference.secret_name, path) {
                Ok(pair) => certificates.add(namespace, &reference.secret_name, pair, Some(key)),
                Err(problem) => problems.push(problem.leads_to(Consequence::PartLeftOut)),
            }
        }
        Ok(dynamic::TlsStore {
            default_certificate,
            default_generated_cert: spec.default_generated_cert.as_ref().map(|generated| {
                dynamic::GeneratedCert {
                    resolver: generated.resolver.clone(),
                    domain: generated.domain.as_ref().map(domain),
                }
            }),
        })
    }

    /// The options that a TLSOption describes.
    pub(crate) fn options(
        &self,
        namespace: &str,
        spec: &crd::TLSOptionSpec,
        problems: &mut Vec<Problem>,
    ) -> dynamic::TlsOptions {
        let mut options = dynamic::TlsOptions {
            min_version: spec.min_version.clone(),
            max_version: spec.max_version.clone(),
            curve_preferences: spec.curve_preferences.clone(),
            sni_strict: spec.sni_strict,
            disable_session_tickets: spec.disable_session_tickets,
            ..dynamic::TlsOptions::default()
        };
        if !spec.cipher_suites.is_empty() {
            options.cipher_suites.clone_from(&spec.cipher_suites);
        }
        if !spec.alpn_protocols.is_empty() {
            options.alpn_protocols.clone_from(&spec.alpn_protocols);
        }
        if let Some(client_auth) = &spec.client_auth {
            options.client_auth = self.client_auth(namespace, client_auth, problems);
        }
        options
    }

    fn client_auth(
        &self,
        namespace: &str,
        given: &crd::ClientAuth,
        problems: &mut Vec<Problem>,
    ) -> dynamic::ClientAuth {
        let path = Path::SPEC.field("clientAuth");
        let path = path.field("secretNames");
        let mut client_auth = dynamic::ClientAuth {
            ca_files: Vec::new(),
            client_auth_type: given.client_auth_type.clone(),
        };
        for (index, secret) in given.secret_names.iter().enumerate() {
            match self.client_authority(namespace, secret, path.index(index)) {
                Ok(authority) => client_auth.ca_files.push(authority),
                Err(problem) => problems.push(problem.leads_to(Consequence::PartLeftOut)),
            }
        }
        // Without any authority "require and verify" would silently become "ask for nothing"; the
        // explicit type makes the option refuse connections instead.
        if given.client_auth_type.is_empty()
            && client_auth.ca_files.is_empty()
            && !given.secret_names.is_empty()
        {
            "RequireAndVerifyClientCert".clone_into(&mut client_auth.client_auth_type);
        }
        client_auth
    }
}

/// Versions in ascending order; `None` for what is no version.
pub(crate) fn version_rank(version: &str) -> Option<usize> {
    [
        "VersionTLS10",
        "VersionTLS11",
        "VersionTLS12",
        "VersionTLS13",
    ]
    .iter()
    .position(|known| *known == version)
}
