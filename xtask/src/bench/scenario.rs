//! What is measured.

use super::backend::LARGE;
use super::load::Load;
use super::proxy::SMALL;

#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) routes: usize,
    /// Into how many files they are put, by proxies that can.
    pub(super) files: usize,
    pub(super) measure: Measure,
}

#[derive(Debug)]
pub(super) enum Measure {
    /// Load on routes that stay as they are.
    Throughput(Load),
    /// Load while the routes change.
    Reload(Load),
    /// How long it takes until routes are live, without load.
    Change,
}

const KEEP_ALIVE: Load = Load {
    connections: 64,
    method: "GET",
    path: SMALL,
    body_bytes: 0,
    close: false,
    hit: true,
};
const MISS: Load = Load {
    hit: false,
    ..KEEP_ALIVE
};

const fn throughput(
    name: &'static str,
    about: &'static str,
    routes: usize,
    load: Load,
) -> Scenario {
    Scenario {
        name,
        about,
        routes,
        files: 1,
        measure: Measure::Throughput(load),
    }
}

pub(super) static SCENARIOS: [Scenario; 15] = [
    throughput(
        "small64",
        "small responses on 64 kept connections",
        1,
        KEEP_ALIVE,
    ),
    throughput(
        "small1000",
        "small responses on 1,000 kept connections",
        1,
        Load {
            connections: 1000,
            ..KEEP_ALIVE
        },
    ),
    throughput(
        "large",
        "responses of 100 KB on 64 kept connections",
        1,
        Load {
            path: LARGE,
            ..KEEP_ALIVE
        },
    ),
    throughput(
        "upload",
        "requests of 100 KB on 64 kept connections",
        1,
        Load {
            method: "POST",
            body_bytes: 100_000,
            ..KEEP_ALIVE
        },
    ),
    throughput(
        "connect",
        "a new connection for each request, 64 at a time",
        1,
        Load {
            close: true,
            ..KEEP_ALIVE
        },
    ),
    throughput(
        "routes10",
        "10 routes, requests to all of them",
        10,
        KEEP_ALIVE,
    ),
    throughput(
        "routes1k",
        "1,000 routes, requests to all of them",
        1_000,
        KEEP_ALIVE,
    ),
    throughput(
        "routes10k",
        "10,000 routes, requests to all of them",
        10_000,
        KEEP_ALIVE,
    ),
    throughput("miss10", "10 routes, requests to none of them", 10, MISS),
    throughput(
        "miss1k",
        "1,000 routes, requests to none of them",
        1_000,
        MISS,
    ),
    throughput(
        "miss10k",
        "10,000 routes, requests to none of them",
        10_000,
        MISS,
    ),
    Scenario {
        name: "reload",
        about: "100 routes, one of which changes every 100 ms under load",
        routes: 100,
        files: 1,
        measure: Measure::Reload(KEEP_ALIVE),
    },
    Scenario {
        name: "load100",
        about: "start with 100 routes, then change one",
        routes: 100,
        files: 1,
        measure: Measure::Change,
    },
    Scenario {
        name: "load10k",
        about: "start with 10,000 routes, then change one",
        routes: 10_000,
        files: 1,
        measure: Measure::Change,
    },
    Scenario {
        name: "load10kfiles",
        about: "start with 10,000 routes in a directory of 100 files, then change one",
        routes: 10_000,
        files: 100,
        measure: Measure::Change,
    },
];

pub(super) fn list() -> String {
    let width = SCENARIOS
        .iter()
        .map(|scenario| scenario.name.len())
        .max()
        .unwrap_or_default();
    let lines = SCENARIOS
        .iter()
        .map(|scenario| format!("\n  {:width$}  {}", scenario.name, scenario.about));
    format!("Scenarios:{}", lines.collect::<String>())
}
