//! Servers with TLS, as servers transports describe them; the same is asked of the real Traefik where it is installed.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ALL_VERSIONS, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion,
};
use tempfile::TempDir;

use crate::Site;
use crate::proxy::{Proxy, await_true};

/// A server that answers every request, and how its connections went.
struct Backend {
    address: SocketAddr,
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl Backend {
    fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let backend = Self {
            address: listener.local_addr().unwrap(),
            begun: Arc::default(),
            ended: Arc::default(),
        };
        let (begun, ended) = (Arc::clone(&backend.begun), Arc::clone(&backend.ended));
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming() {
                begun.fetch_add(1, Ordering::SeqCst);
                let (serve, ended) = (Arc::clone(&serve), Arc::clone(&ended));
                thread::spawn(move || {
                    serve(stream.unwrap());
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        backend
    }

    fn secure(config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Self::start(move |stream| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            answer(StreamOwned::new(session, stream));
        })
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }
}

/// Answers until the other side is gone.
fn answer(mut stream: impl Read + Write) {
    let mut head = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|n| n > 0) {
        head.extend_from_slice(&byte);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            let said = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            if said.and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
    }
}

/// An authority, and files with what it has signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// A certificate and its key, in PEM form.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let authority = Self { issuer, directory };
        authority.write("ca.pem", &authority.issuer.pem());
        let client = authority.sign(&CertificateParams::default());
        authority.write("client.pem", &client.certificate);
        authority.write("client-key.pem", &client.key);
        authority
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).unwrap();
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    fn server(&self, pair: &Pair, asks: bool, versions: Versions) -> ServerConfig {
        let crypto = Arc::new(traefikrs_tls::crypto());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&crypto))
            .with_protocol_versions(versions)
            .unwrap();
        let builder = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        builder.with_single_cert(chain, key).unwrap()
    }
}

type Versions = &'static [&'static SupportedProtocolVersion];
static ONLY_12: Versions = &[&TLS12];
static ONLY_13: Versions = &[&TLS13];

fn here() -> CertificateParams {
    CertificateParams::new(["127.0.0.1".to_owned()]).unwrap()
}

/// The servers of the table, by name.
fn backends(authority: &Authority) -> Vec<(&'static str, Backend)> {
    let secure = |params: &CertificateParams, asks, versions| {
        let pair = authority.sign(params);
        Backend::secure(authority.server(&pair, asks, versions))
    };
    let elsewhere = CertificateParams::new(["b.test".to_owned()]).unwrap();
    let mut named = here();
    let uri = SanType::URI("spiffe://Trust/Web".try_into().unwrap());
    named.subject_alt_names.push(uri);
    let own = {
        // As `openssl req -x509` makes them: it calls itself an authority.
        let mut params = here();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pair = Pair {
            certificate: params.self_signed(&key).unwrap().pem(),
            key: key.serialize_pem(),
        };
        authority.write("own.pem", &pair.certificate);
        Backend::secure(authority.server(&pair, false, ALL_VERSIONS))
    };
    vec![
        ("here", secure(&here(), false, ALL_VERSIONS)),
        ("elsewhere", secure(&elsewhere, false, ALL_VERSIONS)),
        ("named", secure(&named, false, ALL_VERSIONS)),
        ("asking", secure(&here(), true, ALL_VERSIONS)),
        ("old", secure(&here(), false, ONLY_12)),
        ("new", secure(&here(), false, ONLY_13)),
        ("own", own),
        ("clear", Backend::start(answer)),
        (
            "deaf",
            Backend::start(|mut stream| {
                // It hears no TLS, and says so in clear.
                drop(stream.read(&mut [0; 8]));
                drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
                drop(stream.read_to_end(&mut Vec::new()));
            }),
        ),
        (
            "gone",
            Backend::start(|mut stream| drop(stream.read(&mut [0; 8]))),
        ),
    ]
}

