//! Requests that two parties could read differently: `testdata/smuggling.toml`.
//!
//! Whatever the client sends, what reaches the server is well-framed requests, those that the table says. The
//! [strict reader](crate::strict) sees to that.

use serde::Deserialize;

use crate::Site;
use crate::http2::{Http2, Outcome};
use crate::proxy::Proxy;
use crate::strict::{Fault, Strict};

/// Keeps short what waits for more, but longer than a server is given to say that it wants a body.
const ARGUMENTS: &[&str] = &["--entrypoints.web.transport.respondingtimeouts.readtimeout=2s"];

/// Asked behind the first answer, so that it is seen how the connection goes on.
const AFTER: &str = "GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    http1: Vec<Http1Probe>,
    http2: Vec<Http2Probe>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Http1Probe {
    name: String,
    /// Each character is a byte.
    send: String,
    /// The statuses on the connection; `/after` is asked behind the first.
    answers: Vec<u16>,
    /// What the server sees.
    server: Vec<String>,
    traefik: Option<Difference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Http2Probe {
    name: String,
    fields: Vec<(String, String)>,
    body: Option<String>,
    /// The status; none if the stream is reset or the connection ended.
    answers: Vec<u16>,
    server: Vec<String>,
    traefik: Option<Difference>,
}

/// What the real Traefik does instead, and why that is not done here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    answers: Option<Vec<u16>>,
    server: Option<Vec<String>>,
    why: String,
}

fn table() -> Table {
    toml::from_str(include_str!("../../testdata/smuggling.toml")).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|char| u8::try_from(u32::from(char)).unwrap())
        .collect()
}

impl Http1Probe {
    fn ask(&self, proxy: &Proxy) -> Vec<u16> {
        let mut client = proxy.connect("web");
        client.send(bytes(&self.send));
        let first = client.answer().map(|answer| answer.status);
        client.send(AFTER);
        let more = std::iter::from_fn(|| client.answer()).map(|answer| answer.status);
        first.into_iter().chain(more).collect()
    }
}

impl Http2Probe {
    fn ask(&self, proxy: &Proxy) -> Vec<u16> {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut connection = Http2::connect(proxy.address("web"));
        connection.request(1, &fields, self.body.as_deref());
        match connection.outcome(1) {
            Outcome::Status(status) => vec![status],
            Outcome::Reset(_) | Outcome::Ended => Vec::new(),
        }
    }
}

/// One thing to try, in either version.
trait Probe {
    fn name(&self) -> String;
    fn ask(&self, proxy: &Proxy) -> Vec<u16>;
    fn expected(&self) -> (&[u16], &[String]);
    fn traefik(&self) -> Option<&Difference>;
}

/// Asks everything, and tells what does not come out as the table says.
fn differences(
    probes: &[&dyn Probe],
    proxy: &Proxy,
    server: &Strict,
    is_traefik: bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for probe in probes {
        let (mut answers, mut seen) = probe.expected();
        if let Some(difference) = probe.traefik().filter(|_| is_traefik) {
            answers = difference.answers.as_deref().unwrap_or(answers);
            seen = difference.server.as_deref().unwrap_or(seen);
        }
        let heard = probe.ask(proxy);
        let requests = server.take(seen.len());
        // Of a request that is broken off, no server makes anything.
        let over = requests
            .iter()
            .filter(|request| request.fault != Some(Fault::BrokenOff));
        let own = server.address.to_string();
        let shown: Vec<String> = over
            .map(|request| request.to_string().replace(&own, "server"))
            .collect();
        // Whether Traefik passes on and answers before it notices that a stream is malformed is a matter of time.
        let is_heard = heard == answers
            || is_traefik && answers.is_empty() && probe.name().starts_with("HTTP/2");
        let is_seen = if is_traefik {
            let mut shown = shown.iter();
            seen.iter().all(|line| shown.any(|shown| shown == line))
        } else {
            shown == seen
        };
        if !is_heard || !is_seen {
            wrong.push(format!(
                "{}: answers = {heard:?} server = {shown:?}",
                probe.name()
            ));
        }
        let fault = requests
            .iter()
            .find(|request| matches!(request.fault, Some(Fault::Malformed(_))));
        assert!(is_traefik || fault.is_none(), "{}: {shown:?}", probe.name());
    }
    wrong
}

#[test]
fn what_reaches_a_server_can_be_read_in_one_way_only() {
    let table = table();
    let probes = table.probes();
    let server = Strict::start();
    let site = Site::before(server.address, ARGUMENTS);
    let wrong = differences(&probes, &site.proxy, &server, false);
    println!("{} probes", probes.len());
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        !site.proxy.said().contains("panicked"),
        "{}",
        site.proxy.said()
    );
}

#[test]
fn what_is_said_of_traefik_is_so() {
    let table = table();
    let probes = table.probes();
    for difference in probes.iter().filter_map(|probe| probe.traefik()) {
        assert!(!difference.why.is_empty());
    }
    let server = Strict::start();
    let Some(site) = Site::of_traefik_before(server.address, ARGUMENTS) else {
        return;
    };
    let wrong = differences(&probes, &site.proxy, &server, true);
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

impl Table {
    fn probes(&self) -> Vec<&dyn Probe> {
        let http1 = self.http1.iter().map(|probe| probe as &dyn Probe);
        let http2 = self.http2.iter().map(|probe| probe as &dyn Probe);
        http1.chain(http2).collect()
    }
}

impl Probe for Http1Probe {
    fn name(&self) -> String {
        format!("HTTP/1, {}", self.name)
    }

    fn ask(&self, proxy: &Proxy) -> Vec<u16> {
        self.ask(proxy)
    }

    fn expected(&self) -> (&[u16], &[String]) {
        (&self.answers, &self.server)
    }

    fn traefik(&self) -> Option<&Difference> {
        self.traefik.as_ref()
    }
}

impl Probe for Http2Probe {
    fn name(&self) -> String {
        format!("HTTP/2, {}", self.name)
    }

    fn ask(&self, proxy: &Proxy) -> Vec<u16> {
        self.ask(proxy)
    }

    fn expected(&self) -> (&[u16], &[String]) {
        (&self.answers, &self.server)
    }

    fn traefik(&self) -> Option<&Difference> {
        self.traefik.as_ref()
    }
}
