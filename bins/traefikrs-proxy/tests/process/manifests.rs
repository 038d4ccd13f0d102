//! From what users write for a cluster to what a client hears.

use std::fmt::Write;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, mpsc};

use tempfile::TempDir;

use crate::balancing::{label, labelled};
use crate::client::field;
use crate::proxy::{DEADLINE, Proxy, await_true};
use crate::servers::server;

/// A proxy that serves these objects, of the namespace `apps`.
struct Cluster {
    proxy: Proxy,
    _directory: TempDir,
}

impl Cluster {
    fn start(objects: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("objects.yml"), objects).unwrap();
        let path = format!(
            "--providers.kubernetesmanifests.path={}",
            directory.path().display()
        );
        let arguments = [&[path.as_str(), "--api.insecure"], arguments].concat();
        let proxy = Proxy::start(&arguments);
        await_true("the routes", || {
            proxy.get("web", "ready.test", "/").status != 404
        });
        Self {
            proxy,
            _directory: directory,
        }
    }

    fn head(&self, host: &str, lines: &str) -> String {
        let mut client = self.proxy.connect("web");
        client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n"));
        client.answer().unwrap().head
    }

    fn status(&self, host: &str) -> u16 {
        self.proxy.get("web", host, "/").status
    }

    /// Who answers requests for this host, one after another.
    fn labels(&self, host: &str, n: usize) -> String {
        let heads = (0..n).map(|_| self.head(host, ""));
        heads.map(|head| label(&head).to_owned()).collect()
    }
}

fn object(kind: &str, name: &str, rest: &str) -> String {
    let version = match kind {
        "Service" | "Node" => "v1",
        "EndpointSlice" => "discovery.k8s.io/v1",
        _ => "traefik.io/v1alpha1",
    };
    format!(
        "---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: apps}}\n{rest}\n"
    )
}

/// A Service on port 80 with pods, and what is said of each.
fn pods(name: &str, pods: &[(SocketAddr, &str)]) -> String {
    let mut text = object("Service", name, "spec: {ports: [{port: 80}]}");
    for (n, (address, conditions)) in pods.iter().enumerate() {
        let slice = object("EndpointSlice", &format!("{name}-{n}"), "").replace(
            "namespace: apps",
            &format!("namespace: apps, labels: {{kubernetes.io/service-name: {name}}}"),
        );
        let (ip, port) = (address.ip(), address.port());
        write!(
            text,
            "{slice}addressType: IPv4\nports: [{{name: \"\", port: {port}}}]\nendpoints: [{{addresses: [\"{ip}\"], conditions: {{{conditions}}}}}]\n"
        )
        .unwrap();
    }
    text
}

/// A route for `NAME.test`, to these services.
fn route(name: &str, services: &str) -> String {
    object(
        "IngressRoute",
        name,
        &format!(
            "spec: {{entryPoints: [web], routes: [{{match: \"Host(`{name}.test`)\", services: [{services}]}}]}}"
        ),
    )
}

/// A route to a TraefikService of this kind.
fn composed(name: &str, spec: &str) -> String {
    route(name, &format!("{{name: {name}, kind: TraefikService}}"))
        + &object("TraefikService", name, &format!("spec: {{{spec}}}"))
}

const READY: &str = "ready: true, serving: true";
const LEAVING: &str = "ready: false, serving: true, terminating: true";

