//! A proxy process with its entry points on free ports.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use crate::read_all;

/// Long enough for a busy machine; only a failure waits so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Proxy {
    process: Child,
    addresses: HashMap<String, SocketAddr>,
}

impl Proxy {
    /// Starts the proxy with the entry points `web` and `traefik` and waits until both listen.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_traefikrs-proxy"))
            .args([
                "--entrypoints.web.address=127.0.0.1:0",
                "--entrypoints.traefik.address=127.0.0.1:0",
                "--log.level=INFO",
                "--log.nocolor",
            ])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut addresses = HashMap::new();
        while addresses.len() < 2 {
            let line = log.next().expect("the proxy ended").unwrap();
            if let Some((_, rest)) = line.split_once("entry point ") {
                let (name, rest) = rest.split_once(" listens address=").unwrap();
                addresses.insert(name.to_owned(), rest.trim().parse().unwrap());
            }
        }
        // A full pipe would stop the proxy.
        thread::spawn(move || log.for_each(drop));
        Self { process, addresses }
    }

    pub(crate) fn address(&self, entry_point: &str) -> SocketAddr {
        self.addresses[entry_point]
    }

    pub(crate) fn connect(&self, entry_point: &str) -> TcpStream {
        let stream = TcpStream::connect(self.address(entry_point)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// The whole answer to a GET.
    pub(crate) fn get(&self, entry_point: &str, host: &str, path: &str) -> String {
        let mut stream = self.connect(entry_point);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        read_all(stream)
    }

    pub(crate) fn resident_bytes(&self) -> usize {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<usize>()
            .unwrap()
            * 1024
    }

    pub(crate) fn terminate(&self) {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The answer on a connection that stays open: its head, and the body by its length.
pub(crate) fn answer_to(stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\n") {
        match reader.read_line(&mut answer) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    answer
}

/// Asks until it is so; says how long that took.
pub(crate) fn await_true(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "{what} did not come");
        thread::yield_now();
    }
    start.elapsed()
}
