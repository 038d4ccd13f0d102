//! Changes of the configuration under load.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::Site;
use crate::backend::Backend;
use crate::proxy::await_true;

const CHANGES: usize = 200;
const CLIENTS: usize = 4;

/// A hundred routes that stay and one that is another each time.
fn routes(version: usize, backend: &Backend) -> String {
    let server = backend.address;
    let stay =
        (0..100).map(|n| format!("    r{n}:\n      rule: Host(`h{n}.test`)\n      service: s\n"));
    format!(
        "http:\n  services:\n    s:\n      loadBalancer:\n        servers:\n        - url: http://{server}\n  routers:\n    changing:\n      rule: Host(`v{version}.test`)\n      service: s\n{}",
        stay.collect::<String>()
    )
}

/// Ends the clients, whatever becomes of the test.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn changes_under_load_fail_no_request_and_keep_no_memory() {
    let backend = Backend::start("one");
    let site = Site::start(&routes(0, &backend), &[]);
    await_true("the routes", || site.status("h7.test") == 200);

    let is_over = AtomicBool::new(false);
    let ask = || {
        let mut client = site.proxy.connect("web");
        let mut asked = 0_usize;
        while !is_over.load(Ordering::Relaxed) {
            client.send("GET / HTTP/1.1\r\nHost: h7.test\r\n\r\n");
            let answer = client.answer();
            let status = answer.as_ref().map(|answer| answer.status);
            assert_eq!(status, Some(200), "request {asked}: {answer:?}");
            asked += 1;
        }
        asked
    };
    let mut resident = Vec::new();
    let asked = thread::scope(|scope| {
        let clients = [(); CLIENTS].map(|()| scope.spawn(ask));
        let stop = Stop(&is_over);
        for version in 1..=CHANGES {
            site.replace(&routes(version, &backend));
            await_true("the change", || {
                site.status(&format!("v{version}.test")) == 200
            });
            resident.push(site.proxy.resident_bytes());
        }
        drop(stop);
        let asked = clients.map(|client| client.join().unwrap());
        asked.into_iter().sum::<usize>()
    });

    let quarter = CHANGES / 4;
    let [third, last] = [2, 3].map(|number| median(&resident[number * quarter..][..quarter]));
    let grown = last.saturating_sub(third);
    println!("{asked} requests during {CHANGES} changes; {grown} bytes more in the last quarter");
    // A route that was kept of each change would be more.
    assert!(grown < 512 << 10, "{grown}: {resident:?}");
}

fn median(values: &[usize]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}
