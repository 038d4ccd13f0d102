//! One proxy with servers of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::answers::Then;
use super::backend::{self, Backend, Means, Protocol, Temper};
use super::client;
use super::configuration::Configuration;
use super::ledger::{Ledger, Seen};
use super::sticky::Values;

/// Each side has a loopback address, so that both can use the same ports: whatever carries an address
/// is of the same length, and differs in one known text.
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
/// Of servers that both sides ask, so that their URLs are the same for whatever is computed from them.
const SHARED_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
/// Stands for either address in what is compared.
const ADDRESS: &str = "127.0.0.N";

const BACKENDS: &[Backend] = &[
    Backend::obliging("a", Protocol::Http1),
    Backend::obliging("b", Protocol::Http1),
    Backend::obliging("c", Protocol::Http1),
    Backend::obliging("d", Protocol::Http1),
    Backend::obliging("heavy", Protocol::Http1),
    Backend::obliging("light", Protocol::Http1),
    Backend::obliging("deep", Protocol::Http1),
    Backend::obliging("alpha", Protocol::Http1),
    Backend::obliging("beta", Protocol::Http1),
    Backend::obliging("gamma", Protocol::Http1),
    Backend::obliging("h2c", Protocol::H2c),
    Backend::obliging("secure", Protocol::Tls(&["h2", "http/1.1"])),
    Backend::obliging("secure-old", Protocol::Tls(&["http/1.1"])),
    Backend::obliging("secure-mute", Protocol::Tls(&[])),
    Backend::http1("closing", Temper::Closing),
    Backend::http1("silent", Temper::Silent),
    Backend::http1("ready", Temper::Ready),
    Backend::http1("sick", Temper::Sick),
    Backend::http1("deaf", Temper::Deaf),
    Backend::http1(
        "plain",
        Temper::Curt(b"HTTP/1.1 400 Bad Request\r\n\r\n", Then::Close),
    ),
    // TLS: a fatal alert, handshake_failure.
    Backend::http1(
        "alarmed",
        Temper::Curt(b"\x15\x03\x03\x00\x02\x02\x28", Then::Close),
    ),
    Backend::http1("leaving", Temper::Curt(b"", Then::Close)),
    Backend::http1("resetting", Temper::Curt(b"", Then::Reset)),
    Backend::http1(
        "babbling",
        Temper::Curt(b"\0\x01\x02 no protocol at all\r\n\r\n", Then::Close),
    ),
];

const SHARED_BACKENDS: &[Backend] = &[
    Backend::obliging("north", Protocol::Http1),
    Backend::obliging("south", Protocol::Http1),
    Backend::obliging("west", Protocol::Http1),
];

/// The servers of one side, and what reached them.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) name: &'static str,
    binary: PathBuf,
    address: Ipv4Addr,
    /// `host:port` by backend, plus `dead`, where nobody listens.
    addresses: BTreeMap<&'static str, String>,
    pub(super) ledger: Arc<Ledger>,
    /// What reached the servers that both sides ask.
    shared: Arc<Ledger>,
    pub(super) cookies: Values,
}

/// A running proxy; it ends with the value.
#[derive(Debug)]
pub(super) struct Proxy {
    process: Child,
    pub(super) address: SocketAddr,
}

