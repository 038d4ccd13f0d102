//! What a request costs while nothing changes.

use std::process::Child;
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::clock::now;
use super::load::{Load, Outcome};
use super::machine::Machine;
use super::peer::Installed;
use super::proxy::{Backend, Proxy};
use super::report::{NO_PROXY, Row};
use super::scenario::Scenario;
use super::site::hosts;
use super::usage::{Cpu, Meter, Tree, machine_cpu};

pub(super) const MEGABYTE: f64 = 1e6;
const SETTLE: Duration = Duration::from_secs(2);

pub(super) fn measure(
    scenario: &Scenario,
    load: &Load,
    peers: &[Installed],
    machine: &Machine,
    rounds: usize,
    seconds: u64,
) -> anyhow::Result<Vec<Row>> {
    let backend = Backend::start(machine)?;
    let mut proxies = Vec::new();
    for peer in peers {
        proxies.push(Proxy::start(
            peer,
            scenario,
            hosts(scenario.routes),
            &backend,
            machine,
        )?);
    }
    let mut rows: Vec<Row> = proxies.iter().map(|proxy| Row::new(proxy.name())).collect();
    let starts: Vec<u64> = proxies
        .iter()
        .map(|proxy| proxy.tree().resident())
        .collect();
    for proxy in &proxies {
        Outcome::of(load.start(machine, proxy.site.port, scenario.routes, 1)?)?;
    }
    for _ in 0..rounds {
        for (proxy, row) in proxies.iter().zip(&mut rows) {
            let child = load.start(machine, proxy.site.port, scenario.routes, seconds)?;
            let watched = Watched::new(proxy.tree());
            let (outcome, usage) = watched.until_end(child, |_| Ok(()))?;
            note(row, load, &outcome, &usage);
            row.tell();
        }
    }
    thread::sleep(SETTLE);
    for ((proxy, row), start) in proxies.iter().zip(&mut rows).zip(starts) {
        row.note("MB at start", 1, megabytes(start));
        row.note("MB after", 1, megabytes(proxy.tree().resident()));
    }
    if load.hit {
        rows.push(without_proxy(load, &backend, machine)?);
    }
    Ok(rows)
}

/// What the backend and the load generator can do alone: no proxy can look better than that.
fn without_proxy(load: &Load, backend: &Backend, machine: &Machine) -> anyhow::Result<Row> {
    let mut row = Row::new(NO_PROXY);
    let child = load.start(machine, backend.address.port(), 1, 2)?;
    let (outcome, usage) = Watched::new(backend.tree()).until_end(child, |_| Ok(()))?;
    note(&mut row, load, &outcome, &usage);
    Ok(row)
}

pub(super) fn note(row: &mut Row, load: &Load, outcome: &Outcome, usage: &Usage) {
    let microseconds = usage.cpu.total.as_secs_f64() * 1e6 / outcome.requests;
    row.note("CPU µs/request", 2, microseconds);
    row.note("of it kernel", 1, microseconds * usage.cpu.system_share());
    row.note("requests/s", 0, outcome.requests_per_second());
    row.note("p50 ms", 2, outcome.p50_ms());
    row.note("p99 ms", 2, outcome.p99_ms());
    row.note("failed", 0, load.failed(outcome));
    row.note("MB busy", 1, megabytes(usage.resident));
    row.note(
        "core busy %",
        0,
        100.0 * usage.cpu.total.as_secs_f64() / usage.elapsed.as_secs_f64(),
    );
    row.note(
        "others' CPU %",
        0,
        100.0 * usage.others.as_secs_f64() / usage.elapsed.as_secs_f64(),
    );
}

pub(super) fn megabytes(bytes: u64) -> f64 {
    Duration::from_micros(bytes).as_secs_f64() * 1e6 / MEGABYTE
}

/// What a process used while a load ran.
#[derive(Debug)]
pub(super) struct Usage {
    pub(super) cpu: Cpu,
    /// The most that was resident at one time.
    pub(super) resident: u64,
    pub(super) elapsed: Duration,
    /// What this machine did besides the measurement: the noise.
    others: Duration,
}

/// A process tree from the moment a load starts.
#[derive(Debug)]
pub(super) struct Watched {
    tree: Tree,
    began: std::time::Instant,
    meter: Meter,
    own: Duration,
    machine: Duration,
}

impl Watched {
    pub(super) fn new(tree: Tree) -> Self {
        Self {
            tree,
            began: now(),
            meter: Meter::start(tree),
            own: ours(),
            machine: machine_cpu(),
        }
    }

    /// Looks at the tree until the load has ended, and calls `meanwhile` with its memory every 100 ms.
    pub(super) fn until_end(
        mut self,
        mut load: Child,
        mut meanwhile: impl FnMut(u64) -> anyhow::Result<()>,
    ) -> anyhow::Result<(Outcome, Usage)> {
        let mut resident = 0;
        while load.try_wait().context("cannot await wrk")?.is_none() {
            thread::sleep(Duration::from_millis(100));
            self.meter.look();
            let now_resident = self.tree.resident();
            resident = resident.max(now_resident);
            meanwhile(now_resident)?;
        }
        let cpu = self.meter.used();
        let outcome = Outcome::of(load)?;
        let others = (machine_cpu() - self.machine).saturating_sub(ours() - self.own);
        Ok((
            outcome,
            Usage {
                cpu,
                resident,
                elapsed: now() - self.began,
                others,
            },
        ))
    }
}

/// What this process and everything it started used.
fn ours() -> Duration {
    Tree(std::process::id()).cpu().total
}
