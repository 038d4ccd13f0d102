//! Uploads that are larger than everything on the way.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::Site;
use crate::client::Client;
use crate::servers::server;

const PIECE: usize = 1 << 20;
const PIECES: usize = 100;
/// What the proxy may need for one upload, and more.
const ENOUGH: usize = 4 << 20;

/// Returns when a count has not moved for a moment: what counts is stuck.
pub(crate) fn await_rest(count: &AtomicUsize) -> usize {
    loop {
        let before = count.load(Ordering::Relaxed);
        thread::sleep(Duration::from_millis(250));
        if before > 0 && count.load(Ordering::Relaxed) == before {
            return before;
        }
    }
}

#[test]
fn a_hundred_megabytes_go_no_faster_than_they_are_read() {
    let (go_on, told) = mpsc::channel::<()>();
    let told = Mutex::new(told);
    let server = server(move |mut client: Client| {
        client.head();
        told.lock().unwrap().recv().unwrap();
        // Neither a chunk's size nor its end has that letter.
        let mut n_heard = client.read_ahead().matches('x').count();
        let mut buffer = vec![0; PIECE];
        while n_heard < PIECE * PIECES {
            let len = client.stream.read(&mut buffer).unwrap();
            assert_ne!(len, 0, "ended after {n_heard} bytes");
            n_heard += buffer[..len].iter().filter(|&&byte| byte == b'x').count();
        }
        let text = n_heard.to_string();
        client.send(format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        ));
        // Reads to the end, so that the answer is not lost to a reset.
        drop(client.rest());
    });
    let site = Site::before(server, &[]);
    let length = format!("Content-Length: {}", PIECE * PIECES);
    let size = format!("{PIECE:x}\r\n");
    for (framing, before, after, end) in [
        (&*length, "", "", ""),
        ("Transfer-Encoding: chunked", &*size, "\r\n", "0\r\n\r\n"),
    ] {
        let idle = site.proxy.resident_bytes();
        let mut client = site.connect();
        let n_sent = Arc::<AtomicUsize>::default();
        let mut upload = client.stream.try_clone().unwrap();
        let (head, piece) = (
            format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n"),
            [before.as_bytes(), &vec![b'x'; PIECE], after.as_bytes()].concat(),
        );
        let counter = Arc::clone(&n_sent);
        let end = end.to_owned();
        let uploading = thread::spawn(move || {
            upload.write_all(head.as_bytes()).unwrap();
            for _ in 0..PIECES {
                upload.write_all(&piece).unwrap();
                counter.fetch_add(1, Ordering::Relaxed);
            }
            upload.write_all(end.as_bytes()).unwrap();
        });
        // The kernel keeps some megabytes for both connections.
        let n_stuck = await_rest(&n_sent);
        assert!(n_stuck < PIECES / 2, "{framing}: {n_stuck} MiB are gone");
        go_on.send(()).unwrap();
        uploading.join().unwrap();
        let answer = client.answer().unwrap();
        assert_eq!(answer.body, (PIECE * PIECES).to_string(), "{framing}");
        let grown = site.proxy.peak_bytes().saturating_sub(idle);
        println!("{framing}: stuck after {n_stuck} MiB, {grown} bytes");
        assert!(grown < ENOUGH, "{framing}: {grown}");
    }
}
