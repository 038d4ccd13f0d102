//! Clients and servers that shake hands in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a test that fails may panic, in its helpers too"
)]

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, ProtocolVersion,
    RootCertStore, ServerConfig, ServerConnection,
};
use traefikrs_tls::{
    CipherSuites, ClientOptions, ClientTls, Identity, NothingInCommon, Roots, ServerName,
    Verification, Version, Versions, WrongPeer,
};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A certificate and its key, in PEM form.
struct Pair {
    certificate: String,
    key: String,
}

fn authority() -> Authority {
    named_authority("authority")
}

fn named_authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn for_names(names: &[&str]) -> CertificateParams {
    let mut params =
        CertificateParams::new(names.iter().copied().map(str::to_owned).collect::<Vec<_>>())
            .unwrap();
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params
}

fn signed(params: &CertificateParams, authority: &Authority) -> Pair {
    let key = KeyPair::generate().unwrap();
    Pair {
        certificate: params.signed_by(&key, authority).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

fn trusting(roots: &str) -> Verification {
    let (roots, problems) = Roots::parse([roots]);
    assert!(problems.is_empty(), "{problems:?}");
    Verification {
        roots,
        ..Verification::default()
    }
}

fn client(verification: Verification) -> ClientOptions {
    ClientOptions {
        verification,
        ..ClientOptions::default()
    }
}

struct Server {
    pair: Pair,
    client_authority: Option<String>,
    versions: &'static [&'static rustls::SupportedProtocolVersion],
    alpn: Vec<Vec<u8>>,
}

impl From<Pair> for Server {
    fn from(pair: Pair) -> Self {
        Self {
            pair,
            client_authority: None,
            versions: rustls::ALL_VERSIONS,
            alpn: Vec::new(),
        }
    }
}

impl Server {
    fn config(&self) -> Arc<ServerConfig> {
        let crypto = Arc::new(traefikrs_tls::crypto());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&crypto))
            .with_protocol_versions(self.versions)
            .unwrap();
        let builder = match &self.client_authority {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots
                    .add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap())
                    .unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto)
                    .build()
                    .unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = CertificateDer::pem_slice_iter(self.pair.certificate.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.pair.key.as_bytes()).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols.clone_from(&self.alpn);
        Arc::new(config)
    }
}

/// What the client knows of the server after the handshake, and the server of the client.
#[derive(Debug)]
struct Shaken {
    version: ProtocolVersion,
    alpn: Option<String>,
    sni: Option<String>,
    client_certificates: usize,
}

fn shake(
    config: &Arc<ClientConfig>,
    name: &str,
    server: &Arc<ServerConfig>,
) -> Result<Shaken, Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(config), name)?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        let failed = server.process_new_packets().err();
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
        failed.map_or(Ok(()), Err)?;
    }
    Ok(Shaken {
        version: client.protocol_version().unwrap(),
        alpn: client
            .alpn_protocol()
            .map(|protocol| String::from_utf8(protocol.to_vec()).unwrap()),
        sni: server.server_name().map(str::to_owned),
        client_certificates: server.peer_certificates().map_or(0, <[_]>::len),
    })
}

fn http1(options: ClientOptions) -> Arc<ClientConfig> {
    Arc::clone(ClientTls::new(options).unwrap().http1())
}

#[track_caller]
fn refused(result: Result<Shaken, Error>) -> CertificateError {
    match result.unwrap_err() {
        Error::InvalidCertificate(error) => error,
        other => unreachable!("{other}"),
    }
}

#[test]
fn a_server_is_who_a_trusted_authority_says() {
    let (ours, other) = (authority(), named_authority("other"));
    let server = Server::from(signed(&for_names(&["a.test", "10.0.0.1"]), &ours)).config();
    let trusting_ours = http1(client(trusting(&ours.pem())));
    let shaken = shake(&trusting_ours, "a.test", &server).unwrap();
    assert_eq!(shaken.sni.as_deref(), Some("a.test"));
    // Go: an address goes without SNI, and is looked for among the addresses of the certificate.
    let shaken = shake(&trusting_ours, "10.0.0.1", &server).unwrap();
    assert_eq!(shaken.sni, None);
    for name in ["b.test", "10.0.0.2"] {
        let error = refused(shake(&trusting_ours, name, &server));
        assert!(
            matches!(error, CertificateError::NotValidForNameContext { .. }),
            "{error:?}"
        );
    }
    for roots in [Roots::none(), trusting(&other.pem()).roots] {
        let verification = Verification {
            roots,
            ..Verification::default()
        };
        let error = refused(shake(&http1(client(verification)), "a.test", &server));
        assert_eq!(error, CertificateError::UnknownIssuer);
    }
    let skipping = Verification {
        insecure_skip_verify: true,
        ..Verification::default()
    };
    shake(&http1(client(skipping)), "b.test", &server).unwrap();
}

