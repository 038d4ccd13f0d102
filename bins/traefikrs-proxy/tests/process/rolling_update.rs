//! Servers that come and go under load, and a configuration that follows late.

use std::future::pending;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

use crate::Site;
use crate::proxy::await_true;

const REQUESTS: usize = 50_000;
const CLIENTS: usize = 8;

/// The configuration knows of the end of a server after so many more requests, at most.
const MOST_LAG: usize = 2_000;

/// Those that may be said again by RFC 9110 §9.2.2.
const METHODS: [&str; 4] = ["GET", "PUT", "DELETE", "OPTIONS"];

/// A server that ends gracefully.
struct Pod {
    address: SocketAddr,
    is_over: watch::Sender<bool>,
    n_served: Arc<AtomicUsize>,
}

impl Pod {
    fn start(runtime: &Handle) -> Self {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (is_over, mut over) = watch::channel(false);
        let n_served = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&n_served);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    _ = over.wait_for(|&is_over| is_over) => return,
                };
                tokio::spawn(serve(stream, over.clone(), Arc::clone(&counter)));
            }
        });
        Self {
            address,
            is_over,
            n_served,
        }
    }

    fn has_served(&self) -> bool {
        self.n_served.load(Ordering::Relaxed) > 0
    }

    /// Refuses connections, closes those that are idle, and answers what is under way.
    fn end(self) {
        self.is_over.send(true).unwrap();
    }
}

async fn serve(mut stream: TcpStream, mut over: watch::Receiver<bool>, n_served: Arc<AtomicUsize>) {
    let mut read = Vec::new();
    loop {
        let n_read = tokio::select! {
            n_read = stream.read_buf(&mut read) => n_read.unwrap_or(0),
            // What is on its way finds a connection that is closed.
            _ = over.wait_for(|&is_over| is_over), if read.is_empty() => 0,
        };
        if n_read == 0 {
            return;
        }
        if !read.ends_with(b"\r\n\r\n") {
            continue;
        }
        read.clear();
        let number = n_served.fetch_add(1, Ordering::Relaxed);
        if number.is_multiple_of(50) {
            // Long enough to be under way when the end comes.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

fn routes(pods: &[Pod]) -> String {
    let servers: String = pods
        .iter()
        .map(|pod| format!("        - url: http://{}\n", pod.address))
        .collect();
    format!(
        "http:\n  routers:\n    r: {{rule: \"PathPrefix(`/`)\", service: s}}\n  services:\n    s:\n      loadBalancer:\n        servers:\n{servers}"
    )
}

#[test]
fn a_rolling_update_fails_no_idempotent_request() {
    let pods_runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let runtime = pods_runtime.handle().clone();
    thread::spawn(move || pods_runtime.block_on(pending::<()>()));
    let mut pods: Vec<_> = (0..5).map(|_| Pod::start(&runtime)).collect();
    let site = Site::start(&routes(&pods), &[]);
    await_true("the route", || site.status("a.test") == 200);

    let n_asked = AtomicUsize::new(0);
    let asked = || n_asked.load(Ordering::Relaxed);
    let ask = |client: usize| {
        let mut connection = site.connect();
        loop {
            let number = n_asked.fetch_add(1, Ordering::Relaxed);
            if number >= REQUESTS {
                return;
            }
            let method = METHODS[(number + client) % METHODS.len()];
            connection.send(format!(
                "{method} / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n"
            ));
            let answer = connection.answer();
            let status = answer.as_ref().map(|answer| answer.status);
            assert_eq!(status, Some(200), "{method}, request {number}: {answer:?}");
        }
    };
    let (mut n_replaced, mut n_late) = (0, 0);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || ask(client));
        }
        for round in 0.. {
            if asked() >= REQUESTS {
                break;
            }
            // One or two are replaced; those that come are known before others go.
            let n = 1 + round % 2;
            pods.extend((0..n).map(|_| Pod::start(&runtime)));
            site.replace(&routes(&pods));
            let come = &pods[pods.len() - n..];
            await_true("the new servers", || {
                come.iter().all(Pod::has_served) || asked() >= REQUESTS
            });
            pods.drain(..n).for_each(Pod::end);
            let ended = asked();
            let lag = round * 779 % MOST_LAG;
            await_true("requests", || asked() >= (ended + lag).min(REQUESTS));
            site.replace(&routes(&pods));
            n_replaced += n;
            n_late += asked() - ended;
        }
    });
    println!(
        "{n_replaced} servers replaced; {n_late} of {REQUESTS} requests while some were gone and not known to be"
    );
    assert!(n_replaced >= 10 && n_late > REQUESTS / 20);
}
