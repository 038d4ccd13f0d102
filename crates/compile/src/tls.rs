//! TLS towards servers, out of a servers transport.

use traefikrs_config::diagnostic::{Consequence, Diagnostic, Reason, Subject};
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_tls::{
    CipherSuites, ClientOptions, ClientTls, Identity, Roots, ServerName, Verification, Version,
    Versions,
};

use crate::compiled::TransportTls;
use crate::error::BuildError;
use crate::reason::{CERTIFICATE_UNUSABLE, NOT_SERVED, TLS_NOT_SPOKEN, TRANSPORT_UNUSABLE};

/// What a transport says of TLS; what it cannot mean closes the servers that would need it.
///
/// Traefik speaks TLS with all defaults instead, without the roots, certificates and versions that were asked for.
pub(crate) fn of(
    name: &QualifiedName,
    configured: &dynamic::ServersTransport,
    system_roots: &Roots,
    found: &mut Vec<Diagnostic>,
) -> Result<TransportTls, BuildError> {
    let mut findings = Findings { name, found };
    let tls = findings.tls(configured, system_roots);
    tls.map_err(|problem| findings.close(&problem))
}

/// Why TLS cannot be spoken.
struct Unusable {
    path: &'static str,
    reason: Reason,
    message: String,
}

fn unusable(path: &'static str, message: impl Into<String>) -> Unusable {
    Unusable {
        path,
        reason: TRANSPORT_UNUSABLE,
        message: message.into(),
    }
}

/// What is found about a transport.
struct Findings<'f> {
    name: &'f QualifiedName,
    found: &'f mut Vec<Diagnostic>,
}

impl Findings<'_> {
    fn tls(
        &mut self,
        configured: &dynamic::ServersTransport,
        system_roots: &Roots,
    ) -> Result<TransportTls, Unusable> {
        if configured.spiffe.is_some() {
            return Err(Unusable {
                path: "spiffe",
                reason: NOT_SERVED,
                message: "SPIFFE identities are not served yet".to_owned(),
            });
        }
        let server_name = match configured.server_name.as_str() {
            "" => None,
            name => Some(ServerName::try_from(name.to_owned()).map_err(|_| {
                unusable(
                    "serverName",
                    format!("no certificate can be issued to `{name}`"),
                )
            })?),
        };
        let versions = self.versions(configured)?;
        let cipher_suites = self.cipher_suites(&configured.cipher_suites)?;
        let options = ClientOptions {
            verification: Verification {
                roots: self.roots(configured, system_roots),
                insecure_skip_verify: configured.insecure_skip_verify,
                peer_uri: Some(configured.peer_cert_uri.as_str())
                    .filter(|uri| !uri.is_empty())
                    .map(Into::into),
            },
            identities: self.identities(&configured.certificates),
            versions,
            cipher_suites,
            disable_http2: configured.disable_http2,
        };
        let client =
            ClientTls::new(options).map_err(|error| unusable("cipherSuites", error.to_string()))?;
        Ok(TransportTls {
            client,
            server_name,
        })
    }

    fn versions(&mut self, configured: &dynamic::ServersTransport) -> Result<Versions, Unusable> {
        let bound = |path, name: &str| {
            if name.is_empty() {
                return Ok(None);
            }
            let version = Version::named(name)
                .ok_or_else(|| unusable(path, format!("`{name}` is no TLS version")))?;
            Ok(Some(version))
        };
        let lowest = bound("minVersion", &configured.min_version)?;
        let highest = bound("maxVersion", &configured.max_version)?;
        let versions = Versions::between(lowest, highest)
            .map_err(|error| unusable("maxVersion", error.to_string()))?;
        if lowest.is_some_and(|lowest| !lowest.is_spoken()) {
            let message = format!(
                "{} is not spoken: connections begin with TLS 1.2",
                configured.min_version
            );
            self.warn(TLS_NOT_SPOKEN, "minVersion".to_owned(), message);
        }
        Ok(versions)
    }

    fn cipher_suites(&mut self, names: &[String]) -> Result<CipherSuites, Unusable> {
        if names.is_empty() {
            return Ok(CipherSuites::all());
        }
        for (index, name) in names.iter().enumerate() {
            if !dynamic::is_cipher_suite(name) {
                return Err(unusable(
                    "cipherSuites",
                    format!("`{name}` is no cipher suite"),
                ));
            }
            if !CipherSuites::is_spoken(name) {
                let message = format!("{name} is not spoken: it is not offered to servers");
                self.warn(TLS_NOT_SPOKEN, format!("cipherSuites[{index}]"), message);
            }
        }
        Ok(CipherSuites::only(names.iter().map(String::as_str)))
    }

    /// The authorities to trust. Broken ones are left out; if none is left, nobody is trusted.
    fn roots(&mut self, configured: &dynamic::ServersTransport, system_roots: &Roots) -> Roots {
        if configured.root_cas.is_empty() {
            return system_roots.clone();
        }
        let mut numbers = Vec::new();
        let mut texts = Vec::new();
        for (index, root) in configured.root_cas.iter().enumerate() {
            match root.content() {
                Ok(text) => {
                    numbers.push(index);
                    texts.push(text);
                }
                Err(problem) => self.left_out(format!("rootCAs[{index}]"), problem),
            }
        }
        let (roots, problems) = Roots::parse(texts);
        for (place, problem) in problems {
            self.left_out(format!("rootCAs[{}]", numbers[place]), explain(&problem));
        }
        roots
    }

    fn identities(&mut self, certificates: &[dynamic::Certificate]) -> Vec<Identity> {
        let mut identities = Vec::new();
        for (index, certificate) in certificates.iter().enumerate() {
            let pair = certificate.cert_file.content().and_then(|text| {
                let key = certificate.key_file.content()?;
                Identity::parse(text, key).map_err(|problem| explain(&problem))
            });
            match pair {
                Ok(identity) => identities.push(identity),
                Err(problem) => self.left_out(format!("certificates[{index}]"), problem),
            }
        }
        identities
    }

    fn left_out(&mut self, path: String, problem: String) {
        self.warn(CERTIFICATE_UNUSABLE, path, problem);
    }

    fn warn(&mut self, reason: Reason, path: String, message: String) {
        let diagnostic = Diagnostic::warning(self.subject(), reason, message).at(path);
        self.found
            .push(diagnostic.leads_to(Consequence::PartLeftOut));
    }

    fn close(&mut self, problem: &Unusable) -> BuildError {
        let Unusable {
            path,
            reason,
            message,
        } = problem;
        let diagnostic = Diagnostic::error(self.subject(), *reason, message).at(*path);
        self.found
            .push(diagnostic.leads_to(Consequence::ServersClosed));
        let message = format!("servers transport {}: {path}: {message}", self.name);
        if *reason == NOT_SERVED {
            BuildError::not_served(message)
        } else {
            BuildError::closed(message)
        }
    }

    fn subject(&self) -> Subject {
        Subject::named("servers transport", self.name.as_str())
    }
}

/// An error with its causes.
fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
