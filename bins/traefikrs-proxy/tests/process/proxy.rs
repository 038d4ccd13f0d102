//! A proxy process with its entry points on free ports.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::{Answer, Client};

/// Long enough for a busy machine; only a failure waits so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Asking all the time would take the processor from whom one waits for.
pub(crate) const PAUSE: Duration = Duration::from_millis(2);

pub(crate) struct Proxy {
    process: Child,
    addresses: HashMap<String, SocketAddr>,
    log: Log,
}

/// What a process has said so far, on both of its outputs.
#[derive(Clone, Default)]
struct Log {
    text: Arc<Mutex<String>>,
    is_closed: Arc<AtomicBool>,
}

impl Proxy {
    /// Starts the proxy with the entry points `web` and `traefik` and waits until both listen.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_traefikrs-proxy"));
        Self::start_as(command, arguments)
    }

    /// Starts it so that it can have no more than so many files and connections open.
    pub(crate) fn start_with_descriptors(limit: u32, arguments: &[&str]) -> Self {
        Self::start_as(limited("-n", limit), arguments)
    }

    /// Starts it with a limit of open files that it may raise.
    pub(crate) fn start_with_soft_limit(limit: u32) -> Self {
        Self::start_as(limited("-S -n", limit), &[])
    }

    fn start_as(mut command: Command, arguments: &[&str]) -> Self {
        command.args([
            "--entrypoints.web.address=127.0.0.1:0",
            "--entrypoints.traefik.address=127.0.0.1:0",
            "--log.level=INFO",
            "--log.nocolor",
        ]);
        let mut proxy = Self::spawn(command.args(arguments));
        await_true("the listeners", || {
            assert!(
                proxy.process.try_wait().unwrap().is_none(),
                "{}",
                proxy.said()
            );
            proxy.addresses = listening(&proxy.said());
            proxy.addresses.contains_key("web") && proxy.addresses.contains_key("traefik")
        });
        proxy
    }

    /// Starts the real Traefik in the same way; `None`, and a word about it, where it is not installed.
    pub(crate) fn start_traefik(arguments: &[&str]) -> Option<Self> {
        let Some(binary) = traefik() else {
            assert!(std::env::var_os("CI").is_none(), "CI compares with Traefik");
            println!("SKIPPED: Traefik 3.7.15 is neither TRAEFIK_BIN nor on the PATH");
            return None;
        };
        // It cannot tell what port 0 became, and another process may be faster.
        for _ in 0..10 {
            let addresses = HashMap::from(["web", "traefik"].map(|name| (name.to_owned(), free())));
            let mut command = Command::new(&binary);
            for (name, address) in &addresses {
                command.arg(format!("--entrypoints.{name}.address={address}"));
            }
            let mut proxy = Self::spawn(command.args(arguments));
            let start = Instant::now();
            while proxy.process.try_wait().unwrap().is_none() && start.elapsed() < DEADLINE {
                if addresses
                    .values()
                    .all(|address| TcpStream::connect(address).is_ok())
                {
                    proxy.addresses = addresses;
                    return Some(proxy);
                }
                thread::yield_now();
            }
        }
        panic!("Traefik does not start");
    }

    fn spawn(command: &mut Command) -> Self {
        let (output, input) = io::pipe().unwrap();
        command.stdout(input.try_clone().unwrap()).stderr(input);
        let process = command.spawn().unwrap();
        // The only ends left for writing are those of the process.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let log = Log::default();
        log.follow(output);
        Self {
            process,
            addresses: HashMap::new(),
            log,
        }
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        self.log.text.lock().unwrap().clone()
    }

    /// Closes the pipe that both of its outputs go to, behind the next line.
    pub(crate) fn stop_listening(&self) {
        self.log.is_closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn address(&self, entry_point: &str) -> SocketAddr {
        self.addresses[entry_point]
    }

    pub(crate) fn connect(&self, entry_point: &str) -> Client {
        Client::connect(self.address(entry_point))
    }

    /// The answer to a GET on a connection of its own.
    pub(crate) fn get(&self, entry_point: &str, host: &str, path: &str) -> Answer {
        let mut client = self.connect(entry_point);
        client.send(format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ));
        client.answer().unwrap()
    }

    pub(crate) fn resident_bytes(&self) -> usize {
        self.resident("VmRSS:")
    }

    /// The most it ever was.
    pub(crate) fn peak_bytes(&self) -> usize {
        self.resident("VmHWM:")
    }

    fn resident(&self, what: &str) -> usize {
        let status = self.of_process("status");
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }

    /// The processor time it has used.
    pub(crate) fn busy(&self) -> Duration {
        // `proc(5)`: the fields behind the name in parentheses; Linux counts 100 ticks a second for users.
        const TICK: Duration = Duration::from_millis(10);
        let stat = self.of_process("stat");
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<u32>().unwrap();
        TICK * (ticks(11) + ticks(12))
    }

    /// A file of the kernel's about it.
    pub(crate) fn of_process(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let killed = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(killed.success());
    }

    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        await_true("the end of the process", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

/// The proxy under a limit of open files.
fn limited(which: &str, limit: u32) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit {which} {limit} && exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_traefikrs-proxy"));
    command
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Log {
    fn follow(&self, output: impl Read + Send + 'static) {
        let Self { text, is_closed } = self.clone();
        // A full pipe would stop the process.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let mut text = text.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                if is_closed.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
    }
}

fn listening(log: &str) -> HashMap<String, SocketAddr> {
    log.lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once("entry point ")?;
            let (name, rest) = rest.split_once(" listens address=")?;
            Some((name.to_owned(), rest.trim().parse().ok()?))
        })
        .collect()
}

/// The binary of Traefik 3.7.15.
fn traefik() -> Option<PathBuf> {
    let named = std::env::var_os("TRAEFIK_BIN").map(PathBuf::from);
    let binary = named.unwrap_or_else(|| "traefik".into());
    is_the_oracle(&binary).then_some(binary)
}

fn is_the_oracle(binary: &Path) -> bool {
    let version = Command::new(binary).arg("version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("3.7.15"))
}

/// An address that nobody listens on now.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Asks until it is so; says how long that took.
pub(crate) fn await_true(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "{what} did not come");
        thread::sleep(PAUSE);
    }
    start.elapsed()
}
