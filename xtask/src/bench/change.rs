//! How long it takes until routes are live, and what that costs.

use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::clock::now;
use super::machine::Machine;
use super::peer::Installed;
use super::proxy::{Backend, Proxy, SMALL, ask};
use super::reload::{changed, changing_host};
use super::report::Row;
use super::scenario::Scenario;
use super::throughput::megabytes;
use super::usage::{Meter, Tree};

/// Until whatever a change set off has ended.
const SETTLE: Duration = Duration::from_secs(2);
const PROBES: u32 = 100;

pub(super) fn measure(
    scenario: &Scenario,
    peers: &[Installed],
    machine: &Machine,
    rounds: usize,
) -> anyhow::Result<Vec<Row>> {
    let backend = Backend::start(machine)?;
    let peers: Vec<_> = peers
        .iter()
        .filter(|installed| scenario.files == 1 || !installed.peer.further.is_empty())
        .collect();
    let mut rows: Vec<Row> = peers
        .iter()
        .map(|installed| Row::new(installed.peer.name))
        .collect();
    for _ in 0..rounds {
        for (&installed, row) in peers.iter().zip(&mut rows) {
            let hosts = changed(scenario.routes - 1, 0);
            let mut proxy = Proxy::start(installed, scenario, hosts, &backend, machine)?;
            thread::sleep(SETTLE);
            let idle = cpu_while_idle(proxy.tree());
            let probe = cpu_of_a_probe(&proxy)?;
            let mut meter = Meter::start(proxy.tree());
            let changed_at = now();
            proxy.change(changed(scenario.routes - 1, 1))?;
            let probes = proxy.await_live(&changing_host(1))?;
            let live_after = now() - changed_at;
            meter.look();
            thread::sleep(SETTLE.saturating_sub(live_after));
            let spent = meter.used().total;
            let elapsed = now() - changed_at;
            let own = spent
                .saturating_sub(probe * probes)
                .saturating_sub(idle.mul_f64(elapsed.as_secs_f64()));
            row.note("change: CPU ms", 2, milliseconds(own));
            row.note("change: live after ms", 1, milliseconds(live_after));
            row.note("start: CPU ms", 1, milliseconds(proxy.cpu_to_live.total));
            row.note("start: live after ms", 1, milliseconds(proxy.live_after));
            row.note("MB", 1, megabytes(proxy.tree().resident()));
            row.tell();
        }
    }
    Ok(rows)
}

/// What the proxy uses in a second of doing nothing.
fn cpu_while_idle(tree: Tree) -> Duration {
    let mut meter = Meter::start(tree);
    thread::sleep(Duration::from_secs(1));
    meter.used().total
}

/// What it costs the proxy to be asked for a host that it does not have.
fn cpu_of_a_probe(proxy: &Proxy<'_>) -> anyhow::Result<Duration> {
    let mut meter = Meter::start(proxy.tree());
    for _ in 0..PROBES {
        ask(proxy.site.port, "absent.bench.test", SMALL).context("cannot ask the proxy")?;
    }
    Ok(meter.used().total / PROBES)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