#[test]
fn a_certificate_that_is_trusted_itself_needs_no_authority_but_must_be_valid() {
    let own = |is_ca: IsCa, expired: bool| {
        let mut params = for_names(&["a.test"]);
        params.is_ca = is_ca;
        if expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: params.self_signed(&key).unwrap().pem(),
            key: key.serialize_pem(),
        }
    };
    for is_ca in [
        IsCa::NoCa,
        IsCa::ExplicitNoCa,
        IsCa::Ca(BasicConstraints::Unconstrained),
    ] {
        let pair = own(is_ca, false);
        let trusted = http1(client(trusting(&pair.certificate)));
        let server = Server::from(pair).config();
        shake(&trusted, "a.test", &server).unwrap();
        refused(shake(&trusted, "b.test", &server));

        // Another one of the same name is not the one that is trusted.
        let stranger = Server::from(own(is_ca, false)).config();
        refused(shake(&trusted, "a.test", &stranger));

        let expired = own(is_ca, true);
        let trusted = http1(client(trusting(&expired.certificate)));
        let error = refused(shake(&trusted, "a.test", &Server::from(expired).config()));
        assert!(
            matches!(error, CertificateError::ExpiredContext { .. }),
            "{error:?}"
        );
    }
}

#[test]
fn the_uri_of_a_peer_is_looked_for_whatever_else_is_skipped() {
    let (ours, other) = (authority(), named_authority("other"));
    let mut params = for_names(&["a.test"]);
    params
        .subject_alt_names
        .push(SanType::URI("spiffe://Trust/Web".try_into().unwrap()));
    let server = Server::from(signed(&params, &ours)).config();
    let check = |roots: &Authority, skip: bool, uri: &str, name: &str| {
        let verification = Verification {
            insecure_skip_verify: skip,
            peer_uri: Some(uri.into()),
            ..trusting(&roots.pem())
        };
        shake(&http1(client(verification)), name, &server)
    };
    let uri = "spiffe://trust/web";
    check(&ours, false, uri, "a.test").unwrap();
    check(&ours, true, uri, "b.test").unwrap();
    for skip in [false, true] {
        let error = refused(check(&other, skip, uri, "a.test"));
        assert_eq!(error, CertificateError::UnknownIssuer);
        let CertificateError::Other(error) =
            refused(check(&ours, skip, "spiffe://trust/api", "a.test"))
        else {
            unreachable!("the URI is another one");
        };
        assert!(error.0.is::<WrongPeer>(), "{error:?}");
    }
    refused(check(&ours, false, uri, "b.test"));
}

#[test]
fn a_server_that_asks_gets_the_first_certificate_that_it_can_accept() {
    let (ours, other) = (authority(), named_authority("other"));
    let mut server = Server::from(signed(&for_names(&["a.test"]), &ours));
    server.client_authority = Some(ours.pem());
    let server = server.config();
    let identity = |authority: &Authority| {
        let pair = signed(&for_names(&["client"]), authority);
        Identity::parse(&pair.certificate, &pair.key).unwrap()
    };
    let with = |identities: Vec<Identity>| {
        let options = ClientOptions {
            identities,
            ..client(trusting(&ours.pem()))
        };
        shake(&http1(options), "a.test", &server).map(|shaken| shaken.client_certificates)
    };
    assert_eq!(with(vec![identity(&ours)]), Ok(1));
    assert_eq!(with(vec![identity(&other), identity(&ours)]), Ok(1));
    let required = Err(Error::AlertReceived(AlertDescription::CertificateRequired));
    assert_eq!(with(vec![]), required);
    assert_eq!(with(vec![identity(&other)]), required);
}

/// Made by an old tool: see the folder's README.
const VERSION_1: &str = include_str!("../testdata/version-1.pem");
const VERSION_1_KEY: &str = include_str!("../testdata/version-1-key.pem");

#[test]
fn certificates_of_version_1_pass_where_nothing_is_verified_but_their_key() {
    let skipping = Verification {
        insecure_skip_verify: true,
        ..Verification::default()
    };
    let stranger = KeyPair::generate().unwrap().serialize_pem();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = |key: &str| {
            let crypto = traefikrs_tls::crypto();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            let key = crypto.key_provider.load_private_key(key).unwrap();
            let chain = vec![CertificateDer::from_pem_slice(VERSION_1.as_bytes()).unwrap()];
            let config = ServerConfig::builder_with_provider(Arc::new(crypto))
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(
                    chain, key,
                ))));
            Arc::new(config)
        };
        let skip = http1(client(skipping.clone()));
        shake(&skip, "a.test", &server(VERSION_1_KEY)).unwrap();
        let forged = refused(shake(&skip, "a.test", &server(&stranger)));
        assert!(
            matches!(forged, CertificateError::BadSignature),
            "{forged:?}"
        );
        let verifying = http1(client(trusting(VERSION_1)));
        shake(&verifying, "a.test", &server(VERSION_1_KEY)).unwrap_err();
    }
    Identity::parse(VERSION_1, VERSION_1_KEY).unwrap();
    let error = Identity::parse(VERSION_1, &stranger).unwrap_err();
    assert_eq!(error.to_string(), "unusable private key");
}

