use std::{cell::RefCell, convert::Infallible, net::SocketAddr, rc::Rc, sync::Arc};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderValue, Method, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    HandshakeKind, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::spawn_local,
    time::Instant,
};
use tokio_rustls::TlsAcceptor;
use traefikrs_tls::{ClientOptions, ClientTls, Identity, Roots, ServerName, Verification};
use traefikrs_upstream::{Answer, Error, Host, Https, Limits, Peer, Scheme, Upstreams};

use super::support::{Server, Step, ask, get, read, say, send, settle, with_body};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// An authority, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this name and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn server(&self, name: &str, alpn: &[&str], asks_for_certificate: bool) -> Arc<ServerConfig> {
        let (certificate, key) = self.sign(name);
        let builder = ServerConfig::builder_with_provider(Arc::new(traefikrs_tls::crypto()))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.0.der().clone()).unwrap();
            let crypto = Arc::new(traefikrs_tls::crypto());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    fn trusted(&self) -> ClientOptions {
        ClientOptions {
            verification: Verification {
                roots: Roots::of([self.0.der().clone()]),
                ..Verification::default()
            },
            ..ClientOptions::default()
        }
    }
}

/// What a server saw of a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    alpn: Option<String>,
    sni: Option<String>,
    resumed: bool,
}

/// Speaks TLS in front of a server that speaks in clear.
struct Terminator {
    address: SocketAddr,
    seen: Rc<RefCell<Vec<Seen>>>,
}

impl Terminator {
    async fn start(config: Arc<ServerConfig>, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let all = Rc::clone(&seen);
        spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = TlsAcceptor::from(Arc::clone(&config));
                let all = Rc::clone(&all);
                spawn_local(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let session = stream.get_ref().1;
                    all.borrow_mut().push(Seen {
                        alpn: session
                            .alpn_protocol()
                            .map(|name| String::from_utf8_lossy(name).into_owned()),
                        sni: session.server_name().map(str::to_owned),
                        resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
                    });
                    let Ok(mut server) = TcpStream::connect(server).await else {
                        return;
                    };
                    // Its end may come as an error; that is for the client to see.
                    copy_bidirectional(&mut stream, &mut server).await.ok();
                });
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }
}

/// A server in clear for HTTP/2, which counts nothing.
async fn http2_in_clear() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(async |request: Request<Incoming>| {
                let said = format!("{} {}", request.uri(), request.method());
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(said))))
            });
            spawn_local(
                http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

/// Whom to ask, with what it takes to.
struct Target {
    address: SocketAddr,
    tls: ClientTls,
    name: ServerName<'static>,
}

impl Target {
    fn new(address: SocketAddr, options: ClientOptions) -> Self {
        Self {
            address,
            tls: ClientTls::new(options).unwrap(),
            name: ServerName::try_from("a.test").unwrap(),
        }
    }

    fn peer(&self) -> Peer<'_> {
        Peer {
            pool: 1,
            scheme: Scheme::Https(Https {
                tls: &self.tls,
                server_name: &self.name,
            }),
            host: Host::Ip(self.address.ip()),
            port: self.address.port(),
        }
    }
}

fn answers(n: usize) -> Vec<Step> {
    let mut script: Vec<_> = (0..n).flat_map(|_| [Step::Head, say(OK)]).collect();
    script.push(Step::Hold);
    script
}

/// What a proxy makes of a failure: the status that Traefik answers.
fn status(error: &Error) -> u16 {
    match error {
        error if error.is_timeout() => 504,
        error if error.is_network() => 502,
        _ => 500,
    }
}

#[tokio::test(flavor = "local")]
async fn requests_share_a_connection_and_its_server_is_told_its_name() {
    let authority = Authority::new();
    let server = Server::start([answers(3)]).await;
    let terminator =
        Terminator::start(authority.server("a.test", &[], false), server.address).await;
    let target = Target::new(terminator.address, authority.trusted());
    let upstreams = Upstreams::new();
    for _ in 0..3 {
        let read = read(&upstreams, &target.peer(), get()).await.unwrap();
        assert_eq!((read.head.status.as_u16(), &*read.data), (200, &b"ok"[..]));
        // What TLS says for itself meanwhile is nothing unasked.
        settle().await;
        upstreams.sweep(Instant::now());
    }
    let stats = upstreams.stats();
    assert_eq!((stats.dialed, stats.reused, stats.idle), (1, 2, 1));
    let seen = Seen {
        alpn: None,
        sni: Some("a.test".to_owned()),
        resumed: false,
    };
    assert_eq!(terminator.seen(), [seen]);
    let host = format!("\r\nHost: 127.0.0.1:{}\r\n", terminator.address.port());
    assert!(server.heard(0).contains(&host), "{}", server.heard(0));
}

#[tokio::test(flavor = "local")]
async fn large_bodies_pass_in_both_directions() {
    let authority = Authority::new();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let script = vec![
        Step::Head,
        Step::Read(body.len()),
        say(head),
        say(&body),
        Step::Hold,
    ];
    let server = Server::start([script]).await;
    let terminator =
        Terminator::start(authority.server("a.test", &[], false), server.address).await;
    let target = Target::new(terminator.address, authority.trusted());
    let upstreams = Upstreams::new();
    let request = with_body(Method::POST, Full::new(Bytes::from(body.clone())));
    let read = read(&upstreams, &target.peer(), request).await.unwrap();
    assert!(read.data == body, "{} bytes came back", read.data.len());
    assert_eq!(upstreams.stats().idle, 1);
}

