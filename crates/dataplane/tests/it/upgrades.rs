//! Connections that switch to another protocol.

use std::sync::Mutex;
use std::sync::mpsc;

use crate::support::{Client, Proxy, answers, echo, header, server};

const SWITCH: &str = "GET /chat HTTP/1.1\r\nHost: x.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";

/// Switches, then sends everything back in capitals, then its own last words.
fn loud(mut client: Client) {
    let head = client.head();
    assert_eq!(header(&head, "Connection"), Some("Upgrade"));
    assert_eq!(header(&head, "Upgrade"), Some("websocket"));
    assert_eq!(header(&head, "X-Forwarded-Proto"), Some("ws"));
    assert!(head.contains("\r\nSec-WebSocket-Key: k"), "{head}");
    client.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: b\r\n\r\nhello ");
    let heard = client.rest();
    client.send(heard.to_uppercase());
}

#[test]
fn bytes_go_both_ways_until_both_sides_have_ended() {
    let proxy = Proxy::to(server(loud));
    let mut client = proxy.connect();
    // What is sent ahead of the answer belongs to the new protocol as well.
    client.send(format!("{SWITCH}early "));
    let response = client.response();
    assert_eq!(response.status(), 101);
    assert_eq!(response.header("Connection"), Some("Upgrade"));
    assert_eq!(response.header("Upgrade"), Some("websocket"));
    assert_eq!(response.header("X-A"), Some("b"));
    assert_eq!(client.exactly(6), "hello ");
    client.send("late");
    client.half_close();
    assert_eq!(client.rest(), "EARLY LATE");
}

#[test]
fn a_server_may_say_its_last_word_first() {
    let (heard, hears) = mpsc::channel();
    let heard = Mutex::new(heard);
    let server = server(move |mut client: Client| {
        let head = client.head();
        assert_eq!(header(&head, "Upgrade"), Some("Chat/2"));
        client.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat/2\r\nConnection: upgrade\r\n\r\nbye",
        );
        client.half_close();
        heard.lock().unwrap().send(client.rest()).unwrap();
    });
    let proxy = Proxy::to(server);
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nUpgrade: Chat/2\r\nConnection: Upgrade\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    assert_eq!(client.rest(), "bye");
    client.send("I still have something to say");
    client.half_close();
    assert_eq!(hears.recv().unwrap(), "I still have something to say");
}

#[test]
fn a_tunnel_carries_more_than_it_can_hold() {
    const LENGTH: usize = 8 << 20;
    let proxy = Proxy::to(server(|mut client: Client| {
        client.head();
        client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
        let mut other = client.twin();
        let talking = std::thread::spawn(move || other.send(vec![b'd'; LENGTH]));
        assert_eq!(client.exactly(LENGTH).len(), LENGTH);
        talking.join().unwrap();
    }));
    let mut client = proxy.connect();
    client.send(SWITCH);
    client.head();
    let mut other = client.twin();
    let talking = std::thread::spawn(move || other.send(vec![b'u'; LENGTH]));
    assert_eq!(client.exactly(LENGTH).len(), LENGTH);
    talking.join().unwrap();
    assert_eq!(client.rest(), "");
}

#[test]
fn a_server_may_decline() {
    let proxy = Proxy::to(answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"));
    let mut client = proxy.connect();
    client.send(SWITCH);
    assert_eq!(client.response().body, "no");
    client.send(SWITCH);
    assert_eq!(client.response().body, "no");
}

#[test]
fn another_protocol_than_asked_for_is_an_error() {
    let proxy = Proxy::to(answers(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
    ));
    let response = proxy.ask(SWITCH);
    assert_eq!(
        (response.status(), &*response.body),
        (500, "Internal Server Error")
    );
}

#[test]
fn some_wishes_to_switch_are_not_passed_on() {
    let proxy = Proxy::to(echo());
    let ask = |protocol: &str| {
        proxy.ask_bytes(
            &[
                &b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\nUpgrade: "[..],
                &protocol.chars().map(|char| char as u8).collect::<Vec<_>>(),
                b"\r\n\r\n",
            ]
            .concat(),
        )
    };
    for protocol in ["h2c", "H2C, other", ""] {
        let seen = ask(protocol).body.to_lowercase();
        assert!(
            !seen.contains("upgrade") && !seen.contains("http2-settings"),
            "{seen}"
        );
    }
    assert_eq!(ask("h\u{e9}").status(), 500);
}

#[test]
fn a_tunnel_outlives_limits_and_configurations() {
    let (ended, has_ended) = mpsc::channel();
    let ended = Mutex::new(ended);
    let server = server(move |mut client: Client| {
        client.head();
        client.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        );
        assert_eq!(client.exactly(1), "a");
        client.send("b");
        ended.lock().unwrap().send(client.rest()).unwrap();
    });
    let proxy = Proxy::with(&crate::support::to(server), |web| {
        web.timeouts.read = Some(std::time::Duration::from_millis(1));
        web.timeouts.idle = Some(std::time::Duration::from_millis(1));
    });
    let mut client = proxy.connect();
    client.send(SWITCH);
    client.head();
    proxy.publish(&serde_json::json!({}));
    // Another connection lives for as long as these limits let it.
    assert_eq!(proxy.connect().rest(), "");
    client.send("a");
    assert_eq!(client.exactly(1), "b");
    drop(client);
    assert_eq!(has_ended.recv().unwrap(), "");
}