/// A server, a transport (`DIR` is the directory with the files), our status, and Traefik's.
const TABLE: &[(&str, &str, u16, u16)] = &[
    ("here", "{}", 500, 500),
    ("here", "{rootCAs: [DIR/ca.pem]}", 200, 200),
    ("here", "{insecureSkipVerify: true}", 200, 200),
    (
        "here",
        "{rootCAs: [DIR/ca.pem], disableHTTP2: true}",
        200,
        200,
    ),
    ("here", "{rootCAs: [DIR/none.pem]}", 500, 500),
    ("here", "{rootCAs: [DIR/none.pem, DIR/ca.pem]}", 200, 200),
    ("here", "{rootCAs: [DIR/own.pem]}", 500, 500),
    ("own", "{rootCAs: [DIR/own.pem]}", 200, 200),
    ("elsewhere", "{rootCAs: [DIR/ca.pem]}", 500, 500),
    (
        "elsewhere",
        "{rootCAs: [DIR/ca.pem], serverName: b.test}",
        200,
        200,
    ),
    ("elsewhere", "{insecureSkipVerify: true}", 200, 200),
    (
        "named",
        "{rootCAs: [DIR/ca.pem], peerCertURI: 'spiffe://trust/web'}",
        200,
        200,
    ),
    (
        "named",
        "{rootCAs: [DIR/ca.pem], peerCertURI: 'spiffe://trust/api'}",
        500,
        500,
    ),
    (
        "named",
        "{insecureSkipVerify: true, peerCertURI: 'spiffe://trust/web'}",
        500,
        500,
    ),
    ("asking", "{rootCAs: [DIR/ca.pem]}", 502, 502),
    (
        "asking",
        "{rootCAs: [DIR/ca.pem], certificates: [{certFile: DIR/client.pem, keyFile: DIR/client-key.pem}]}",
        200,
        200,
    ),
    (
        "old",
        "{rootCAs: [DIR/ca.pem], minVersion: VersionTLS13, maxVersion: VersionTLS13}",
        502,
        502,
    ),
    (
        "new",
        "{rootCAs: [DIR/ca.pem], minVersion: VersionTLS12, maxVersion: VersionTLS12}",
        502,
        502,
    ),
    (
        "old",
        "{rootCAs: [DIR/ca.pem], maxVersion: VersionTLS12, cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]}",
        200,
        200,
    ),
    ("deaf", "{rootCAs: [DIR/ca.pem]}", 500, 500),
    ("gone", "{rootCAs: [DIR/ca.pem]}", 502, 502),
    // One mistake, or what it takes for one, and Traefik forgets all of it.
    (
        "here",
        "{rootCAs: [DIR/ca.pem], minVersion: VersionTLS12}",
        200,
        500,
    ),
    (
        "here",
        "{insecureSkipVerify: true, minVersion: TLS12}",
        503,
        500,
    ),
    (
        "here",
        "{insecureSkipVerify: true, minVersion: VersionTLS13, maxVersion: VersionTLS12}",
        503,
        500,
    ),
    (
        "here",
        "{insecureSkipVerify: true, cipherSuites: [TLS_NOPE]}",
        503,
        500,
    ),
    ("here", "{spiffe: {ids: ['spiffe://a/b']}}", 503, 500),
    ("clear h2c", "{disableHTTP2: true}", 503, 500),
];

fn routes(authority: &Authority, backends: &[(&str, Backend)]) -> String {
    let directory = authority.path().display().to_string();
    let (mut routers, mut services, mut transports) = (String::new(), String::new(), String::new());
    for (index, (server, transport, ..)) in TABLE.iter().enumerate() {
        let (server, scheme) = match server.split_once(' ') {
            Some((server, scheme)) => (server, scheme),
            None => (*server, "https"),
        };
        let (_, backend) = backends.iter().find(|(name, _)| *name == server).unwrap();
        let transport = transport.replace("DIR", &directory);
        let name = format!("case{index}");
        writeln!(
            routers,
            "    {name}: {{rule: 'Host(`{name}.test`)', service: {name}}}"
        )
        .unwrap();
        writeln!(
            services,
            "    {name}: {{loadBalancer: {{serversTransport: {name}, servers: [{{url: '{scheme}://{}'}}]}}}}",
            backend.address
        )
        .unwrap();
        writeln!(transports, "    {name}: {transport}").unwrap();
    }
    format!(
        "http:\n  routers:\n    ready: {{rule: 'Host(`ready.test`)', service: noop@internal}}\n{routers}  services:\n{services}  serversTransports:\n{transports}"
    )
}