#[tokio::test(flavor = "local")]
async fn each_failure_is_blamed_on_whom_traefik_blames() {
    let (authority, other) = (Authority::new(), Authority::new());
    let plain = Server::start([answers(1)]).await;
    let secure = |config| Terminator::start(config, plain.address);
    let named = secure(authority.server("a.test", &[], false)).await;
    let misnamed = secure(authority.server("b.test", &[], false)).await;
    let asking = secure(authority.server("a.test", &[], true)).await;
    let in_clear = Server::start([vec![
        Step::Read(1),
        say("HTTP/1.1 400 Bad Request\r\n\r\n"),
        Step::Hold,
    ]])
    .await;
    let closing = Server::start([vec![Step::Read(1)]]).await;
    let resetting = Server::start([vec![Step::Read(1), Step::Reset]]).await;
    let gone = SocketAddr::from(([127, 0, 0, 1], 1));
    for (what, address, trusted, expected) in [
        ("unknown authority", named.address, &other, 500),
        ("another name", misnamed.address, &authority, 500),
        ("no TLS", in_clear.address, &authority, 500),
        ("certificate wanted", asking.address, &authority, 502),
        ("closed", closing.address, &authority, 502),
        ("reset", resetting.address, &authority, 502),
        ("refused", gone, &authority, 502),
    ] {
        for disable_http2 in [false, true] {
            if disable_http2
                && [in_clear.address, closing.address, resetting.address].contains(&address)
            {
                // Their script is for one connection.
                continue;
            }
            let options = ClientOptions {
                disable_http2,
                ..trusted.trusted()
            };
            let target = Target::new(address, options);
            let upstreams = Upstreams::new();
            let error = read(&upstreams, &target.peer(), get()).await.err();
            let error = error.unwrap_or_else(|| panic!("{what}: answered"));
            assert_eq!(status(&error), expected, "{what}: {error:?}");
            assert_eq!(upstreams.stats().idle, 0, "{what}");
        }
    }
}

