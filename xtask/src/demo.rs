//! `cargo xtask demo`: the quickstart, live.
//!
//! With `--check` it asks for itself what it tells people to try, and ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

const WEB: &str = "127.0.0.1:8000";
const API: &str = "127.0.0.1:8080";
const BACKENDS: [(&str, u16); 3] = [("whoami", 9101), ("api-v1", 9102), ("api-v2", 9103)];

/// What to try: the command, and what it shows.
const TRIES: [(&str, &str); 6] = [
    (
        "curl -H 'Host: whoami.localhost' http://127.0.0.1:8000/hello",
        "200 from whoami, which saw GET /hello and the X-Forwarded-* headers",
    ),
    (
        "for i in 1 2 3 4; do curl -s -H 'Host: api.localhost' http://127.0.0.1:8000/api/users | head -1; done",
        "three times api-v1 and once api-v2 (weights 3 and 1), each saw GET /users",
    ),
    (
        "curl -i -H 'Host: broken.localhost' http://127.0.0.1:8000/",
        "404: its route is refused, see below",
    ),
    (
        "curl -s http://127.0.0.1:8080/api/overview",
        "how many routers, services and middlewares there are, and how many have errors",
    ),
    (
        "curl -s 'http://127.0.0.1:8080/api/http/routers?status=disabled'",
        "the refused router and why, as Traefik's API shows it",
    ),
    (
        "sed -i 's/Hots/Host/' examples/quickstart/manifests/broken.yaml",
        "mends the route; it is live at once: try broken.localhost again",
    ),
];

pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let checks = match arguments.next().as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => bail!("unknown argument `{other}`; the demo takes `--check` or nothing"),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = Arc::clone(&stop);
    ctrlc::set_handler(move || on_signal.store(true, Ordering::Relaxed))
        .context("cannot catch Ctrl-C")?;
    std::env::set_current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .context("cannot enter the workspace")?;

    for (label, port) in BACKENDS {
        start_backend(label, port)?;
    }
    say("building the release proxy (a few minutes the first time)");
    let binary = build_proxy()?;
    let mut proxy = Command::new(binary)
        .arg("--configFile=examples/quickstart/traefik.yml")
        // What the log would say is shown below, as it comes and goes.
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start the proxy")?;
    let outcome = if checks {
        check(&mut proxy)
    } else {
        show(&mut proxy, &stop)
    };
    // It may have ended already, by the same Ctrl-C.
    if proxy.kill().is_ok() {
        proxy.wait().context("cannot await the proxy")?;
    }
    outcome
}

pub(crate) fn build_proxy() -> anyhow::Result<std::path::PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--package",
            "traefikrs-proxy",
            "--message-format=json-render-diagnostics",
        ])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the proxy does not build");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| Some(message["executable"].as_str()?.into()))
        .next_back()
        .context("cargo did not name the proxy's executable")
}

/// Waits until the quickstart's routes are there.
fn await_ready(proxy: &mut Child) -> anyhow::Result<()> {
    for _ in 0..200 {
        thread::sleep(Duration::from_millis(50));
        if let Some(status) = proxy.try_wait()? {
            bail!("the proxy ended: {status}");
        }
        if ask(API, API, "/api/http/routers")
            .is_ok_and(|routers| routers.contains("whoami.localhost"))
        {
            return Ok(());
        }
    }
    bail!("the proxy does not answer on {API}");
}

