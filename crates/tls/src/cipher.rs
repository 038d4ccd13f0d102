//! Cipher suites, by the names that Go gives them.

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::cipher_suite;
use rustls::version::TLS13;
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// The suites of TLS 1.2 that may be offered; those of TLS 1.3 always are.
///
/// Go: a list of suites says nothing about TLS 1.3 (`crypto/tls.Config.CipherSuites`), nor about preference.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CipherSuites(Option<Vec<SupportedCipherSuite>>);

impl CipherSuites {
    /// All suites there are.
    #[must_use]
    pub fn all() -> Self {
        Self(None)
    }

    /// Only the suites of these names, as far as they are spoken: see [`CipherSuites::is_spoken`].
    pub fn only<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(Some(names.into_iter().filter_map(named).collect()))
    }

    /// Whether there is a suite of this name here. Traefik knows more: those without forward secrecy or with a cipher
    /// in CBC mode, and RC4.
    ///
    /// ```
    /// use traefikrs_tls::CipherSuites;
    ///
    /// assert!(CipherSuites::is_spoken("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
    /// assert!(!CipherSuites::is_spoken("TLS_RSA_WITH_AES_128_CBC_SHA"));
    /// ```
    #[must_use]
    pub fn is_spoken(name: &str) -> bool {
        named(name).is_some()
    }

    /// Whether there is one for any of these versions.
    pub(crate) fn suit(&self, versions: &[&SupportedProtocolVersion]) -> bool {
        self.0.as_ref().is_none_or(|allowed| {
            let mut allowed = allowed.iter();
            versions.contains(&&TLS13) || allowed.any(|suite| versions.contains(&suite.version()))
        })
    }

    pub(crate) fn restrict(&self, crypto: &mut CryptoProvider) {
        if let Some(allowed) = &self.0 {
            crypto
                .cipher_suites
                .retain(|suite| suite.tls13().is_some() || allowed.contains(suite));
        }
    }
}

fn named(name: &str) -> Option<SupportedCipherSuite> {
    Some(match name {
        "TLS_AES_128_GCM_SHA256" => cipher_suite::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_256_GCM_SHA384" => cipher_suite::TLS13_AES_256_GCM_SHA384,
        "TLS_CHACHA20_POLY1305_SHA256" => cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => {
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        }
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => {
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        }
        // Traefik knows the suites with ChaCha20 by an older name of Go's, too.
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
        | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305" => {
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => {
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        }
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => {
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
        }
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" => {
            cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_restricts_tls_1_2_only() {
        let offered = |suites: CipherSuites| {
            let mut crypto = crate::crypto();
            suites.restrict(&mut crypto);
            let tls13 = crypto
                .cipher_suites
                .iter()
                .filter(|suite| suite.tls13().is_some());
            (tls13.count(), crypto.cipher_suites.len())
        };
        assert_eq!(offered(CipherSuites::all()), (3, 9));
        assert_eq!(
            offered(CipherSuites::only([
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
                "TLS_RSA_WITH_RC4_128_SHA",
            ])),
            (3, 5)
        );
        assert_eq!(
            offered(CipherSuites::only(["TLS_AES_128_GCM_SHA256"])),
            (3, 3)
        );
    }
}
