//! Many connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Site;
use crate::client::Client;
use crate::strict::Strict;

const WANTED: usize = 10_000;

/// What else the process of the tests has open.
const OTHERS: usize = 1_000;

/// Lets this process, and those it starts, have as many files open as the system allows; says how many.
fn raise_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, most).unwrap();
    limit
        .maximum
        .map_or(usize::MAX, |maximum| usize::try_from(maximum).unwrap())
}

#[test]
fn ten_thousand_idle_connections_are_kept_at_little_cost() {
    const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let allowed = raise_descriptors();
    let n_clients = WANTED.min(allowed.saturating_sub(OTHERS));
    if n_clients < WANTED {
        println!(
            "ONLY {n_clients} connections instead of {WANTED}: the system allows {allowed} open files"
        );
        assert!(
            std::env::var_os("CI").is_none(),
            "CI needs a hard limit of {} open files",
            WANTED + OTHERS
        );
    }
    let server = Strict::start();
    let site = Site::before(server.address, &[]);
    assert_eq!(site.status("x"), 200);

    let before = site.proxy.resident_bytes();
    let mut clients: Vec<Client> = (0..n_clients).map(|_| site.connect()).collect();
    // The last one in is served when all are.
    clients[n_clients - 1].send(GET);
    assert_eq!(clients[n_clients - 1].answer().unwrap().status, 200);
    let silent = site.proxy.resident_bytes().saturating_sub(before) / n_clients;
    for client in &mut clients {
        client.send(GET);
        assert_eq!(client.answer().unwrap().status, 200);
    }
    let idle = site.proxy.resident_bytes().saturating_sub(before) / n_clients;
    println!(
        "{n_clients} connections: {silent} bytes each before the first request, {idle} after it"
    );
    assert!(silent < 8 << 10, "{silent}");
    assert!(idle < 12 << 10, "{idle}");

    for at in [0, n_clients / 2, n_clients - 1] {
        clients[at].send(GET);
        assert_eq!(clients[at].answer().unwrap().status, 200, "{at}");
    }
}
