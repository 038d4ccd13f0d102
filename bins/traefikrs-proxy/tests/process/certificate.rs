//! A certificate for a server on this machine, and a proxy that trusts it.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Site, all_to};

pub(crate) struct Certificate {
    certified: CertifiedKey<rcgen::KeyPair>,
    pub(crate) pem: String,
    pub(crate) key_pem: String,
}

impl Certificate {
    pub(crate) fn of_loopback() -> Self {
        let certified = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        Self {
            pem: certified.cert.pem(),
            key_pem: certified.signing_key.serialize_pem(),
            certified,
        }
    }

    /// What a server speaks TLS with that likes HTTP/2 better than HTTP/1.1.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let key = PrivatePkcs8KeyDer::from(self.certified.signing_key.serialize_der());
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![self.certified.cert.der().clone()],
                PrivateKeyDer::Pkcs8(key),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// A site before a server that has this certificate, and with no other trusted.
    pub(crate) fn site(&self, server: SocketAddr) -> Site {
        let directory = tempfile::tempdir().unwrap();
        let authority = directory.path().join("authority.pem");
        fs::write(&authority, &self.pem).unwrap();
        let trust = format!("--serverstransport.rootcas={}", authority.display());
        // The file is read at the start.
        Site::start(&all_to(&format!("https://{server}")), &[&*trust]).ready()
    }
}