fn check(site: &Site, expected: impl Fn(u16, u16) -> u16) {
    let mut wrong = Vec::new();
    for (index, (server, transport, ours, theirs)) in TABLE.iter().enumerate() {
        let status = site.status(&format!("case{index}.test"));
        let expected = expected(*ours, *theirs);
        if status != expected {
            wrong.push(format!("{server} {transport}: {status} and not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn servers_are_trusted_as_their_transport_says() {
    let authority = Authority::new();
    let backends = backends(&authority);
    let site = Site::start(&routes(&authority, &backends), &[]).ready();
    check(&site, |ours, _| ours);
}

#[test]
fn what_is_said_of_traefik_is_so() {
    let authority = Authority::new();
    let backends = backends(&authority);
    let routes = routes(&authority, &backends);
    if let Some(site) = Site::with(&routes, &[], Proxy::start_traefik) {
        check(&site.ready(), |_, theirs| theirs);
    }
}

/// One server for everything, through one transport.
fn one(rule: &str, transport: &str, server: SocketAddr) -> String {
    format!(
        "http:
  routers:
    r: {{rule: \"{rule}\", service: s}}
  services:
    s: {{loadBalancer: {{serversTransport: t, servers: [{{url: 'https://{server}'}}]}}}}
  serversTransports:
    t: {transport}
"
    )
}

#[test]
fn connections_outlive_changes_that_are_not_theirs_and_no_others() {
    let authority = Authority::new();
    let pair = authority.sign(&here());
    let backend = Backend::secure(authority.server(&pair, false, ALL_VERSIONS));
    let transport = format!("{{rootCAs: [{}/ca.pem]}}", authority.path().display());
    let routes = |rule, transport: &str| one(rule, transport, backend.address);
    // Each worker has connections of its own.
    let site = Site::start(&routes("Host(`a.test`)", &transport), &[]);
    await_true("the route", || site.status("a.test") == 200);
    let mut client = site.connect();
    let mut ask = |host: &str| {
        client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        client.answer().unwrap().status
    };
    assert_eq!(ask("a.test"), 200);
    let begun = backend.begun();
    fs::write(&site.file, routes("Host(`b.test`)", &transport)).unwrap();
    await_true("the other route", || ask("b.test") == 200);
    assert_eq!((backend.begun(), backend.ended()), (begun, 0));

    let changed = transport.replace('}', ", maxIdleConnsPerHost: 9}");
    fs::write(&site.file, routes("Host(`c.test`)", &changed)).unwrap();
    await_true("the other transport", || ask("c.test") == 200);
    assert!(backend.begun() > begun);
    await_true("the end of the old connections", || {
        backend.ended() == begun
    });
}

#[test]
fn the_default_transport_is_what_the_static_configuration_says() {
    let authority = Authority::new();
    let pair = authority.sign(&here());
    let backend = Backend::secure(authority.server(&pair, false, ALL_VERSIONS));
    let routes = crate::all_to(&format!("https://{}", backend.address));
    let roots = format!(
        "--serverstransport.rootcas={}/ca.pem",
        authority.path().display()
    );
    for (arguments, expected) in [
        (&[][..], 500),
        (&[&*roots], 200),
        (&["--serverstransport.insecureskipverify"], 200),
    ] {
        let site = Site::start(&routes, arguments).ready();
        assert_eq!(site.status("a.test"), expected, "{arguments:?}");
    }
}

#[test]
fn manifests_lead_to_servers_with_tls() {
    let authority = Authority::new();
    let pair = authority.sign(&CertificateParams::new(["b.test".to_owned()]).unwrap());
    let backend = Backend::secure(authority.server(&pair, true, ALL_VERSIONS));
    let client = authority.sign(&CertificateParams::default());
    let secret = |name: &str, values: &[(&str, &str)]| {
        let mut text = format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: apps}}\nstringData:\n"
        );
        for (key, pem) in values {
            writeln!(
                text,
                "  {key}: |\n    {}",
                pem.trim().replace('\n', "\n    ")
            )
            .unwrap();
        }
        text
    };
    let objects = format!(
        "{}{}---
apiVersion: traefik.io/v1alpha1
kind: ServersTransport
metadata: {{name: mutual, namespace: apps}}
spec:
  serverName: b.test
  rootCAs: [{{secret: ca}}]
  certificatesSecrets: [client]
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: apps}}
spec:
  ports: [{{name: https, port: 443}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: web-1, namespace: apps, labels: {{kubernetes.io/service-name: web}}}}
addressType: IPv4
ports: [{{name: https, port: {}}}]
endpoints: [{{addresses: [127.0.0.1], conditions: {{ready: true}}}}]
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: web, namespace: apps}}
spec:
  entryPoints: [web]
  routes:
    - match: Host(`mutual.test`)
      services: [{{name: web, port: 443, serversTransport: mutual}}]
    - match: Host(`none.test`)
      services: [{{name: web, port: 443}}]
",
        secret("ca", &[("ca.crt", &authority.issuer.pem())]),
        secret(
            "client",
            &[("tls.crt", &client.certificate), ("tls.key", &client.key)]
        ),
        backend.address.port(),
    );
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("objects.yml"), objects).unwrap();
    let path = directory.path().display();
    let proxy = Proxy::start(&[&format!("--providers.kubernetesmanifests.path={path}")]);
    let status = |host: &str| proxy.get("web", host, "/").status;
    await_true("the routes", || status("mutual.test") != 404);
    assert_eq!(status("mutual.test"), 200);
    assert_eq!(status("none.test"), 500);
}
