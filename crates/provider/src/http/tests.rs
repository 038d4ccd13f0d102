use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, LOCATION};
use http::{Request, Response, StatusCode};
use http_body_util::channel::Channel;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use traefikrs_config::static_config;
use traefikrs_tls::Roots;

use super::endpoint::Endpoint;
use super::url::Url;
use super::{HttpProvider, InvalidOption};
use crate::aggregate::{Aggregator, Running, Snapshot};

/// Long enough for a busy machine; a test that holds never waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

const GOOD: &str = "http:\n  routers:\n    a: {rule: x}\n";

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A server whose paths are its faults.
struct Server {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// What was asked: the path and some fields.
    seen: Mutex<Vec<String>>,
    /// The answer at `/now`.
    now: Mutex<(StatusCode, String)>,
}

impl Server {
    async fn start() -> Self {
        Self::speaking(None).await
    }

    async fn speaking(tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
        };
        server.says(200, GOOD);
        let state = Arc::clone(&server.state);
        let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, acceptor) = (Arc::clone(&state), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, state).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    fn says(&self, status: u16, text: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        *self.state.now.lock().unwrap() = (status, text.to_owned());
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state.seen.lock().unwrap())
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: Arc<State>) {
    let answer = service_fn(|request| {
        let response = answer(&request, &state);
        async move {
            match response {
                Some(response) => Ok::<_, Infallible>(response),
                None => pending().await,
            }
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    // Clients go away; that is what some tests are about.
    drop(connection.await);
}

/// What is answered at a path; nothing at all if `None`.
fn answer(request: &Request<Incoming>, state: &State) -> Option<Response<Body>> {
    let fields = ["host", "authorization", "x-token"].map(|name| request.headers().get(name));
    let fields = fields.into_iter().flatten();
    let fields: Vec<_> = fields.map(|value| value.to_str().unwrap()).collect();
    let target = request.uri();
    let asked = format!("{target} {}", fields.join(" "));
    state.seen.lock().unwrap().push(asked);

    let redirect = |status: u16, link: &str| {
        let response = Response::builder().status(status).header(LOCATION, link);
        Some(response.body(full("")).unwrap())
    };
    let zipped = |body: &[u8]| {
        let response = Response::builder().header(CONTENT_ENCODING, "gzip");
        Some(response.body(full(Bytes::copy_from_slice(body))).unwrap())
    };
    let path = target.path();
    match path.split('/').collect::<Vec<_>>()[1..] {
        ["good"] => Some(Response::new(full(GOOD))),
        ["now"] => {
            let (status, text) = state.now.lock().unwrap().clone();
            Some(Response::builder().status(status).body(full(text)).unwrap())
        }
        ["status", code] => Some(Response::builder().status(code).body(full(GOOD)).unwrap()),
        ["redirects", "1"] => redirect(302, "/good"),
        ["redirects", left] => redirect(302, &(left.parse::<u32>().unwrap() - 1).to_string()),
        ["to", status] => redirect(status.parse().unwrap(), target.query().unwrap()),
        ["gzip"] => zipped(&gzip(GOOD.as_bytes())),
        ["bomb"] => zipped(&gzip(&vec![b' '; 10 << 20])),
        ["no-gzip"] => zipped(GOOD.as_bytes()),
        ["latin1"] => Some(Response::new(full(&b"\xe9"[..]))),
        ["silence"] => None,
        [fault @ ("never-ends" | "breaks-off")] => {
            let (sender, body) = Channel::<Bytes, io::Error>::new(1);
            match fault {
                "breaks-off" => sender.abort(io::Error::other("it breaks off")),
                _ => drop(tokio::spawn(async move {
                    pending::<()>().await;
                    drop(sender);
                })),
            }
            Some(Response::new(body.boxed_unsync()))
        }
        _ => panic!("{path}"),
    }
}

fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn options(endpoint: &str, others: Value) -> static_config::HttpProvider {
    static_config::HttpProvider {
        endpoint: endpoint.to_owned().into(),
        ..serde_json::from_value(others).unwrap()
    }
}

async fn fetch(endpoint: &str, others: Value) -> Result<String, String> {
    let endpoint = Endpoint::new(&options(endpoint, others), &Roots::none()).unwrap();
    endpoint
        .fetch()
        .await
        .map_err(|failure| failure.to_string())
}

#[tokio::test]
async fn what_a_poll_comes_to() {
    let server = Server::start().await;
    let size = GOOD.len();
    let (fits, too_small) = (
        json!({"maxResponseBodySize": size}),
        json!({"maxResponseBodySize": size - 1}),
    );
    let too_large = format!("the body is larger than {} bytes", size - 1);
    let hasty = json!({"pollTimeout": "50ms"});
    let too_late = "no whole answer within 50ms";
    for (path, others, expected) in [
        ("/good", json!({}), Ok(GOOD)),
        ("/good", fits.clone(), Ok(GOOD)),
        ("/good", too_small.clone(), Err(&*too_large)),
        ("/good", json!({"pollTimeout": 0}), Ok(GOOD)),
        ("/good#x", json!({}), Ok(GOOD)),
        ("/gzip", json!({}), Ok(GOOD)),
        ("/gzip", too_small, Err(&*too_large)),
        (
            "/bomb",
            json!({"maxResponseBodySize": 1 << 20}),
            Err("the body is larger than 1048576 bytes"),
        ),
        (
            "/no-gzip",
            json!({}),
            Err("the body is not what `Content-Encoding: gzip` says: invalid gzip header"),
        ),
        ("/latin1", json!({}), Err("the body is not UTF-8")),
        (
            "/status/201",
            json!({}),
            Err("the answer is 201 Created instead of 200 OK"),
        ),
        (
            "/status/302",
            json!({}),
            Err("the answer is 302 Found instead of 200 OK"),
        ),
        (
            "/status/304",
            json!({}),
            Err("the answer is 304 Not Modified instead of 200 OK"),
        ),
        (
            "/status/500",
            json!({}),
            Err("the answer is 500 Internal Server Error instead of 200 OK"),
        ),
        ("/redirects/9", json!({}), Ok(GOOD)),
        (
            "/redirects/10",
            json!({}),
            Err("stopped after 10 redirects"),
        ),
        ("/to/301?/good", json!({}), Ok(GOOD)),
        ("/to/303?/good", json!({}), Ok(GOOD)),
        ("/to/307?/good", json!({}), Ok(GOOD)),
        ("/to/308?/good", json!({}), Ok(GOOD)),
        (
            "/to/300?/good",
            json!({}),
            Err("the answer is 300 Multiple Choices instead of 200 OK"),
        ),
        (
            "/to/302?%zz",
            json!({}),
            Err("redirected to what cannot be asked"),
        ),
        ("/silence", hasty.clone(), Err(too_late)),
        ("/never-ends", hasty, Err(too_late)),
        (
            "/breaks-off",
            json!({}),
            Err("connection closed before message completed"),
        ),
    ] {
        let fetched = fetch(&server.url(path), others).await;
        let is_so = match (&fetched, expected) {
            (Ok(text), Ok(expected)) => text == expected,
            // What the system says stands behind.
            (Err(failure), Err(expected)) => failure.starts_with(expected),
            _ => false,
        };
        assert!(is_so, "{path}: {fetched:?}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let failure = fetch(&format!("http://u:secret@{nobody}/?secret"), json!({})).await;
    let failure = failure.unwrap_err();
    assert!(
        failure.starts_with(&format!("cannot connect to {nobody}: ")),
        "{failure}"
    );
}

#[tokio::test]
async fn who_gets_which_headers() {
    let server = Server::start().await;
    let here = server.address;
    let port = here.port();
    let headers = json!({"headers": {"X-Token": "t", "Host": "h.test", "Content-Length": "9"}});
    let elsewhere = format!("http://localhost:{port}/good");
    for (endpoint, expected) in [
        (server.url("/good?q"), vec!["/good?q h.test t".to_owned()]),
        (
            server.url("/to/302?/good"),
            vec![
                "/to/302?/good h.test t".to_owned(),
                "/good h.test t".to_owned(),
            ],
        ),
        (
            server.url(&format!("/to/302?{elsewhere}")),
            vec![
                format!("/to/302?{elsewhere} h.test t"),
                format!("/good localhost:{port}"),
            ],
        ),
        // Nor do they come back.
        (
            server.url(&format!(
                "/to/302?http://localhost:{port}/to/302?http://{here}/good"
            )),
            vec![
                format!("/to/302?http://localhost:{port}/to/302?http://{here}/good h.test t"),
                format!("/to/302?http://{here}/good localhost:{port}"),
                "/good h.test".to_owned(),
            ],
        ),
        (
            format!("http://u%3a:p@{here}/good"),
            vec!["/good h.test Basic dTo6cA== t".to_owned()],
        ),
    ] {
        assert_eq!(fetch(&endpoint, headers.clone()).await.as_deref(), Ok(GOOD));
        assert_eq!(server.seen(), expected);
    }
    let own = json!({"headers": {"authorization": "mine", "host": ""}});
    let asked = fetch(&format!("http://u:p@{here}/good"), own).await;
    assert_eq!(asked.as_deref(), Ok(GOOD));
    assert_eq!(server.seen(), [format!("/good {here} mine")]);
}

#[test]
fn headers_go_to_the_host_and_below() {
    for (from, to, expected) in [
        ("http://a.test/", "http://a.test:8080/x", true),
        ("http://a.test/", "https://a.test/", true),
        ("http://a.test/", "https://www.A.test/", true),
        ("https://a.test/", "http://a.test/", false),
        ("http://a.test/", "http://b.test/", false),
        ("http://a.test/", "http://evil-a.test/", false),
        ("http://www.a.test/", "http://a.test/", false),
    ] {
        let endpoint = Endpoint::new(&options(from, json!({})), &Roots::none()).unwrap();
        let to = Url::resolve(to, "").unwrap();
        assert_eq!(endpoint.trusts(&to), expected, "{from} {to}");
    }
}

#[test]
fn what_is_a_url() {
    for (text, expected) in [
        ("http://a", Some(("a", 80, "http://a/"))),
        ("HTTPS://A:/x y?q#f", Some(("a", 443, "https://A:/x%20y"))),
        (
            "http://u:p@[::1]:81/?q",
            Some(("::1", 81, "http://[::1]:81/")),
        ),
        ("http://a:65536/", None),
        ("http://:80/", None),
        ("http:///x", None),
        ("ftp://a/", None),
        ("a/b", None),
        ("//a/b", None),
        ("http://a/%zz", None),
        ("http://a/\n", None),
        ("", None),
    ] {
        let url = Url::resolve(text, "");
        let shown = url.as_ref().map(ToString::to_string).unwrap_or_default();
        let parts = url.as_ref().map(|url| (&*url.host, url.port, &*shown));
        assert_eq!(parts, expected, "{text}");
    }
}

#[test]
fn what_cannot_be_asked_is_said_at_once() {
    for (endpoint, others, expected) in [
        (
            "a",
            json!({}),
            "endpoint: expected a URL such as `https://host/path`",
        ),
        (
            "http://a",
            json!({"pollInterval": 0}),
            "pollInterval: it must be greater than 0",
        ),
        (
            "http://a",
            json!({"headers": {"a b": "hidden"}}),
            "headers.a b: no header has this name or value",
        ),
        (
            "http://a",
            json!({"headers": {"a": "hid\nden"}}),
            "headers.a: no header has this name or value",
        ),
        (
            "http://a",
            json!({"tls": {"cert": "-----"}}),
            "tls: both TLS cert and key must be defined",
        ),
        (
            "http://a",
            json!({"tls": {"ca": "-----"}}),
            "tls.ca: no certificate in PEM form",
        ),
        (
            "http://a",
            json!({"tls": {"cert": "-----", "key": "-----"}}),
            "tls.cert: no certificate in PEM form",
        ),
        (
            "http://a",
            json!({"tls": {"ca": "/no/where"}}),
            "tls.ca: cannot read /no/where: No such file or directory (os error 2)",
        ),
    ] {
        let refused = HttpProvider::new(&options(endpoint, others), &Roots::none());
        assert_eq!(refused.unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_it_sends_is_not_shown() -> Result<(), InvalidOption> {
    let headers = json!({"headers": {"authorization": "hidden"}});
    let options = options("http://u:hidden@a/?hidden", headers);
    let shown = format!("{:?}", HttpProvider::new(&options, &Roots::none())?);
    assert_eq!(
        shown,
        r#"HttpProvider { endpoint: "http://a/", interval: 5s, .. }"#
    );
    Ok(())
}

#[tokio::test]
async fn the_server_has_to_be_trusted_and_may_ask_who_we_are() {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let signed = |names: Vec<String>| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        (
            params.signed_by(&key, &authority).unwrap().pem(),
            key.serialize_pem(),
        )
    };
    let (certificate, key) = signed(vec!["127.0.0.1".to_owned()]);
    let (client, client_key) = signed(Vec::new());

    let crypto = Arc::new(traefikrs_tls::crypto());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&crypto));
    let config = ServerConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let server = Server::speaking(Some(config)).await;
    let url = server.url("/good").replace("http:", "https:");

    let (ca, stranger) = (authority.pem(), certificate);
    for (tls, expected) in [
        (json!({}), Err(())),
        (json!({"tls": {"insecureSkipVerify": true}}), Ok(())),
        (json!({"tls": {"ca": &ca}}), Ok(())),
        (
            json!({"tls": {"ca": &ca, "cert": &client, "key": &client_key}}),
            Ok(()),
        ),
        (json!({"tls": {"ca": &stranger}}), Err(())),
    ] {
        let fetched = fetch(&url, tls.clone()).await;
        match expected {
            Ok(()) => assert_eq!(fetched.as_deref(), Ok(GOOD), "{tls}"),
            Err(()) => {
                let failure = fetched.unwrap_err();
                assert!(
                    failure.contains("invalid peer certificate"),
                    "{tls}: {failure}"
                );
            }
        }
    }
}

/// A provider at work on a server's `/now`.
struct Polled {
    server: Server,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    running: Running,
}

impl Polled {
    async fn start(status: u16, text: &str, others: Value) -> Self {
        let server = Server::start().await;
        server.says(status, text);
        let options = options(&server.url("/now?token"), others);
        let mut aggregator = Aggregator::new(None);
        aggregator.add(HttpProvider::new(&options, &Roots::none()).unwrap());
        let running = aggregator.start();
        Self {
            server,
            snapshots: running.snapshots(),
            running,
        }
    }

    /// Waits until exactly these routers are there, as `name=rule`, and these diagnostics.
    async fn has(&mut self, routers: &[&str], diagnostics: &[&str]) -> Arc<Snapshot> {
        let url = self.server.url("/now");
        let now = self.snapshots.clone();
        let waiting = self.snapshots.wait_for(|snapshot| {
            let http = snapshot.configurations.get("http");
            let http = http
                .and_then(|configuration| configuration.http.clone())
                .unwrap_or_default();
            let found = http
                .routers
                .iter()
                .map(|(name, router)| format!("{name}={}", router.rule));
            let said = snapshot.all_diagnostics();
            let said = said.map(|diagnostic| diagnostic.to_string().replace(&url, "URL"));
            snapshot.is_complete()
                && found.eq(routers.iter().copied())
                && said.eq(diagnostics.iter().copied())
        });
        match timeout(DEADLINE, waiting).await {
            Ok(snapshot) => snapshot.unwrap().clone(),
            Err(_) => panic!("still {:?}", now.borrow()),
        }
    }
}

#[tokio::test]
async fn what_was_understood_stays_until_something_else_is() {
    let mut polled = Polled::start(500, "", json!({"pollInterval": "5ms"})).await;
    let refused = "warning[Unreadable] file URL: the answer is 500 Internal Server Error instead of 200 OK (file ignored)";
    polled.has(&[], &[refused]).await;
    polled.server.says(200, GOOD);
    let good = polled.has(&["a=x"], &[]).await;

    polled.server.says(503, "");
    let unavailable = refused.replace("500 Internal Server Error", "503 Service Unavailable");
    let kept = polled.has(&["a=x"], &[&unavailable]).await;
    assert!(Arc::ptr_eq(
        &kept.configurations["http"],
        &good.configurations["http"]
    ));
    // The same again.
    polled.server.says(200, GOOD);
    let back = polled.has(&["a=x"], &[]).await;
    assert!(Arc::ptr_eq(
        &back.configurations["http"],
        &good.configurations["http"]
    ));

    for (text, routers, diagnostics) in [
        (
            "http: [",
            &["a=x"][..],
            &[
                "URL:2: error[Unparsable] file URL: not YAML: did not find expected node content (file ignored)",
            ][..],
        ),
        (
            "http:\n  routers:\n    a: {rule: y}\n    b: {rul: z}\n",
            &["a=y"],
            &[
                "URL:4: error[UnknownField] router b@http at http.routers.b.rul: unknown field \"rul\", did you mean \"rule\"? (object dropped)",
            ],
        ),
        (
            r#"{"http": {"routers": {"j": {"rule": "x", "observability": {}}}}}"#,
            &["j=x"],
            &[],
        ),
        ("{http: {routers: {f: {rule: x}}}}", &["f=x"], &[]),
        // Traefik: no templates here.
        (
            "http: {routers: {t: {rule: '{{ 1 }}'}}}",
            &["t={{ 1 }}"],
            &[],
        ),
        ("", &[], &[]),
    ] {
        polled.server.says(200, text);
        polled.has(routers, diagnostics).await;
    }
}

#[tokio::test]
async fn it_asks_again_when_it_is_told_to() {
    let mut polled = Polled::start(200, GOOD, json!({"pollInterval": "1h"})).await;
    polled.has(&["a=x"], &[]).await;
    polled.server.says(200, &GOOD.replace("rule: x", "rule: y"));
    polled.running.ask_again();
    polled.has(&["a=y"], &[]).await;
    let asked: BTreeMap<_, _> = polled
        .server
        .seen()
        .into_iter()
        .map(|asked| (asked, ()))
        .collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
}