/// Starts the servers of both sides.
pub(super) fn sides(
    names: [&'static str; 2],
    binaries: [PathBuf; 2],
    means: &Arc<Means>,
) -> anyhow::Result<[Side; 2]> {
    let [first, second] = binaries;
    let shared: Arc<Ledger> = Arc::default();
    let mut sides = [
        (names[0], first, ADDRESSES[0]),
        (names[1], second, ADDRESSES[1]),
    ]
    .map(|(name, binary, address)| Side {
        name,
        binary,
        address,
        addresses: BTreeMap::new(),
        ledger: Arc::default(),
        shared: Arc::clone(&shared),
        cookies: Values::new(&BTreeMap::new()),
    });
    for backend in BACKENDS {
        for (side, listener) in sides.iter_mut().zip(backend::twins(ADDRESSES)?) {
            side.addresses
                .insert(backend.name, listener.local_addr()?.to_string());
            backend.start(listener, &side.ledger, means)?;
        }
    }
    for backend in SHARED_BACKENDS {
        let listener = TcpListener::bind((SHARED_ADDRESS, 0))
            .with_context(|| format!("cannot listen on {SHARED_ADDRESS}"))?;
        for side in &mut sides {
            side.addresses
                .insert(backend.name, listener.local_addr()?.to_string());
        }
        backend.start(listener, &shared, means)?;
    }
    for (side, listener) in sides.iter_mut().zip(backend::twins(ADDRESSES)?) {
        side.addresses
            .insert("dead", listener.local_addr()?.to_string());
        side.cookies = Values::new(&side.addresses);
    }
    Ok(sides)
}

/// The texts in which the sides differ by nature.
pub(super) fn texts_alike(sides: &[Side; 2]) -> Vec<(String, String)> {
    let addresses = ADDRESSES
        .iter()
        .map(|address| (address.to_string(), ADDRESS.to_owned()));
    let cookies = sides.iter().flat_map(|side| side.cookies.alike());
    addresses.chain(cookies).collect()
}

/// Starts both proxies on one port and awaits that they serve.
pub(super) fn start(
    sides: &[Side; 2],
    configuration: &Configuration,
    directory: &Path,
) -> anyhow::Result<[Proxy; 2]> {
    // Where the ports go between the look and the start, another try helps.
    let mut failure = None;
    for _ in 0..3 {
        match try_start(sides, configuration, directory) {
            Ok(proxies) => return Ok(proxies),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.context("never tried")?)
}

fn try_start(
    sides: &[Side; 2],
    configuration: &Configuration,
    directory: &Path,
) -> anyhow::Result<[Proxy; 2]> {
    let port = backend::twins(ADDRESSES)?[0].local_addr()?.port();
    let mut first = sides[0].start(configuration, port, directory)?;
    let mut second = sides[1].start(configuration, port, directory)?;
    for (side, proxy) in sides.iter().zip([&mut first, &mut second]) {
        proxy.await_ready().with_context(|| {
            format!(
                "{} with `{}`, see {}",
                side.name,
                configuration.name,
                side.log(configuration, directory).display()
            )
        })?;
    }
    Ok([first, second])
}

impl Side {
    /// Everything that servers saw under the tokens, once it is complete or `patience` has run out.
    pub(super) fn take(&self, tokens: &[&str], patience: Duration) -> Vec<Vec<Seen>> {
        let mut seen = self.ledger.take(tokens, patience);
        for (own, shared) in seen.iter_mut().zip(self.shared.take(tokens, patience)) {
            own.extend(shared);
        }
        seen
    }

    /// Forgets what belongs to no conversation.
    pub(super) fn forget(&self) {
        for ledger in [&self.ledger, &self.shared] {
            ledger.take_strays();
            ledger.take_counts();
        }
    }

    fn start(
        &self,
        configuration: &Configuration,
        port: u16,
        directory: &Path,
    ) -> anyhow::Result<Proxy> {
        let address = SocketAddr::from((self.address, port));
        let mut addresses = self.addresses.clone();
        addresses.insert("listen", address.to_string());
        let own = directory.join(&configuration.name).join(self.name);
        let roots = directory.join("roots.pem").display().to_string();
        addresses.insert("roots", roots);
        let file = configuration.write(&own, &addresses)?;
        let path = self.log(configuration, directory);
        let log = File::create(&path).with_context(|| path.display().to_string())?;
        let process = Command::new(&self.binary)
            .arg(format!("--configFile={}", file.display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        Ok(Proxy { process, address })
    }

    fn log(&self, configuration: &Configuration, directory: &Path) -> PathBuf {
        directory
            .join(&configuration.name)
            .join(self.name)
            .join("log")
    }
}

impl Proxy {
    fn await_ready(&mut self) -> anyhow::Result<()> {
        for _ in 0..200 {
            if let Some(status) = self.process.try_wait()? {
                bail!("it ended: {status}");
            }
            if client::is_ready(self.address) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("it does not serve")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}
