//! What becomes of a request whose server does not answer, and whether another server gets all of it.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::{Either, Empty, Full};
use traefikrs_tls::{ClientOptions, ClientTls, ServerName};
use traefikrs_upstream::{
    Answer, Fate, Https, Limits, NoAnswer, Outgoing, Peer, Scheme, Upstreams,
};

use super::support::{Server, Step, get, kind, read, say, settle, with_body};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// A connection of HTTP/2 is accepted, with no more than settings, and refuses all streams.
const REFUSAL: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";

type Body = Either<Empty<Bytes>, Full<Bytes>>;

/// Method, whether there is a body.
type Case = (Method, bool);

const SAFE: Case = (Method::GET, false);
const IDEMPOTENT: Case = (Method::DELETE, false);
const ONCE: Case = (Method::POST, false);
const WITH_BODY: Case = (Method::PUT, true);

fn request((method, has_body): Case) -> Outgoing<Body> {
    let body = if has_body {
        Either::Right(Full::new(Bytes::from_static(b"body")))
    } else {
        Either::Left(Empty::new())
    };
    let mut request = with_body(method, body);
    request.headers.insert(
        HeaderName::from_static("x-field"),
        HeaderValue::from_static("value"),
    );
    request.host = Some(HeaderValue::from_static("a.test"));
    request
}

/// The request is sent in vain; if it is said to be whole, another server hears all of it.
async fn check(upstreams: &Upstreams, peer: &Peer<'_>, case: &Case, error: &str, fate: Fate) {
    let mut request = request(case.clone());
    let sent = upstreams.send(peer, &Limits::default(), &mut request).await;
    let failed: NoAnswer = sent.unwrap_err();
    assert_eq!(
        (kind(&failed.error).as_str(), failed.request),
        (error, fate),
        "{case:?} {:?}",
        failed.error
    );
    if fate == Fate::Spent {
        return;
    }
    let (body, expected) = match case.1 {
        false => (vec![], format!("{} / HTTP/1.1\r\nHost: a.test\r\n", case.0)),
        true => (
            vec![Step::Read(4)],
            "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n".to_owned(),
        ),
    };
    let length = ["", "Content-Length: 0\r\n"][usize::from(case.0 == Method::POST)];
    let expected = format!(
        "{expected}{length}X-Field: value\r\n\r\n{}",
        ["", "body"][usize::from(case.1)]
    );
    let other = Server::start([[vec![Step::Head], body, vec![say(OK)]].concat()]).await;
    let peer = Peer {
        pool: 2,
        ..other.peer()
    };
    let sent = upstreams
        .send(&peer, &Limits::default(), &mut request)
        .await;
    assert!(matches!(sent, Ok(Answer::Response { .. })));
    assert_eq!(other.heard(0), expected);
}

#[tokio::test(flavor = "local")]
async fn whatever_is_refused_was_not_sent() {
    let tls = ClientTls::new(ClientOptions::default()).unwrap();
    let name = ServerName::try_from("a.test").unwrap();
    let https = Scheme::Https(Https {
        tls: &tls,
        server_name: &name,
    });
    for scheme in [Scheme::Http, Scheme::H2c, https] {
        let nobody = Server::start([]).await;
        settle().await;
        let peer = Peer {
            scheme,
            ..nobody.peer()
        };
        for case in [SAFE, IDEMPOTENT, ONCE, WITH_BODY] {
            check(&Upstreams::new(), &peer, &case, "Connect", Fate::Unsent).await;
        }
    }
    for case in [SAFE, ONCE, WITH_BODY] {
        // It closes where the handshake should begin.
        let rude = Server::start([vec![Step::Read(1)]]).await;
        let peer = Peer {
            scheme: https,
            ..rude.peer()
        };
        let mut request = request(case);
        let sent = Upstreams::new()
            .send(&peer, &Limits::default(), &mut request)
            .await;
        assert_eq!(sent.unwrap_err().request, Fate::Unsent);
    }
}

