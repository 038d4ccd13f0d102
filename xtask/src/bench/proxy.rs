//! Processes under measurement: the backend, and a proxy from start to stop.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use super::backend;
use super::clock::now;
use super::machine::{Machine, pinned, workspace};
use super::peer::Installed;
use super::scenario::Scenario;
use super::site::Site;
use super::usage::{Cpu, Tree};

/// Below `/app/`, where the routes lead.
pub(super) const SMALL: &str = "/app/small";

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(2);
/// What every proxy tells the backend.
const FORWARDED: [&str; 6] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
];

/// The server behind all proxies.
#[derive(Debug)]
pub(super) struct Backend {
    process: Process,
    pub(super) address: SocketAddr,
}

impl Backend {
    pub(super) fn start(machine: &Machine) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = pinned(machine.backend_core, program);
        command.args(["bench", backend::TASK, &address.to_string()]);
        let process = Process::start(command)?;
        let ready = until(|| TcpStream::connect(address).is_ok());
        ready.context("the backend does not answer")?;
        Ok(Self { process, address })
    }

    pub(super) fn tree(&self) -> Tree {
        self.process.tree()
    }
}

/// A running proxy.
#[derive(Debug)]
pub(super) struct Proxy<'a> {
    pub(super) installed: &'a Installed,
    pub(super) site: Site,
    process: Process,
    /// From the start of the process until the last route answered.
    pub(super) live_after: Duration,
    pub(super) cpu_to_live: Cpu,
}

impl<'a> Proxy<'a> {
    pub(super) fn start(
        installed: &'a Installed,
        scenario: &Scenario,
        hosts: Vec<String>,
        backend: &Backend,
        machine: &Machine,
    ) -> anyhow::Result<Self> {
        let peer = installed.peer;
        let directory = workspace()
            .join("target/bench")
            .join(scenario.name)
            .join(peer.name);
        let site = Site {
            directory,
            port: free_port()?,
            backend: backend.address,
            hosts,
            files: scenario.files,
        };
        site.write_files(peer)
            .context("cannot write the configuration")?;
        let log =
            File::create(site.directory.join("output.log")).context("cannot create a log file")?;
        let mut command = pinned(machine.proxy_core, &installed.program);
        command
            .args(peer.arguments.iter().map(|argument| site.fill(argument)))
            .envs(peer.environment.iter().copied())
            .stdout(log.try_clone().context("cannot share the log file")?)
            .stderr(log);
        let began = now();
        let process = Process::start(command)?;
        let mut proxy = Self {
            installed,
            site,
            process,
            live_after: Duration::ZERO,
            cpu_to_live: Cpu::default(),
        };
        let last = proxy.site.hosts.last().cloned().unwrap_or_default();
        proxy.await_live(&last)?;
        proxy.live_after = now() - began;
        proxy.cpu_to_live = proxy.tree().cpu();
        proxy.check_headers(&last)?;
        Ok(proxy)
    }

    pub(super) fn name(&self) -> &'static str {
        self.installed.peer.name
    }

    pub(super) fn tree(&self) -> Tree {
        self.process.tree()
    }

    /// Waits until requests to that host reach the backend; tells how often it asked.
    pub(super) fn await_live(&mut self, host: &str) -> anyhow::Result<u32> {
        let port = self.site.port;
        let process = &mut self.process.0;
        let mut ended = None;
        let mut asked = 0;
        let live = until(|| {
            asked += 1;
            ended = process.try_wait().ok().flatten();
            ended.is_some() || matches!(ask(port, host, SMALL), Ok(answer) if answer.status == 200)
        });
        let log = self.site.directory.join("output.log");
        if let Some(status) = ended {
            bail!("{} ended ({status}), see {}", self.name(), log.display());
        }
        live.with_context(|| {
            format!(
                "{} does not serve {host}, see {}",
                self.name(),
                log.display()
            )
        })?;
        Ok(asked)
    }

    /// Publishes other routes in this proxy's own way.
    pub(super) fn change(&mut self, hosts: Vec<String>) -> anyhow::Result<()> {
        self.site.hosts = hosts;
        self.site
            .write_routes(self.installed.peer)
            .context("cannot write the routes")?;
        match self.installed.peer.reload {
            Some(signal) => send(signal, &[self.process.0.id()]),
            None => Ok(()),
        }
    }

    fn check_headers(&self, host: &str) -> anyhow::Result<()> {
        let head = ask(self.site.port, host, backend::HEAD)?.body;
        let seen = backend::headers_seen(&head);
        for name in FORWARDED {
            if seen.get(name).is_none_or(String::is_empty) {
                bail!(
                    "{} does not set {name}, so it has less to do; the backend saw\n{head}",
                    self.name()
                );
            }
        }
        if seen.get("host").is_none_or(|seen| seen != host) {
            bail!(
                "{} does not keep the host; the backend saw\n{head}",
                self.name()
            );
        }
        Ok(())
    }
}

