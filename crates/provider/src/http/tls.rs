//! TLS towards the endpoint.

use traefikrs_config::{dynamic, redact::FileOrContent};
use traefikrs_tls::{CertificateError, ClientOptions, ClientTls, Identity, Roots, Verification};

use super::InvalidOption;

/// What the options say of TLS; without any, who is trusted by the system is.
pub(super) fn client(
    options: Option<&dynamic::ClientTls>,
    system_roots: &Roots,
) -> Result<ClientTls, InvalidOption> {
    let options = options.cloned().unwrap_or_default();
    let ca = content("tls.ca", options.ca)?;
    let cert = content("tls.cert", options.cert)?;
    let key = content("tls.key", options.key)?;
    let roots = match ca.as_str() {
        "" => system_roots.clone(),
        ca => roots(ca)?,
    };
    let identities = match (cert.as_str(), key.as_str()) {
        ("", "") => Vec::new(),
        ("", _) | (_, "") => {
            let problem = "both TLS cert and key must be defined";
            return Err(InvalidOption::new("tls", problem));
        }
        (cert, key) => {
            vec![Identity::parse(cert, key).map_err(|error| unusable("tls.cert", &error))?]
        }
    };
    let options = ClientOptions {
        verification: Verification {
            roots,
            insecure_skip_verify: options.insecure_skip_verify,
            peer_uri: None,
        },
        identities,
        ..ClientOptions::default()
    };
    ClientTls::new(options).map_err(|error| InvalidOption::new("tls", error.to_string()))
}

fn content(option: &str, mut part: FileOrContent) -> Result<String, InvalidOption> {
    part.read(|path| std::fs::read_to_string(path));
    let content = part.content();
    content
        .map(str::to_owned)
        .map_err(|problem| InvalidOption::new(option, problem))
}

fn roots(ca: &str) -> Result<Roots, InvalidOption> {
    let (roots, problems) = Roots::parse([ca]);
    match problems.into_iter().next() {
        // Traefik: what can be read of it counts.
        Some((_, problem)) if roots.is_empty() => Err(unusable("tls.ca", &problem)),
        _ => Ok(roots),
    }
}

fn unusable(option: &str, error: &CertificateError) -> InvalidOption {
    InvalidOption::new(option, error.to_string())
}
