//! Is a server who it should be?

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use webpki::{EndEntityCert, RawPublicKeyEntity};

use crate::certificate;
use crate::roots::Roots;

/// How is a server's certificate verified?
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// The authorities that may have signed it.
    pub roots: Roots,
    /// Whether neither who has signed it nor its names are looked at.
    pub insecure_skip_verify: bool,
    /// A URI that must be among its names. Then it must have been signed by one of the authorities, whatever
    /// `insecure_skip_verify` says.
    pub peer_uri: Option<Box<str>>,
}

impl Verification {
    fn asks_who_has_signed(&self) -> bool {
        !self.insecure_skip_verify || self.peer_uri.is_some()
    }

    /// Reads the authorities if they are needed.
    pub(crate) fn prepare(&self) {
        if self.asks_who_has_signed() {
            self.roots.read();
        }
    }
}

/// A server's certificate lacks the URI that it must have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificate does not carry the URI {expected}")]
pub struct WrongPeer {
    /// The URI.
    pub expected: Box<str>,
}

/// A [`Verification`] with the algorithms for it.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) verification: Verification,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Verification {
            insecure_skip_verify,
            peer_uri,
            ..
        } = &self.verification;
        if self.verification.asks_who_has_signed() {
            self.verify_chain(end_entity, intermediates, now)?;
        }
        if !insecure_skip_verify {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        }
        if let Some(uri) = peer_uri {
            verify_uri(end_entity, uri)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.key_of_version_1(certificate) {
            Some(key) => self.verify_tls12_signature_by(&key, message, signature),
            None => verify_tls12_signature(message, certificate, signature, &self.algorithms),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.key_of_version_1(certificate) {
            Some(key) => {
                verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
            }
            None => verify_tls13_signature(message, certificate, signature, &self.algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let roots = &self.verification.roots;
        let verified = verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            roots.store(),
            intermediates,
            now,
            self.algorithms.all,
        );
        match verified {
            // Go: what is among the roots needs no chain. Certificates that servers sign for themselves often call
            // themselves authorities; that is looked at last, after their dates.
            Err(error) if is_authority_itself(&error) && roots.contain(end_entity) => Ok(()),
            verified => verified,
        }
    }
}

/// Certificates of version 1, which old tools make, have no names and so are never trusted. Go lets them pass with
/// `insecureSkipVerify`; the server then still has to show that the key is its own.
impl Verifier {
    fn key_of_version_1(
        &self,
        certificate: &CertificateDer<'_>,
    ) -> Option<SubjectPublicKeyInfoDer<'static>> {
        let skip = self.verification.insecure_skip_verify;
        skip.then(|| certificate::key_of_version_1(certificate))?
    }

    fn verify_tls12_signature_by(
        &self,
        key: &SubjectPublicKeyInfoDer<'_>,
        message: &[u8],
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = RawPublicKeyEntity::try_from(key)
            .map_err(|_| Error::from(CertificateError::BadEncoding))?;
        let known = self.algorithms.mapping.iter();
        known
            .filter(|(scheme, _)| *scheme == signature.scheme)
            .flat_map(|(_, algorithms)| algorithms.iter())
            .find(|algorithm| {
                let verified = key.verify_signature(**algorithm, message, signature.signature());
                verified.is_ok()
            })
            .map(|_| HandshakeSignatureValid::assertion())
            .ok_or_else(|| CertificateError::BadSignature.into())
    }
}

fn is_authority_itself(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(error))) = error else {
        return false;
    };
    error.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity)
}

// Traefik: `VerifyPeerCertificate` in `pkg/tls/tlsmanager.go` compares without regard to case.
fn verify_uri(certificate: &CertificateDer<'_>, expected: &str) -> Result<(), Error> {
    let carried = EndEntityCert::try_from(certificate).is_ok_and(|certificate| {
        certificate
            .valid_uri_names()
            .any(|uri| uri.eq_ignore_ascii_case(expected))
    });
    if carried {
        return Ok(());
    }
    let wrong = WrongPeer {
        expected: expected.into(),
    };
    Err(CertificateError::Other(OtherError(Arc::new(wrong))).into())
}