#[test]
fn versions_and_suites_bound_what_is_offered() {
    let ours = authority();
    let trusted = trusting(&ours.pem());
    let shaken = |lowest, highest, server: &'static [&'static rustls::SupportedProtocolVersion]| {
        let options = ClientOptions {
            versions: Versions::between(lowest, highest).unwrap(),
            ..client(trusted.clone())
        };
        let server = Server {
            versions: server,
            ..signed(&for_names(&["a.test"]), &ours).into()
        };
        shake(&http1(options), "a.test", &server.config()).map(|shaken| shaken.version)
    };
    static OLD: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
    let (v12, v13) = (ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3);
    assert_eq!(shaken(None, None, rustls::ALL_VERSIONS), Ok(v13));
    assert_eq!(shaken(None, None, OLD), Ok(v12));
    let only_12 = shaken(None, Some(Version::Tls12), rustls::ALL_VERSIONS);
    assert_eq!(only_12, Ok(v12));
    assert!(shaken(Some(Version::Tls13), None, OLD).is_err());

    let with = |suites: CipherSuites, versions: Versions| {
        ClientTls::new(ClientOptions {
            cipher_suites: suites,
            versions,
            ..client(trusted.clone())
        })
        .map(|_| ())
    };
    let only_12 = Versions::between(None, Some(Version::Tls12)).unwrap();
    assert_eq!(with(CipherSuites::only([]), Versions::default()), Ok(()));
    assert_eq!(with(CipherSuites::only([]), only_12), Err(NothingInCommon));
}

#[test]
fn http2_is_offered_unless_disabled_and_never_for_http1() {
    let ours = authority();
    let mut server = Server::from(signed(&for_names(&["a.test"]), &ours));
    server.alpn = vec![b"h2".to_vec()];
    let server = server.config();
    let options = |disable_http2| ClientOptions {
        disable_http2,
        ..client(trusting(&ours.pem()))
    };
    let tls = ClientTls::new(options(false)).unwrap();
    let negotiated = shake(tls.negotiating().unwrap(), "a.test", &server).unwrap();
    assert_eq!(negotiated.alpn.as_deref(), Some("h2"));
    assert_eq!(shake(tls.http1(), "a.test", &server).unwrap().alpn, None);
    assert!(
        ClientTls::new(options(true))
            .unwrap()
            .negotiating()
            .is_none()
    );
}

#[test]
fn broken_texts_are_told_apart() {
    let ours = authority();
    let (a, b) = (
        signed(&for_names(&["a"]), &ours),
        signed(&for_names(&["b"]), &ours),
    );
    let error = |certificate: &str, key: &str| {
        Identity::parse(certificate, key)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(error(&a.certificate, &a.key), Ok(()));
    for (certificate, key, expected) in [
        ("", &*a.key, "no certificate in PEM form"),
        ("/no/such/file", &*a.key, "no certificate in PEM form"),
        (&*a.certificate, "", "no private key in PEM form"),
        (&*a.certificate, &*b.key, "unusable private key"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &*a.key,
            "unreadable certificate",
        ),
        (
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            &*a.key,
            "broken PEM text",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
            &*a.key,
            "broken PEM text",
        ),
    ] {
        assert_eq!(error(certificate, key), Err(expected.to_owned()));
    }
    let half = format!("{}-----BEGIN CERTIFICATE-----\n", ours.pem());
    let (roots, problems) = Roots::parse(["", &*half, &*ours.pem()]);
    let problems: Vec<_> = problems.iter().map(|(index, _)| *index).collect();
    assert_eq!((roots.len(), problems), (1, vec![0, 1]));
}

#[test]
fn authorities_on_demand_are_read_when_a_server_is_to_be_verified() {
    let check = |insecure_skip_verify, is_expected| {
        let (sender, read) = std::sync::mpsc::channel();
        let roots = Roots::on_demand(move || {
            sender.send(()).unwrap();
            vec![authority().der().clone()]
        });
        let tls = ClientTls::new(ClientOptions {
            verification: Verification {
                roots: roots.clone(),
                insecure_skip_verify,
                ..Verification::default()
            },
            ..ClientOptions::default()
        });
        let tls = tls.unwrap();
        assert!(read.try_recv().is_err(), "nobody asked yet");
        tls.prepare();
        assert_eq!(read.try_recv().is_ok(), is_expected);
        assert_eq!(roots.len(), 1);
    };
    check(false, true);
    check(true, false);
}