#[test]
fn services_are_chosen_as_objects_say() {
    let [a, b, bad] =
        [("a", 200), ("b", 200), ("x", 500)].map(|(label, status)| labelled(label, status));
    let (copies, copied) = mpsc::channel();
    let copies = Mutex::new(copies);
    let mirror = server(move |mut client| {
        while let Some(head) = client.head() {
            copies.lock().unwrap().send(head).unwrap();
            client.send("HTTP/1.1 200 OK\r\nX-Label: mirror\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let objects = [
        pods("a", &[(a, READY)]),
        pods("b", &[(b, READY)]),
        pods("ab", &[(a, READY), (b, READY)]),
        pods("bad", &[(bad, READY)]),
        pods("bad-and-b", &[(bad, READY), (b, READY)]),
        pods("mirror", &[(mirror, READY)]),
        route("ready", "{name: a, port: 80}"),
        route("weights", "{name: a, port: 80, weight: 3}, {name: b, port: 80}"),
        route(
            "nothing",
            "{name: a, port: 80, weight: 0}, {name: b, port: 80, weight: 0}",
        ),
        // Traefik: one service alone needs no balancer, so its weight is not looked at.
        route("alone", "{name: a, port: 80, weight: 0}"),
        route("p2c", "{name: ab, port: 80, strategy: p2c}"),
        route("leasttime", "{name: ab, port: 80, strategy: leasttime}"),
        route("hrw", "{name: ab, port: 80, strategy: hrw}"),
        route("old", "{name: ab, port: 80, strategy: RoundRobin}"),
        route("unknown", "{name: ab, port: 80, strategy: random}"),
        route(
            "passive",
            "{name: bad-and-b, port: 80, passiveHealthCheck: {failureWindow: 1h, maxFailedAttempts: 2}}",
        ),
        composed(
            "weighted",
            "weighted: {services: [{name: a, port: 80}, {name: b, port: 80, weight: 2}]}",
        ),
        composed(
            "mirrored",
            "mirroring: {name: a, port: 80, mirrors: [{name: mirror, port: 80, percent: 50}]}",
        ),
        composed(
            "failover",
            "failover: {service: {name: bad, port: 80}, fallback: {name: b, port: 80}, errors: {status: [\"500-599\"]}}",
        ),
        composed(
            "hashed",
            "highestRandomWeight: {services: [{name: a, port: 80}, {name: b, port: 80}]}",
        ),
        composed(
            "nested",
            "weighted: {services: [{name: failover, kind: TraefikService}, {name: weighted, kind: TraefikService}]}",
        ),
        composed("circle", "weighted: {services: [{name: circle, kind: TraefikService}]}"),
    ]
    .concat();
    let cluster = Cluster::start(&objects, &[]);
    let count = |labels: &str, label: char| labels.chars().filter(|&other| other == label).count();
    for (host, n, of_a, of_b) in [
        ("weights.test", 12, 9, 3),
        ("weighted.test", 12, 4, 8),
        ("old.test", 12, 6, 6),
        ("failover.test", 4, 0, 4),
        ("nested.test", 12, 2, 10),
    ] {
        let labels = cluster.labels(host, n);
        assert_eq!(
            (count(&labels, 'a'), count(&labels, 'b')),
            (of_a, of_b),
            "{host} {labels}"
        );
    }
    for host in ["p2c.test", "leasttime.test"] {
        let labels = cluster.labels(host, 40);
        assert!(
            labels.contains('a') && labels.contains('b'),
            "{host} {labels}"
        );
    }
    for host in ["hrw.test", "hashed.test"] {
        let labels = cluster.labels(host, 12);
        assert!(
            count(&labels, 'a') == 12 || count(&labels, 'b') == 12,
            "{host} {labels}"
        );
    }
    let labels = cluster.labels("passive.test", 20);
    assert_eq!(
        (count(&labels, 'x'), count(&labels, 'b')),
        (2, 18),
        "{labels}"
    );
    assert_eq!(cluster.labels("mirrored.test", 4), "aaaa");
    for _ in 0..2 {
        let copy = copied.recv_timeout(DEADLINE).unwrap();
        assert!(copy.contains("Host: mirrored.test\r\n"), "{copy}");
    }
    assert!(copied.try_recv().is_err());
    for (host, status) in [
        ("nothing.test", 503),
        ("alone.test", 200),
        ("unknown.test", 404),
        ("circle.test", 404),
    ] {
        assert_eq!(cluster.status(host), status, "{host}");
    }
}

#[test]
fn cookies_are_what_objects_say() {
    let [a, b] = ["a", "b"].map(|label| labelled(label, 200));
    let cookie = "sticky: {cookie: {name: seat, secure: true, httpOnly: true, sameSite: strict, maxAge: 60, path: /p, domain: x.test}}";
    let objects = [
        pods("ab", &[(a, READY), (b, READY)]),
        pods("a", &[(a, READY)]),
        pods("b", &[(b, READY)]),
        pods("leaving", &[(a, LEAVING), (b, READY)]),
        route("ready", &format!("{{name: ab, port: 80, {cookie}}}")),
        route("leaving", "{name: leaving, port: 80, sticky: {cookie: {}}}"),
        route("none", "{name: ab, port: 80, sticky: {}}"),
        composed(
            "outer",
            &format!(
                "weighted: {{services: [{{name: a, port: 80}}, {{name: b, port: 80}}], {cookie}}}"
            ),
        ),
    ]
    .concat();
    let cluster = Cluster::start(&objects, &[]);
    for host in ["ready.test", "outer.test"] {
        let head = cluster.head(host, "");
        let cookie = field(&head, "Set-Cookie").unwrap();
        let (seat, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(
            attributes,
            "Path=/p; Domain=x.test; Max-Age=60; HttpOnly; Secure; SameSite=Strict"
        );
        for _ in 0..4 {
            let again = cluster.head(host, &format!("Cookie: {seat}\r\n"));
            assert_eq!(label(&again), label(&head), "{host}");
        }
    }
    assert_eq!(field(&cluster.head("none.test", ""), "Set-Cookie"), None);
    // A pod that is about to end keeps its clients and gets no others.
    assert_eq!(cluster.labels("leaving.test", 6), "bbbbbb");
    let head = cluster.head("leaving.test", "");
    let (name, _) = field(&head, "Set-Cookie").unwrap().split_once('=').unwrap();
    let seat = format!("Cookie: {name}=http://{a}\r\n");
    assert_eq!(label(&cluster.head("leaving.test", &seat)), "a");
}

#[test]
fn servers_are_found_where_objects_say() {
    let [a, b] = ["a", "b"].map(|label| labelled(label, 200));
    let port = a.port();
    let objects = [
        object(
            "Node",
            "node",
            "status: {addresses: [{type: InternalIP, address: 127.0.0.1}]}",
        ),
        object(
            "Service",
            "native",
            &format!("spec: {{clusterIP: 127.0.0.1, ports: [{{port: {port}}}]}}"),
        ),
        object(
            "Service",
            "node",
            &format!("spec: {{type: NodePort, ports: [{{port: 80, nodePort: {port}}}]}}"),
        ),
        object(
            "Service",
            "external",
            &format!(
                "spec: {{type: ExternalName, externalName: localhost, ports: [{{port: {port}}}]}}"
            ),
        ),
        object(
            "Service",
            "headless",
            "spec: {clusterIP: None, ports: [{port: 80}]}",
        ),
        pods("gone", &[(a, LEAVING), (b, LEAVING)]),
        pods(
            "unready",
            &[(a, "ready: false, serving: false"), (b, READY)],
        ),
        pods("empty", &[]),
        route(
            "ready",
            &format!("{{name: native, port: {port}, nativeLB: true}}"),
        ),
        route("headless", "{name: headless, port: 80, nativeLB: true}"),
        route("node", "{name: node, port: 80, nodePortLB: true}"),
        route("external", &format!("{{name: external, port: {port}}}")),
        route("gone", "{name: gone, port: 80}"),
        route("unready", "{name: unready, port: 80}"),
        route("empty", "{name: empty, port: 80}"),
    ]
    .concat();
    for (arguments, external, empty) in [
        (&[][..], 404, 404),
        (
            &[
                "--providers.kubernetesmanifests.allowexternalnameservices",
                "--providers.kubernetesmanifests.allowemptyservices",
            ],
            200,
            503,
        ),
    ] {
        let cluster = Cluster::start(&objects, arguments);
        assert_eq!(cluster.labels("ready.test", 2), "aa");
        assert_eq!(cluster.labels("node.test", 2), "aa");
        // All are about to end: better those than none.
        assert_eq!(cluster.labels("gone.test", 4), "abab");
        assert_eq!(cluster.labels("unready.test", 2), "bb");
        for (host, status) in [
            ("headless.test", 404),
            ("external.test", external),
            ("empty.test", empty),
        ] {
            assert_eq!(cluster.status(host), status, "{host} {arguments:?}");
        }
    }
}

#[test]
fn the_pods_of_any_service_may_be_asked_whether_they_are_well() {
    let (well, gone) = (labelled("a", 200), {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    });
    let check = "healthCheck: {path: /hc, interval: 1h, timeout: 1s}";
    let objects = [
        pods("pods", &[(well, READY), (gone, READY)]),
        pods("ready", &[(well, READY)]),
        route("ready", "{name: ready, port: 80}"),
        route("checked", &format!("{{name: pods, port: 80, {check}}}")),
    ]
    .concat();
    let cluster = Cluster::start(&objects, &[]);
    assert_eq!(cluster.status("checked.test"), 404);
    let diagnostics = cluster.proxy.said();
    assert!(
        diagnostics.contains("allowServiceHealthChecks"),
        "{diagnostics}"
    );

    let allowed = "--providers.kubernetesmanifests.allowservicehealthchecks";
    let cluster = Cluster::start(&objects, &[allowed]);
    await_true("the check", || {
        cluster.proxy.said().contains("server is down")
    });
    assert_eq!(cluster.labels("checked.test", 6), "aaaaaa");
}

#[test]
fn connections_are_made_as_objects_say() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent
        .local_addr()
        .map(|address| (address, silent))
        .unwrap();
    let a = labelled("a", 200);
    let objects = [
        pods("a", &[(a, READY)]),
        pods("silent", &[(silent.0, READY)]),
        route("ready", "{name: a, port: 80}"),
        route("late", "{name: silent, port: 80, serversTransport: quick}"),
        route("missing", "{name: a, port: 80, serversTransport: missing}"),
        route(
            "closed",
            "{name: a, port: 80, scheme: https, serversTransport: spiffe}",
        ),
        route("clear", "{name: a, port: 80, serversTransport: spiffe}"),
        route(
            "http2",
            "{name: a, port: 80, scheme: h2c, serversTransport: http1}",
        ),
        object(
            "ServersTransport",
            "quick",
            "spec: {forwardingTimeouts: {responseHeaderTimeout: 100ms}}",
        ),
        object("ServersTransport", "http1", "spec: {disableHTTP2: true}"),
        object(
            "ServersTransport",
            "spiffe",
            "spec: {spiffe: {trustDomain: a.test}}",
        ),
    ]
    .concat();
    let cluster = Cluster::start(&objects, &[]);
    for (host, status) in [
        ("late.test", 504),
        ("missing.test", 404),
        ("closed.test", 503),
        ("clear.test", 200),
        ("http2.test", 503),
    ] {
        assert_eq!(cluster.status(host), status, "{host}");
    }
    let said = cluster.proxy.said();
    assert!(
        said.contains("SPIFFE identities are not served yet"),
        "{said}"
    );
}
