//! Certificates out of PEM text.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer, pem};
use rustls::sign::CertifiedKey;
use rustls::{DistinguishedName, InconsistentKeys};
use webpki::{EndEntityCert, anchor_from_trusted_cert, spki_for_anchor};

/// Why does a text not give a certificate, or a certificate and its key?
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// There is no block `CERTIFICATE` in it.
    #[error("no certificate in PEM form")]
    NoCertificate,
    /// There is no block with a private key in it.
    #[error("no private key in PEM form")]
    NoKey,
    /// A block is broken.
    #[error("broken PEM text")]
    Pem(#[source] pem::Error),
    /// The bytes of a block are no certificate.
    #[error("unreadable certificate")]
    Unreadable(#[source] rustls::Error),
    /// The key is of an unknown kind, or is not that of the certificate.
    #[error("unusable private key")]
    Key(#[source] rustls::Error),
}

/// The certificates in a text, and what is wrong with it: nothing is read behind broken PEM. Blocks of other kinds are
/// passed over.
pub(crate) fn certificates_among(
    text: &str,
) -> (Vec<CertificateDer<'static>>, Option<CertificateError>) {
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        match certificate {
            Ok(certificate) => certificates.push(certificate),
            Err(error) => return (certificates, Some(CertificateError::Pem(error))),
        }
    }
    let problem = certificates
        .is_empty()
        .then_some(CertificateError::NoCertificate);
    (certificates, problem)
}

/// Who we are: a certificate with its chain, and its key.
#[derive(Clone)]
pub struct Identity {
    key: Arc<CertifiedKey>,
    /// Who has signed each certificate of the chain, as far as it can be read.
    issuers: Vec<Option<DistinguishedName>>,
}

impl Identity {
    /// Reads a certificate, followed by its chain, and its key.
    ///
    /// # Errors
    ///
    /// When one of them is missing or broken, or they do not belong together.
    pub fn parse(certificate: &str, key: &str) -> Result<Self, CertificateError> {
        let (chain, problem) = certificates_among(certificate);
        problem.map_or(Ok(()), Err)?;
        let issuers = chain.iter().map(issuer).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| match error {
            pem::Error::NoItemsFound => CertificateError::NoKey,
            error => CertificateError::Pem(error),
        })?;
        let key = certified(chain, key).map_err(CertificateError::Key)?;
        Ok(Self {
            key: Arc::new(key),
            issuers,
        })
    }

    pub(crate) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    /// Whether one of these authorities may have signed it, or something between it and them.
    pub(crate) fn is_issued_by(&self, authorities: &[&[u8]]) -> bool {
        self.issuers.iter().any(|issuer| match issuer {
            Some(issuer) => authorities.contains(&issuer.as_ref()),
            None => true,
        })
    }
}

/// Who has signed a certificate; of one of version 1 that is not read.
fn issuer(certificate: &CertificateDer<'_>) -> Result<Option<DistinguishedName>, CertificateError> {
    match EndEntityCert::try_from(certificate) {
        Ok(certificate) => Ok(Some(DistinguishedName::in_sequence(certificate.issuer()))),
        Err(_) if key_of_version_1(certificate).is_some() => Ok(None),
        Err(error) => Err(CertificateError::Unreadable(rustls::Error::General(
            error.to_string(),
        ))),
    }
}

/// The key of a certificate of version 1: nothing for all others.
pub(crate) fn key_of_version_1(
    certificate: &CertificateDer<'_>,
) -> Option<SubjectPublicKeyInfoDer<'static>> {
    let version = EndEntityCert::try_from(certificate).err();
    if version != Some(webpki::Error::UnsupportedCertVersion) {
        return None;
    }
    let read = anchor_from_trusted_cert(certificate).ok();
    read.map(|read| spki_for_anchor(&read))
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, rustls::Error> {
    let crypto = crate::crypto();
    let Some(certified) = chain.first().and_then(key_of_version_1) else {
        return CertifiedKey::from_der(chain, key, &crypto);
    };
    let key = crypto.key_provider.load_private_key(key)?;
    if key.public_key().is_some_and(|key| key != certified) {
        return Err(InconsistentKeys::KeyMismatch.into());
    }
    Ok(CertifiedKey::new(chain, key))
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}
