//! TLS towards servers.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};

use crate::OnDemand;
use crate::certificate::Identity;
use crate::cipher::CipherSuites;
use crate::verify::{Verification, Verifier};
use crate::version::Versions;

/// How is TLS spoken with servers?
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Who the server must be.
    pub verification: Verification,
    /// Who we are, for servers that ask: the first that fits what they ask for.
    pub identities: Vec<Identity>,
    /// Which versions are offered.
    pub versions: Versions,
    /// Which cipher suites are offered.
    pub cipher_suites: CipherSuites,
    /// Whether HTTP/2 is never offered.
    pub disable_http2: bool,
}

/// The suites that are left are none of the versions that are left: nothing can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no cipher suite of an allowed TLS version is left")]
pub struct NothingInCommon;

/// TLS towards servers, for connections that resume each other's sessions.
///
/// It is made ready by [`prepare`](Self::prepare) or for the first connection. Most transports never see a server with
/// TLS, and the authorities of a system are many.
///
/// Two are equal if they are the same, not if they are alike: a connection may be used for whoever has the same.
#[derive(Clone)]
pub struct ClientTls(Arc<OnDemand<Configs>>);

struct Configs {
    http1: Arc<ClientConfig>,
    negotiating: Option<Arc<ClientConfig>>,
}

impl ClientTls {
    /// Makes it.
    ///
    /// # Errors
    ///
    /// When nothing is left to offer.
    pub fn new(options: ClientOptions) -> Result<Self, NothingInCommon> {
        if !options.cipher_suites.suit(options.versions.supported()) {
            return Err(NothingInCommon);
        }
        let configs = LazyLock::new(Box::new(|| Configs::new(options)) as Box<_>);
        Ok(Self(Arc::new(configs)))
    }

    /// Makes it ready, so that no connection has to wait for that.
    pub fn prepare(&self) {
        LazyLock::force(&self.0);
    }

    /// For HTTP/1.1, without a word about protocols, as Go's transport does it.
    #[must_use]
    pub fn http1(&self) -> &Arc<ClientConfig> {
        &self.0.http1
    }

    /// For what the server likes better of HTTP/2 and HTTP/1.1, unless HTTP/2 is disabled.
    #[must_use]
    pub fn negotiating(&self) -> Option<&Arc<ClientConfig>> {
        self.0.negotiating.as_ref()
    }
}

impl Configs {
    fn new(options: ClientOptions) -> Self {
        let mut crypto = crate::crypto();
        options.cipher_suites.restrict(&mut crypto);
        options.verification.prepare();
        let verifier = Verifier {
            verification: options.verification,
            algorithms: crypto.signature_verification_algorithms,
        };
        let http1 = ClientConfig::builder_with_provider(Arc::new(crypto))
            .with_protocol_versions(options.versions.supported())
            .expect("there is a suite for one of the versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(Identities(options.identities)));
        let negotiating = (!options.disable_http2).then(|| {
            let mut negotiating = http1.clone();
            negotiating.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Arc::new(negotiating)
        });
        Self {
            http1: Arc::new(http1),
            negotiating,
        }
    }
}

impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ClientTls {}

impl Hash for ClientTls {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}

/// The certificates to choose from when a server asks for one.
#[derive(Debug)]
struct Identities(Vec<Identity>);

impl ResolvesClientCert for Identities {
    /// Go (`crypto/tls.CertificateRequestInfo.SupportsCertificate`): the first whose key can sign and whose chain comes
    /// from an authority that the server names. None is not an error yet: the server may do without.
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let fits = |identity: &&Identity| {
            (root_hint_subjects.is_empty() || identity.is_issued_by(root_hint_subjects))
                && identity.key().key.choose_scheme(sigschemes).is_some()
        };
        self.0
            .iter()
            .find(fits)
            .map(|identity| Arc::clone(identity.key()))
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}
