//! One connection, several requests; and when it ends.

use std::num::NonZeroU64;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use traefikrs_compile::Generation;
use traefikrs_dataplane::{Dataplane, EntryPointOptions, Options, PingOptions};

use crate::support::{Client, Proxy, answers, echo, server, to};

const GET: &str = "GET / HTTP/1.1\r\nHost: x.test\r\n\r\n";

#[test]
fn a_connection_is_kept() {
    let proxy = Proxy::to(echo());
    let mut client = proxy.connect();
    for path in ["/a", "/b"] {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(client.response().body.starts_with(&format!("GET {path} ")));
    }
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let proxy = Proxy::to(echo());
    let mut client = proxy.connect();
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1GET /c HTTP/1.1\r\nHost: x\r\n\r\n");
    for start in ["GET /a ", "POST /b ", "GET /c "] {
        let response = client.response();
        assert!(response.body.starts_with(start), "{}", response.body);
    }
}

#[test]
fn a_client_that_wants_to_close_gets_its_way() {
    let proxy = Proxy::to(echo());
    for request in [
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: x\r\n\r\n",
    ] {
        let mut client = proxy.connect();
        client.send(request);
        client.response();
        assert_eq!(client.rest(), "");
    }
}

#[test]
fn the_last_request_is_told_to_close() {
    let proxy = Proxy::with(&to(echo()), |web| {
        web.keep_alive.max_requests = NonZeroU64::new(2);
    });
    let mut client = proxy.connect();
    client.send(GET);
    assert_eq!(client.response().header("Connection"), None);
    client.send(GET);
    assert_eq!(client.response().header("Connection"), Some("close"));
    assert_eq!(client.rest(), "");
}

#[test]
fn an_old_connection_is_told_to_close() {
    let proxy = Proxy::with(&to(echo()), |web| {
        web.keep_alive.max_time = Some(Duration::from_nanos(1));
    });
    let mut client = proxy.connect();
    loop {
        client.send(GET);
        if client.response().header("Connection") == Some("close") {
            break;
        }
    }
    assert_eq!(client.rest(), "");
}

#[test]
fn an_idle_connection_ends() {
    let proxy = Proxy::with(&to(echo()), |web| {
        web.timeouts.idle = Some(Duration::from_millis(1));
    });
    let mut client = proxy.connect();
    client.send(GET);
    client.response();
    assert_eq!(client.rest(), "");
}

#[test]
fn a_silent_or_slow_client_is_dropped() {
    let proxy = Proxy::with(&to(echo()), |web| {
        web.timeouts.read = Some(Duration::from_millis(1));
    });
    for said in ["", "P", "GET / HT", "GET / HTTP/1.1\r\nHost: x"] {
        let mut client = proxy.connect();
        client.send(said);
        assert_eq!(client.rest(), "", "{said:?}");
    }
}

#[test]
fn a_slow_body_is_a_timeout_of_the_gateway() {
    let proxy = Proxy::with(&to(echo()), |web| {
        web.timeouts.read = Some(Duration::from_millis(1));
    });
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    let response = client.response();
    assert_eq!(
        (response.status(), &*response.body),
        (504, "Gateway Timeout")
    );
}

#[test]
fn a_slow_answer_is_cut_if_a_limit_is_set() {
    let proxy = Proxy::with(
        &to(server(|mut client: Client| drop(client.rest()))),
        |web| {
            web.timeouts.write = Some(Duration::from_millis(1));
        },
    );
    let mut client = proxy.connect();
    client.send(GET);
    assert_eq!(client.rest(), "");
}

#[test]
fn a_client_that_goes_takes_its_request_along() {
    let (told, tells) = mpsc::channel();
    let told = Mutex::new(told);
    let proxy = Proxy::to(server(move |mut client: Client| {
        client.head();
        let told = told.lock().unwrap();
        told.send("here".to_owned()).unwrap();
        told.send(client.rest()).unwrap();
    }));
    let mut client = proxy.connect();
    client.send(GET);
    assert_eq!(tells.recv().unwrap(), "here");
    drop(client);
    assert_eq!(tells.recv().unwrap(), "");

    // Traefik: closing only one half counts as going.
    let mut client = proxy.connect();
    client.send(GET);
    assert_eq!(tells.recv().unwrap(), "here");
    client.half_close();
    assert_eq!(tells.recv().unwrap(), "");
    let response = client.response();
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 499 status code 499\nContent-Length: 21"
    );
    assert_eq!(response.body, "Client Closed Request");
    assert_eq!(client.rest(), "");
}