#[tokio::test(flavor = "local")]
async fn a_fresh_connection_that_dies_unanswered_leaves_what_may_be_repeated() {
    for (end, error) in [(Step::Hush, "Closed"), (Step::Reset, "Io")] {
        for (case, fate) in [
            (SAFE, Fate::Repeatable),
            (IDEMPOTENT, Fate::Repeatable),
            (ONCE, Fate::Spent),
            (WITH_BODY, Fate::Spent),
        ] {
            let server = Server::start([vec![Step::Head, end.clone()]]).await;
            check(&Upstreams::new(), &server.peer(), &case, error, fate).await;
        }
    }
}

#[tokio::test(flavor = "local")]
async fn half_an_answer_is_the_end() {
    for half in ["HTTP/1.1 2", "HTTP/1.1 103 Early Hints\r\n\r\n"] {
        let server = Server::start([vec![Step::Head, say(half)]]).await;
        let peer = server.peer();
        check(
            &Upstreams::new(),
            &peer,
            &SAFE,
            "TruncatedHead",
            Fate::Spent,
        )
        .await;
    }
}

/// A kept connection that dies when it is used, of a server that is gone then.
#[tokio::test(flavor = "local")]
async fn a_kept_connection_that_dies_unanswered_may_have_said_it() {
    for (case, error, fate) in [
        (SAFE, "Connect", Fate::Repeatable),
        (IDEMPOTENT, "Connect", Fate::Repeatable),
        (ONCE, "Closed", Fate::Spent),
        (WITH_BODY, "Closed", Fate::Spent),
    ] {
        let script = vec![Step::Head, say(OK), Step::Head, Step::Hush];
        let server = Server::start([script]).await;
        let upstreams = Upstreams::new();
        read(&upstreams, &server.peer(), get()).await.unwrap();
        check(&upstreams, &server.peer(), &case, error, fate).await;
    }
}

/// A kept connection that is known to be dead, of a server that is gone.
#[tokio::test(flavor = "local")]
async fn a_kept_connection_that_is_known_dead_has_said_nothing() {
    for case in [SAFE, IDEMPOTENT, ONCE, WITH_BODY] {
        let server = Server::start([vec![Step::Head, say(OK)]]).await;
        let upstreams = Upstreams::new();
        read(&upstreams, &server.peer(), get()).await.unwrap();
        server.until_closed(1).await;
        check(&upstreams, &server.peer(), &case, "Connect", Fate::Unsent).await;
    }
}

#[tokio::test(flavor = "local")]
async fn http2_tells_what_was_seen() {
    let goodbye = vec![Step::Say(REFUSAL.to_vec()), Step::Hold];
    let lost = vec![Step::Read(24 + 9), Step::Reset];
    let left = vec![Step::Read(24 + 9), Step::Hush];
    for (script, case, error, fate) in [
        (&goodbye, SAFE, "Connect", Fate::Unsent),
        (&goodbye, ONCE, "Connect", Fate::Unsent),
        (&lost, SAFE, "Http2", Fate::Repeatable),
        (&left, SAFE, "Http2", Fate::Repeatable),
        (&lost, IDEMPOTENT, "Http2", Fate::Repeatable),
        (&lost, ONCE, "Http2", Fate::Spent),
        (&lost, WITH_BODY, "Http2", Fate::Spent),
    ] {
        let server = Server::start([script.clone()]).await;
        let peer = Peer {
            scheme: Scheme::H2c,
            ..server.peer()
        };
        check(&Upstreams::new(), &peer, &case, error, fate).await;
    }
}

#[tokio::test(flavor = "local")]
async fn a_target_moves_below_the_path_of_each_server() {
    for (target, base, expected) in [
        ("/a?b", "/base", "/base/a?b"),
        ("/", "/base/b", "/base/b/"),
        ("*", "/base", "/base/*"),
        ("*", "", "*"),
        ("/a", "", "/a"),
    ] {
        let mut target = traefikrs_upstream::Target::try_from(target).unwrap();
        target.put_below(&"/elsewhere".into()).unwrap();
        target.put_below(&base.into()).unwrap();
        assert!(target.put_below(&"no slash".into()).is_err());
        let server = Server::start([vec![Step::Head, say(OK)]]).await;
        let request = Outgoing { target, ..get() };
        read(&Upstreams::new(), &server.peer(), request)
            .await
            .unwrap();
        let heard = server.heard(0);
        assert_eq!(heard.split(' ').nth(1), Some(expected));
    }
}