/// Asks what people are told to try.
fn check(proxy: &mut Child) -> anyhow::Result<()> {
    await_ready(proxy)?;
    let whoami = ask(WEB, "whoami.localhost", "/hello")?;
    ensure!(whoami.starts_with("whoami saw\nGET /hello "), "{whoami}");
    ensure!(whoami.contains("X-Forwarded-For: 127.0.0.1"), "{whoami}");
    let mut labels: Vec<_> = (0..4)
        .map(|_| {
            let answer = ask(WEB, "api.localhost", "/api/users")?;
            ensure!(answer.contains("\nGET /users "), "{answer}");
            Ok(answer.split(' ').next().unwrap_or_default().to_owned())
        })
        .collect::<Result<_, _>>()?;
    labels.sort();
    ensure!(
        labels == ["api-v1", "api-v1", "api-v1", "api-v2"],
        "{labels:?}"
    );
    let refused = ask(WEB, "broken.localhost", "/")
        .err()
        .map(|error| error.to_string());
    ensure!(
        refused.as_deref() == Some("HTTP/1.0 404 Not Found"),
        "{refused:?}"
    );
    let refused = diagnostics(&ask(API, API, "/api/diagnostics")?)?;
    ensure!(
        refused
            .iter()
            .any(|text| text.contains("did you mean `Host`?")),
        "{refused:?}"
    );
    say(&format!(
        "the quickstart answers as it should; {} findings, as meant",
        refused.len()
    ));
    Ok(())
}

/// Prints what to try, then what is refused, until the proxy or the user ends it.
fn show(proxy: &mut Child, stop: &AtomicBool) -> anyhow::Result<()> {
    await_ready(proxy)?;
    say(
        "traefikrs serves examples/quickstart on http://127.0.0.1:8000, its API on http://127.0.0.1:8080",
    );
    say("\nTry, in another terminal:");
    for (command, answer) in TRIES {
        say(&format!("\n  {command}\n      → {answer}"));
    }
    say("\nRefused now, and why (live; Ctrl-C ends all):");
    follow_diagnostics(proxy, stop)
}

fn follow_diagnostics(proxy: &mut Child, stop: &AtomicBool) -> anyhow::Result<()> {
    let mut shown: Option<BTreeSet<String>> = None;
    while !stop.load(Ordering::Relaxed) {
        if let Some(status) = proxy.try_wait()? {
            bail!("the proxy ended: {status}");
        }
        if let Ok(now) = ask(API, API, "/api/diagnostics").and_then(|body| diagnostics(&body)) {
            let before = shown.take().unwrap_or_default();
            for gone in before.difference(&now) {
                say(&format!(
                    "\n  mended: {}",
                    gone.lines().next().unwrap_or_default()
                ));
            }
            for new in now.difference(&before) {
                say(&format!("\n  {new}"));
            }
            shown = Some(now);
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn diagnostics(body: &str) -> anyhow::Result<BTreeSet<String>> {
    let list: Vec<Value> = serde_json::from_str(body)?;
    Ok(list.iter().map(described).collect())
}

fn described(diagnostic: &Value) -> String {
    let text = |pointer: &str| {
        diagnostic
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let place = match (text("/location/file"), &diagnostic["location"]["line"]) {
        ("", _) => String::new(),
        (file, line) => format!("{file}:{line}: "),
    };
    let name = match text("/subject/namespace") {
        "" => text("/subject/name").to_owned(),
        namespace => format!("{namespace}/{}", text("/subject/name")),
    };
    let mut described = format!(
        "{place}{} [{}] {} {name} at {}\n    {}\n    consequence: {}",
        text("/severity"),
        text("/reason"),
        text("/subject/kind"),
        text("/path"),
        text("/message"),
        text("/consequence"),
    );
    for line in text("/detail").lines() {
        described += &format!("\n      {line}");
    }
    described
}

/// The body of an answer 200 to a GET.
fn ask(address: &str, host: &str, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
    if !head.contains(" 200 ") {
        bail!("{}", head.lines().next().unwrap_or_default());
    }
    Ok(body.to_owned())
}

/// A server that answers each request with its label and the request as it saw it.
fn start_backend(label: &'static str, port: u16) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .with_context(|| format!("cannot listen on 127.0.0.1:{port} for the backend {label}"))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || echo(stream, label));
        }
    });
    Ok(())
}

fn echo(stream: TcpStream, label: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let body = format!("{label} saw\n{}", head.trim_end());
        let length = body.len() + 1;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{body}\n"
        );
        stream.write_all(answer.as_bytes())?;
    }
}

#[expect(clippy::print_stdout, reason = "the demo talks to a person")]
fn say(text: &str) {
    println!("{text}");
}