#[test]
fn an_answer_that_breaks_off_breaks_off() {
    let proxy = Proxy::to(server(|mut client: Client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    }));
    let mut client = proxy.connect();
    client.send(GET);
    client.head();
    assert_eq!(client.rest(), "ab");
}

#[test]
fn a_new_configuration_holds_for_the_next_request() {
    let proxy = Proxy::to(answers("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold"));
    let mut client = proxy.connect();
    client.send(GET);
    assert_eq!(client.response().body, "old");
    proxy.publish(&to(answers(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew",
    )));
    client.send(GET);
    assert_eq!(client.response().body, "new");
}

#[test]
fn a_request_under_way_keeps_its_configuration() {
    let (arrived, has_arrived) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let channels = Arc::new(Mutex::new((arrived, may_go)));
    let proxy = Proxy::to(server(move |mut client: Client| {
        client.head();
        let channels = channels.lock().unwrap();
        channels.0.send(()).unwrap();
        channels.1.recv().unwrap();
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
    }));
    let mut client = proxy.connect();
    client.send(GET);
    has_arrived.recv().unwrap();
    proxy.publish(&to(answers(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew",
    )));
    go.send(()).unwrap();
    assert_eq!(client.response().body, "old");
}

#[test]
fn every_worker_takes_connections() {
    let proxy = Proxy::with_workers(3, &to(echo()));
    let mut clients: Vec<_> = (0..32).map(|_| proxy.connect()).collect();
    for client in &mut clients {
        client.send(GET);
    }
    for client in &mut clients {
        assert_eq!(client.response().status(), 200);
    }
}

#[test]
fn a_taken_address_is_refused_by_name() {
    let proxy = Proxy::to(echo());
    let options = Options {
        workers: 2,
        entry_points: vec![EntryPointOptions::new("second", proxy.address)],
        ping: PingOptions::default(),
        server_name: None,
    };
    let published = Arc::new(ArcSwap::from_pointee(Generation::default()));
    let error = Dataplane::start(options, published, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {} for entry point second", proxy.address)
    );
}

/// The statuses of requests sent at once, and what is left of the connection then.
#[track_caller]
fn check_ahead(requests: &str, expected: &[u16]) {
    let proxy = Proxy::to(echo());
    let mut client = proxy.connect();
    client.send(requests);
    for (at, &expected) in expected.iter().enumerate() {
        assert_eq!(client.response().status(), expected, "{at} of {requests}");
    }
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(client.response().status(), 200, "after {requests}");
    assert_eq!(client.rest(), "");
}

#[test]
fn the_line_of_a_request_sent_ahead_is_looked_at() {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    for target in ["/x#y", "http://x/x#y"] {
        let ahead = get("/a") + &get(target) + &get("/b");
        check_ahead(&ahead, &[200, 400, 200]);
        check_ahead(&get(target), &[400]);
        check_ahead(&format!("\r\n\n{}", get(target)), &[400]);
        let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n#\r\n".to_owned();
        check_ahead(&(post + &get(target)), &[200, 400]);
    }
    check_ahead(&(get("/a") + &get("/<\">`?<a#b>")), &[200, 200]);
}

#[test]
fn a_request_sent_ahead_behind_chunks_is_one_like_any_other() {
    let chunks =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab#\r\n0\r\n\r\n";
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    check_ahead(
        &format!("{chunks}{}{chunks}{}", get("/a"), get("/x#y")),
        &[200, 200, 200, 400],
    );
}

#[test]
fn a_thousand_requests_sent_ahead_are_answered() {
    let proxy = Proxy::to(echo());
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000));
    for _ in 0..1000 {
        assert_eq!(client.response().status(), 200);
    }
}