/// A child process that does not outlive this value, nor do its children.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn start(mut command: Command) -> anyhow::Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        Ok(Self(child.with_context(|| {
            format!("cannot start {}", command.get_program().display())
        })?))
    }

    fn tree(&self) -> Tree {
        Tree(self.0.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let members = self.tree().members();
        let patient = send("TERM", &members).is_ok()
            && (0..50).any(|_| {
                thread::sleep(Duration::from_millis(20));
                matches!(self.0.try_wait(), Ok(Some(_)))
            });
        if !patient {
            // An error only means that they are gone.
            drop(send("KILL", &members));
            drop(self.0.wait());
        }
    }
}

fn send(signal: &str, processes: &[u32]) -> anyhow::Result<()> {
    let status = Command::new("kill")
        .args(["-s", signal, "--"])
        .args(processes.iter().map(u32::to_string))
        .stderr(Stdio::null())
        .status()
        .context("cannot run kill")?;
    if !status.success() {
        bail!("cannot send {signal} to {processes:?}");
    }
    Ok(())
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// One request on a connection of its own.
pub(super) fn ask(port: u16, host: &str, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    // Not to the end of the stream: Envoy keeps it open for a second.
    loop {
        let count = stream.read(&mut piece)?;
        text.extend_from_slice(&piece[..count]);
        if let Some(answer) = Answer::parse(&text, count == 0)? {
            return Ok(answer);
        }
    }
}

impl Answer {
    /// The answer once it is whole, which without a length is when the stream has ended.
    fn parse(text: &[u8], ended: bool) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let Ok(parsed) = response.parse(text) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let httparse::Status::Complete(head) = parsed else {
            return if ended {
                Err(io::ErrorKind::UnexpectedEof.into())
            } else {
                Ok(None)
            };
        };
        let length = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("content-length"))
            .and_then(|header| String::from_utf8_lossy(header.value).parse::<usize>().ok());
        let whole = length.map_or(ended, |length| text.len() >= head + length);
        Ok((whole || ended).then(|| Self {
            status: response.code.unwrap_or_default(),
            body: String::from_utf8_lossy(&text[head..]).into_owned(),
        }))
    }
}

fn until(mut holds: impl FnMut() -> bool) -> anyhow::Result<()> {
    let deadline = now() + PATIENCE;
    while !holds() {
        if now() > deadline {
            bail!("not within {PATIENCE:?}");
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener
        .local_addr()
        .context("cannot find a free port")?
        .port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_length_or_the_stream_says_so() {
        let check = |text: &str, ended, whole| {
            let answer = Answer::parse(text.as_bytes(), ended).unwrap();
            assert_eq!(
                answer.is_some_and(|answer| answer.status == 404),
                whole,
                "{text}"
            );
        };
        check("HTTP/1.1 404 Not Found\r\nContent-Le", false, false);
        check(
            "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\na",
            false,
            false,
        );
        check(
            "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nab",
            false,
            true,
        );
        check("HTTP/1.1 404 Not Found\r\n\r\nab", false, false);
        check("HTTP/1.1 404 Not Found\r\n\r\nab", true, true);
        assert!(Answer::parse(b"HTTP/1.1 404", true).is_err());
    }
}
