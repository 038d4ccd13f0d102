//! Whom to trust, who to be, and how to say it: the parts of TLS that Traefik configures, on rustls, without a socket.
//!
//! Each part is parsed on its own and cannot be wrong afterwards: [`Roots`] and [`Identity`] out of PEM text,
//! [`Versions`] and [`CipherSuites`] out of Go's names.
//! [`ClientTls`] puts them together for connections to servers.
//!
//! All cryptography is aws-lc's ([`crypto`]); nothing asks for a provider of the process.
//! Of the versions it speaks TLS 1.2 and 1.3, and of TLS 1.2 only suites with forward secrecy and authenticated
//! encryption: what else Traefik can be told to speak has a name here too, so that it can be said that it is not spoken.
//!
//! (Traefik 3.7: `pkg/tls` and `createTLSConfig` in `pkg/server/service/transport.go`.)

mod certificate;
mod cipher;
mod client;
mod roots;
mod verify;
mod version;

use std::sync::LazyLock;

pub use rustls::pki_types::ServerName;

pub use crate::{
    certificate::{CertificateError, Identity},
    cipher::CipherSuites,
    client::{ClientOptions, ClientTls, NothingInCommon},
    roots::Roots,
    verify::{Verification, WrongPeer},
    version::{NoVersion, Version, Versions},
};

/// What is made when it is first needed.
type OnDemand<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// The cryptography that all of TLS uses here.
#[must_use]
pub fn crypto() -> rustls::crypto::CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}