#[tokio::test(flavor = "local")]
async fn a_server_that_wants_a_certificate_gets_it() {
    let authority = Authority::new();
    let plain = Server::start([answers(1)]).await;
    let asking = Terminator::start(authority.server("a.test", &[], true), plain.address).await;
    let (certificate, key) = authority.sign("client");
    let options = ClientOptions {
        identities: vec![Identity::parse(&certificate, &key).unwrap()],
        ..authority.trusted()
    };
    let target = Target::new(asking.address, options);
    let read = read(&Upstreams::new(), &target.peer(), get())
        .await
        .unwrap();
    assert_eq!(read.head.status, 200);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_handshake_that_hangs_is_given_up() {
    for disable_http2 in [false, true] {
        let silent = Server::start([vec![Step::Hold]]).await;
        let options = ClientOptions {
            disable_http2,
            ..Authority::new().trusted()
        };
        let target = Target::new(silent.address, options);
        let started = Instant::now();
        let upstreams = Upstreams::new();
        let error = read(&upstreams, &target.peer(), get()).await.err().unwrap();
        assert!(matches!(error, Error::TlsHandshakeTimeout), "{error:?}");
        assert_eq!((status(&error), started.elapsed().as_secs()), (504, 10));
        assert_eq!(upstreams.stats().dial_failures, 1);
        silent.until_closed(1).await;
    }
}

#[tokio::test(flavor = "local")]
async fn a_crowd_shares_the_connection_of_a_server_that_chooses_http2() {
    let authority = Authority::new();
    let config = authority.server("a.test", &["h2", "http/1.1"], false);
    let terminator = Terminator::start(config, http2_in_clear().await).await;
    let target = Target::new(terminator.address, authority.trusted());
    let (upstreams, peer) = (Upstreams::new(), target.peer());
    for answer in join_all((0..5).map(|_| read(&upstreams, &peer, get()))).await {
        let read = answer.unwrap();
        assert_eq!(read.head.version, Version::HTTP_2);
        let uri = format!("https://127.0.0.1:{}/ GET", terminator.address.port());
        assert_eq!(String::from_utf8_lossy(&read.data), uri);
    }
    let alpn: Vec<_> = terminator
        .seen()
        .into_iter()
        .map(|seen| seen.alpn)
        .collect();
    assert_eq!(alpn, [Some("h2".to_owned())]);
}

#[tokio::test(flavor = "local")]
async fn a_crowd_has_a_connection_each_to_a_server_that_chooses_http1() {
    let authority = Authority::new();
    for (chosen, disable_http2) in [(&["http/1.1"][..], false), (&[], false), (&["h2"], true)] {
        let server = Server::start((0..5).map(|_| answers(2))).await;
        let config = authority.server("a.test", chosen, false);
        let terminator = Terminator::start(config, server.address).await;
        let options = ClientOptions {
            disable_http2,
            ..authority.trusted()
        };
        let target = Target::new(terminator.address, options);
        let (upstreams, peer) = (Upstreams::new(), target.peer());
        for answer in join_all((0..5).map(|_| read(&upstreams, &peer, get()))).await {
            let read = answer.unwrap();
            assert_eq!(read.head.version, Version::HTTP_11);
        }
        let stats = upstreams.stats();
        assert_eq!((stats.dialed, stats.idle), (5, 5), "{chosen:?}");
        read(&upstreams, &peer, get()).await.unwrap();
        assert_eq!(upstreams.stats().dialed, 5, "{chosen:?}");
        // Go: a connection that is for HTTP/1.1 alone says nothing about protocols.
        let offered = terminator
            .seen()
            .iter()
            .filter(|seen| seen.alpn.is_some())
            .count();
        assert_eq!(offered, usize::from(chosen == ["http/1.1"]), "{chosen:?}");
    }
}

#[tokio::test(flavor = "local")]
async fn an_upgrade_has_a_connection_of_http1_whatever_the_server_likes_better() {
    let authority = Authority::new();
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello";
    let server = Server::start([vec![Step::Head, say(switch), Step::Read(4), say("bye")]]).await;
    let config = authority.server("a.test", &["h2", "http/1.1"], false);
    let terminator = Terminator::start(config, server.address).await;
    let target = Target::new(terminator.address, authority.trusted());
    let mut request = get();
    request.upgrade = Some(HeaderValue::from_static("websocket"));
    let answer = send(
        &Upstreams::new(),
        &target.peer(),
        &Limits::default(),
        request,
    )
    .await
    .unwrap();
    let Answer::Upgraded { mut io, .. } = answer else {
        panic!("the server has switched");
    };
    let mut hello = [0; 5];
    io.read_exact(&mut hello).await.unwrap();
    io.write_all(b"echo").await.unwrap();
    io.flush().await.unwrap();
    let mut bye = Vec::new();
    io.read_to_end(&mut bye).await.unwrap();
    assert_eq!((&hello, &*bye), (b"hello", &b"bye"[..]));
    assert_eq!(terminator.seen()[0].alpn, None);
}

#[tokio::test(flavor = "local")]
async fn the_next_connection_resumes_the_session() {
    let authority = Authority::new();
    let server = Server::start([answers(1), answers(1)]).await;
    let terminator =
        Terminator::start(authority.server("a.test", &[], false), server.address).await;
    let target = Target::new(terminator.address, authority.trusted());
    let upstreams = Upstreams::new();
    for _ in 0..2 {
        read(&upstreams, &target.peer(), get()).await.unwrap();
        upstreams.retain(|_| false);
    }
    let resumed: Vec<_> = terminator.seen().iter().map(|seen| seen.resumed).collect();
    assert_eq!(resumed, [false, true]);
}

#[tokio::test(flavor = "local")]
async fn another_trust_means_other_connections_even_under_one_number() {
    let authority = Authority::new();
    let server = Server::start([answers(2)]).await;
    let terminator =
        Terminator::start(authority.server("a.test", &[], false), server.address).await;
    let upstreams = Upstreams::new();
    let trusting = Target::new(terminator.address, authority.trusted());
    read(&upstreams, &trusting.peer(), get()).await.unwrap();
    let distrustful = Target::new(terminator.address, ClientOptions::default());
    let error = read(&upstreams, &distrustful.peer(), get()).await.err();
    assert!(matches!(error, Some(Error::Tls(_))), "{error:?}");
}

#[tokio::test(flavor = "local")]
async fn a_connection_that_the_server_has_closed_is_not_used_again() {
    let authority = Authority::new();
    let server = Server::start([vec![Step::Head, say(OK)], answers(1)]).await;
    let terminator =
        Terminator::start(authority.server("a.test", &[], false), server.address).await;
    let target = Target::new(terminator.address, authority.trusted());
    let (upstreams, peer) = (Upstreams::new(), target.peer());
    read(&upstreams, &peer, get()).await.unwrap();
    server.until_closed(1).await;
    read(&upstreams, &peer, get()).await.unwrap();
    assert_eq!(upstreams.stats().dialed, 2);
}

/// Go takes the end of the connection for the end of the answer where nothing says how long it is; where something does,
/// a missing rest is an error.
#[tokio::test(flavor = "local")]
async fn an_end_without_a_word_ends_only_what_has_no_length() {
    let authority = Authority::new();
    for (head, expected) in [
        ("HTTP/1.1 200 OK\r\n\r\n", Some("so far")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", None),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n",
            None,
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(authority.server("a.test", &[], false));
        spawn_local(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(b"so far").await.unwrap();
            stream.flush().await.unwrap();
            // Closes the socket and leaves TLS in the dark.
            drop(stream.into_inner().0);
        });
        let target = Target::new(address, authority.trusted());
        let (_, body) = ask(&Upstreams::new(), &target.peer(), get()).await.unwrap();
        let body = body.collect().await.ok();
        let body = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
        assert_eq!(body.as_deref(), expected, "{head}");
    }
}
