//! Servers with TLS: what is inside goes to a server without.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio_rustls::TlsAcceptor;

use super::backend::Server;
use super::http2;

/// The name in the servers' certificate, beside their addresses.
const NAME: &str = "secure.test";
/// More than all addresses of servers.
const ADDRESSES: std::ops::Range<u8> = 1..9;

/// Who says that the servers are who they are.
#[derive(Debug)]
pub(super) struct Authority {
    roots: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut issuer = CertificateParams::default();
        issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(issuer, KeyPair::generate()?)?;
        let mut server = CertificateParams::new([NAME.to_owned()])?;
        let addresses = ADDRESSES.map(|last| Ipv4Addr::new(127, 0, 0, last).into());
        server
            .subject_alt_names
            .extend(addresses.map(SanType::IpAddress));
        let key = KeyPair::generate()?;
        Ok(Self {
            chain: vec![server.signed_by(&key, &issuer)?.der().clone()],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            roots: issuer.pem(),
        })
    }

    /// Writes what proxies are told to trust.
    pub(super) fn write_roots(&self, directory: &Path) -> anyhow::Result<()> {
        let path = directory.join("roots.pem");
        std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(&path, &self.roots))
            .with_context(|| path.display().to_string())
    }

    /// A server that agrees on one of these protocols, if there are any.
    pub(super) fn server(&self, offers: &[&str]) -> anyhow::Result<Arc<ServerConfig>> {
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = offers.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }
}

/// Serves what a connection agrees on.
pub(super) fn serve(server: Arc<Server>, stream: TcpStream, config: Arc<ServerConfig>) {
    http2::block_on(async {
        let socket = stream.try_clone()?;
        let stream = http2::stream(stream)?;
        let mut stream = TlsAcceptor::from(config).accept(stream).await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            http2::serve_on(server, stream, &socket).await;
            return Ok(());
        }
        let (near, far) = pair()?;
        thread::spawn(move || server.serve(far));
        let mut near = http2::stream(near)?;
        if copy_bidirectional(&mut stream, &mut near).await.is_err() {
            // What is reset inside is reset outside.
            socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
        }
        Ok(())
    });
}

/// Both ends of one connection.
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    near.set_nodelay(true)?;
    Ok((near, listener.accept()?.0))
}
