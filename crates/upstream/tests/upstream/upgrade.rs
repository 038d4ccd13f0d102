use http::{HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use traefikrs_upstream::{Answer, Error, Limits, Outgoing, Peer, Scheme, Upstreams};

use super::support::{self, NoBody, Server, Step, get, kind, say};

fn asking_for(protocol: &'static str) -> Outgoing<NoBody> {
    let mut request = Outgoing {
        upgrade: Some(HeaderValue::from_static(protocol)),
        ..get()
    };
    for name in ["sec-websocket-key", "sec-websocket-protocol", "x-other"] {
        request
            .headers
            .insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
    }
    request
}

async fn send(peer: &Peer<'_>, request: Outgoing<NoBody>) -> Result<Answer<NoBody>, Error> {
    support::send(&Upstreams::new(), peer, &Limits::default(), request).await
}

#[tokio::test(flavor = "local")]
async fn the_connection_is_handed_over_with_what_was_read_ahead() {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nearly";
    for scheme in [Scheme::Http, Scheme::H2c] {
        let server =
            Server::start([vec![Step::Head, say(switch), Step::Read(5), say(" late")]]).await;
        let peer = Peer {
            scheme,
            ..server.peer()
        };
        let Ok(Answer::Upgraded { head, mut io }) = send(&peer, asking_for("websocket")).await
        else {
            panic!("not upgraded");
        };
        assert_eq!(head.status, 101);
        io.write_all(b"hello").await.unwrap();
        let mut text = String::new();
        io.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "early late");
        let expected = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nSec-WebSocket-Key: v\r\nSec-WebSocket-Protocol: v\r\nX-Other: v\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
            server.address
        );
        assert_eq!(server.heard(0), expected);
    }
}

#[tokio::test(flavor = "local")]
async fn only_websocket_has_names_of_its_own_casing() {
    let server = Server::start([vec![Step::Head, say("HTTP/1.1 204 None\r\n\r\n")]]).await;
    send(&server.peer(), asking_for("other")).await.unwrap();
    assert!(
        server.heard(0).contains("\r\nSec-Websocket-Key: v\r\n"),
        "{}",
        server.heard(0)
    );
}

#[tokio::test(flavor = "local")]
async fn the_server_must_agree_to_the_protocol_that_was_asked_for() {
    for (fields, agreed) in [
        ("Upgrade: websocket\r\n", true),
        ("Upgrade: WEBSOCKET\r\n", true),
        ("Upgrade: other\r\n", false),
        ("Upgrade: websocket, other\r\n", false),
        ("", false),
    ] {
        let switch = format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n");
        let server = Server::start([vec![Step::Head, say(switch)]]).await;
        match send(&server.peer(), asking_for("websocket")).await {
            Ok(Answer::Upgraded { .. }) => assert!(agreed, "{fields:?}"),
            Ok(Answer::Response { .. }) => panic!("{fields:?}"),
            Err(error) => assert_eq!(
                (kind(&error).as_str(), agreed),
                ("UpgradeMismatch", false),
                "{fields:?}"
            ),
        }
    }
}

#[tokio::test(flavor = "local")]
async fn a_server_that_does_not_switch_gives_an_ordinary_response() {
    let server = Server::start([vec![
        Step::Head,
        say("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
        Step::Hold,
    ]])
    .await;
    let answer = send(&server.peer(), asking_for("websocket")).await.unwrap();
    assert!(matches!(answer, Answer::Response { head, .. } if head.status == 403));
}
