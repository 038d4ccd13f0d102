//! The load: wrk, and what it says.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::machine::{Machine, pinned, workspace};

/// What is asked, over and over.
#[derive(Debug)]
pub(super) struct Load {
    /// Connections of the closed loop: each sends its next request when it has its answer.
    pub(super) connections: usize,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) body_bytes: usize,
    /// Whether each request has a connection of its own.
    pub(super) close: bool,
    /// Whether the hosts asked for have routes.
    pub(super) hit: bool,
}

/// What came of it.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    microseconds: f64,
    pub(super) requests: f64,
    p50: f64,
    p99: f64,
    status: f64,
    socket: f64,
    timeout: f64,
}

impl Load {
    pub(super) fn start(
        &self,
        machine: &Machine,
        port: u16,
        hosts: usize,
        seconds: u64,
    ) -> anyhow::Result<Child> {
        pinned(machine.load_core, "wrk")
            .args([
                "--threads",
                "1",
                "--connections",
                &self.connections.to_string(),
            ])
            .args(["--duration", &format!("{seconds}s"), "--timeout", "5s"])
            .arg("--script")
            .arg(workspace().join("xtask/bench/wrk.lua"))
            .arg(format!("http://127.0.0.1:{port}"))
            .arg("--")
            .args([self.method, self.path, &self.body_bytes.to_string()])
            .args([
                if self.close { "close" } else { "keep-alive" },
                &hosts.to_string(),
            ])
            .arg(if self.hit { "hit" } else { "miss" })
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start wrk")
    }

    /// How many requests did not get the answer they should.
    pub(super) fn failed(&self, outcome: &Outcome) -> f64 {
        let unexpected = if self.hit {
            outcome.status
        } else {
            outcome.requests - outcome.status
        };
        unexpected + outcome.socket + outcome.timeout
    }
}

impl Outcome {
    /// Reads what wrk printed once it has ended.
    pub(super) fn of(child: Child) -> anyhow::Result<Self> {
        let output = child.wait_with_output().context("cannot await wrk")?;
        Self::parse(&String::from_utf8_lossy(&output.stdout))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let result = text.lines().find_map(|line| line.strip_prefix("RESULT "));
        let outcome: Self =
            serde_json::from_str(result.with_context(|| format!("wrk gave no result:\n{text}"))?)?;
        if outcome.requests == 0.0 {
            bail!("not one request was answered");
        }
        Ok(outcome)
    }

    pub(super) fn requests_per_second(&self) -> f64 {
        self.requests / (self.microseconds / 1e6)
    }

    pub(super) fn p50_ms(&self) -> f64 {
        self.p50 / 1e3
    }

    pub(super) fn p99_ms(&self) -> f64 {
        self.p99 / 1e3
    }
}

pub(super) fn check_installed() -> anyhow::Result<()> {
    // wrk knows no option that ends well, so only whether it starts is asked.
    match Command::new("wrk").arg("--version").output() {
        Ok(_) => Ok(()),
        Err(error) => Err(error).context("wrk is missing: apt-get install wrk"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Running 2s test\n\
        RESULT {\"microseconds\":2000000,\"requests\":100,\"p50\":1500,\"p99\":3000,\"status\":4,\"socket\":2,\"timeout\":1}\n";

    #[test]
    fn an_unexpected_status_is_a_failure_as_much_as_a_broken_socket() {
        let outcome = Outcome::parse(TEXT).unwrap();
        let load = |hit| Load {
            connections: 1,
            method: "GET",
            path: "/",
            body_bytes: 0,
            close: false,
            hit,
        };
        assert_eq!(load(true).failed(&outcome), 7.0);
        assert_eq!(load(false).failed(&outcome), 99.0);
        assert_eq!(outcome.requests_per_second(), 50.0);
        assert!(Outcome::parse("Running").is_err());
    }
}
