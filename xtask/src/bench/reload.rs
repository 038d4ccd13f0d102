//! What a request costs, and whether it fails, while the routes change.

use super::load::Load;
use super::machine::Machine;
use super::peer::Installed;
use super::proxy::{Backend, Proxy};
use super::report::Row;
use super::scenario::Scenario;
use super::site::hosts;
use super::statistics::slope;
use super::throughput::{Watched, megabytes, note};

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
    let mut version = 0;
    for _ in 0..rounds {
        for (proxy, row) in proxies.iter_mut().zip(&mut rows) {
            let child = load.start(machine, proxy.site.port, scenario.routes, seconds)?;
            let mut memory = Vec::new();
            let (outcome, usage) = Watched::new(proxy.tree()).until_end(child, |resident| {
                version += 1;
                memory.push((f64::from(version), megabytes(resident) * 1e3));
                proxy.change(changed(scenario.routes, version))
            })?;
            // Changes that never arrive would cost nothing.
            proxy.await_live(&changing_host(version))?;
            note(row, load, &outcome, &usage);
            // The first half makes buffers and connections, with or without changes.
            let settled = &memory[memory.len() / 2..];
            row.note("KB more per change", 1, slope(settled));
            row.tell();
        }
    }
    Ok(rows)
}

/// The routes of the scenario, and one that is another each time.
pub(super) fn changed(routes: usize, version: u32) -> Vec<String> {
    let mut hosts = hosts(routes);
    hosts.push(changing_host(version));
    hosts
}

pub(super) fn changing_host(version: u32) -> String {
    format!("v{version}.bench.test")
}
