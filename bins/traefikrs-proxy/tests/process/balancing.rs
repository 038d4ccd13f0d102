//! Whose turn it is, beside Traefik and over changes of the configuration.

use std::fs;
use std::net::SocketAddr;

use crate::Site;
use crate::client::field;
use crate::proxy::{Proxy, await_true};
use crate::servers::server;

const READY: &str =
    "http:\n  routers:\n    ready: {rule: \"Host(`ready.test`)\", service: noop@internal}\n";

/// A server that says who it is, with this status.
pub(crate) fn labelled(label: &'static str, status: u16) -> SocketAddr {
    server(move |mut client| {
        while client.head().is_some() {
            client.send(format!(
                "HTTP/1.1 {status} X\r\nX-Label: {label}\r\nContent-Length: 0\r\n\r\n"
            ));
        }
    })
}

fn router(name: &str, service: &str) -> String {
    format!("    {name}: {{rule: \"Host(`{name}.test`)\", service: {service}}}\n")
}

fn servers(servers: impl IntoIterator<Item = (SocketAddr, usize)>) -> String {
    let servers: Vec<_> = servers
        .into_iter()
        .map(|(address, weight)| format!("{{url: \"http://{address}\", weight: {weight}}}"))
        .collect();
    format!("servers: [{}]", servers.join(", "))
}

impl Site {
    /// Ours, and the real Traefik's where it is installed.
    fn pair(routes: &str) -> Option<[Self; 2]> {
        let traefik = Self::with(routes, &[], Proxy::start_traefik)?;
        Some([Self::start(routes, &[]).ready(), traefik.ready()])
    }

    /// The head of the answer to a request for this host, with more header lines.
    fn head(&self, host: &str, lines: &str) -> String {
        let mut client = self.connect();
        client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n"));
        client.answer().unwrap().head
    }

    /// Who answers requests for this host, one after another.
    fn labels(&self, host: &str, n: usize) -> String {
        let heads = (0..n).map(|_| self.head(host, ""));
        heads.map(|head| label(&head).to_owned()).collect()
    }
}

pub(crate) fn label(head: &str) -> &str {
    field(head, "X-Label").unwrap_or("-")
}

#[test]
fn turns_come_in_traefiks_order() {
    let weighted: Vec<_> = [("a", 5), ("b", 3), ("c", 2)]
        .map(|(label, weight)| (labelled(label, 200), weight))
        .into();
    // Traefik shuffles the servers, so its order is that of one of ours.
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let names: Vec<_> = orders.map(|[a, b, c]| format!("o{a}{b}{c}")).into();
    let mut text = READY.to_owned();
    text.extend(names.iter().map(|name| router(name, name)));
    text += "  services:\n";
    for (name, order) in names.iter().zip(orders) {
        let servers = servers(order.map(|server| weighted[server]));
        text += &format!("    {name}: {{loadBalancer: {{{servers}}}}}\n");
    }
    let Some([ours, traefik]) = Site::pair(&text) else {
        return;
    };
    let expected = traefik.labels("o012.test", 40);
    let sequences: Vec<_> = names
        .iter()
        .map(|name| ours.labels(&format!("{name}.test"), 40))
        .collect();
    assert!(sequences.contains(&expected), "{expected} {sequences:?}");
}

#[test]
fn a_cookie_of_one_leads_to_the_same_server_by_the_other() {
    let addresses = ["a", "b", "c"].map(|label| labelled(label, 200));
    let mut text = READY.to_owned();
    text += &router("servers", "servers");
    text += &router("services", "services");
    text += "  services:\n";
    text += &format!(
        "    servers: {{loadBalancer: {{{}, sticky: {{cookie: {{secure: true, sameSite: Lax, maxAge: 60}}}}}}}}\n",
        servers(addresses.map(|address| (address, 1)))
    );
    for (name, address) in ["a", "b", "c"].into_iter().zip(addresses) {
        text += &format!(
            "    {name}: {{loadBalancer: {{{}}}}}\n",
            servers([(address, 1)])
        );
    }
    text += "    services: {weighted: {services: [{name: a}, {name: b, weight: 2}, {name: c@file}], sticky: {cookie: {name: \"my seat\"}}}}\n";
    let Some(sites) = Site::pair(&text) else {
        return;
    };
    for host in ["servers.test", "services.test"] {
        let mut issued = sites.each_ref().map(|site| {
            let heads = (0..8).map(|_| site.head(host, ""));
            let cookies = heads.map(|head| {
                let cookie = field(&head, "Set-Cookie").unwrap().to_owned();
                (label(&head).to_owned(), cookie)
            });
            cookies.collect::<Vec<_>>()
        });
        for (from, to) in [(0, 1), (1, 0)] {
            for (label_before, cookie) in &issued[from] {
                let (pair, _) = cookie.split_once(';').unwrap();
                let head = sites[to].head(host, &format!("Cookie: {pair}\r\n"));
                assert_eq!(label(&head), label_before, "{host} {cookie}");
                assert_eq!(field(&head, "Set-Cookie"), None, "{host} {cookie}");
            }
        }
        for cookies in &mut issued {
            cookies.sort_unstable();
            cookies.dedup();
        }
        assert_eq!(issued[0], issued[1]);
        assert_eq!(issued[0].len(), 3);
    }
}

#[test]
fn a_server_that_was_taken_out_stays_out_over_changes() {
    let (good, bad) = (labelled("good", 200), labelled("bad", 500));
    let other = labelled("other", 200);
    let text = |routers: &str, all: &[SocketAddr]| {
        let servers = servers(all.iter().map(|&address| (address, 1)));
        let check = "passiveHealthCheck: {failureWindow: 1h, maxFailedAttempts: 1}";
        READY.to_owned()
            + &router("a", "a")
            + routers
            + &format!("  services:\n    a: {{loadBalancer: {{{servers}, {check}}}}}\n")
    };
    let site = Site::start(&text("", &[good, bad]), &[]).ready();
    await_true("the failure", || site.labels("a.test", 1) == "bad");
    assert_eq!(site.labels("a.test", 10), "good".repeat(10));

    // Something else changes.
    fs::write(&site.file, text(&router("b", "a"), &[good, bad])).unwrap();
    await_true("the change", || site.status("b.test") == 200);
    assert_eq!(site.labels("a.test", 10), "good".repeat(10));

    // The service itself changes.
    fs::write(&site.file, text("", &[other, bad, good])).unwrap();
    await_true("the change", || site.labels("a.test", 1) == "other");
    assert!(!site.labels("a.test", 20).contains("bad"));
}
