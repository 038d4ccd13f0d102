use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::{Either, Empty, Full};
use traefikrs_upstream::{Outgoing, Upstreams};

use super::support::{Server, Step, get, kind, read, say, with_body};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Method, a header to add, whether there is a body.
type Case = (Method, Option<&'static str>, bool);

fn request((method, header, has_body): Case) -> Outgoing<Either<Empty<Bytes>, Full<Bytes>>> {
    let body = if has_body {
        Either::Right(Full::new(Bytes::from_static(b"body")))
    } else {
        Either::Left(Empty::new())
    };
    let mut request = with_body(method, body);
    if let Some(name) = header {
        request
            .headers
            .insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
    }
    request
}

/// Two requests: the first is answered, and the connection then ends as `end` says.
async fn check(case: Case, end: &[Step], expected: &str) {
    let first = [&[Step::Head, say(OK)], end].concat();
    let server = Server::start([first, vec![Step::Head, say(OK), Step::Hold]]).await;
    let upstreams = Upstreams::new();
    assert_eq!(
        read(&upstreams, &server.peer(), get()).await.unwrap().data,
        "ok"
    );
    if !end.contains(&Step::Head) {
        server.until_closed(1).await;
    }
    let outcome = read(&upstreams, &server.peer(), request(case.clone())).await;
    let outcome = outcome.map_or_else(
        |error| kind(&error),
        |_| format!("{} dialed", upstreams.stats().dialed),
    );
    assert_eq!(outcome, expected, "{case:?} {end:?}");
}

/// Method, header, body, and whether it may be said again. So Traefik 3.7.15, but for DELETE and PUT without a key.
const MATRIX: [(Method, Option<&str>, bool, bool); 14] = [
    (Method::GET, None, false, true),
    (Method::HEAD, None, false, true),
    (Method::OPTIONS, None, false, true),
    (Method::TRACE, None, false, true),
    (Method::POST, Some("idempotency-key"), false, true),
    (Method::DELETE, Some("x-idempotency-key"), false, true),
    (Method::DELETE, None, false, true),
    (Method::PUT, None, false, true),
    (Method::POST, None, false, false),
    (Method::PATCH, None, false, false),
    (Method::POST, None, true, false),
    (Method::GET, None, true, false),
    (Method::GET, Some("idempotency-key"), true, false),
    (Method::POST, Some("x-other"), false, false),
];

#[tokio::test(flavor = "local")]
async fn a_connection_that_dies_unanswered_is_replaced_only_for_requests_that_may_be_repeated() {
    for (method, header, has_body, recovers) in MATRIX {
        for (end, error) in [(Step::Hush, "Closed"), (Step::Reset, "Io")] {
            let expected = if recovers { "2 dialed" } else { error };
            check(
                (method.clone(), header, has_body),
                &[Step::Head, end],
                expected,
            )
            .await;
        }
    }
}

#[tokio::test(flavor = "local")]
async fn a_connection_that_is_known_dead_is_replaced_for_every_request() {
    let unasked = say("HTTP/1.1 408 Request Timeout\r\n\r\n");
    for (method, header, has_body, _) in MATRIX {
        for end in [vec![], vec![Step::Reset], vec![unasked.clone()]] {
            check((method.clone(), header, has_body), &end, "2 dialed").await;
        }
    }
}

#[tokio::test(flavor = "local")]
async fn half_an_answer_is_not_asked_for_again() {
    for (half, expected) in [
        ("HTTP/1.1 2", "TruncatedHead"),
        ("HTTP/1.1 100 Continue\r\n\r\n", "TruncatedHead"),
    ] {
        check(
            (Method::GET, None, false),
            &[Step::Head, say(half), Step::Hush],
            expected,
        )
        .await;
    }
}

#[tokio::test(flavor = "local")]
async fn a_fresh_connection_is_not_excused() {
    let server = Server::start([vec![Step::Head], vec![Step::Head, say(OK)]]).await;
    let upstreams = Upstreams::new();
    let error = read(&upstreams, &server.peer(), get()).await.err().unwrap();
    assert_eq!(
        (kind(&error).as_str(), upstreams.stats().dialed),
        ("Closed", 1)
    );
}

#[tokio::test(flavor = "local")]
async fn the_second_failure_is_final() {
    let dies = vec![Step::Head];
    let server = Server::start([vec![Step::Head, say(OK), Step::Head], dies.clone(), dies]).await;
    let upstreams = Upstreams::new();
    read(&upstreams, &server.peer(), get()).await.unwrap();
    let error = read(&upstreams, &server.peer(), get()).await.err().unwrap();
    assert_eq!(
        (kind(&error).as_str(), upstreams.stats().dialed),
        ("Closed", 2)
    );
}
