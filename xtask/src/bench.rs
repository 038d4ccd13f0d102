//! `cargo xtask bench`: what does a request cost, next to nginx, HAProxy, Traefik and Envoy?
//!
//! All proxies get equal configurations (`xtask/bench/`), are pinned to one core and are measured in turn, round
//! after round; load and backend have another core. The figure to trust is the proxy's own CPU time per request;
//! requests per second are bounded by the load generator.

mod backend;
mod change;
mod clock;
mod goal;
mod load;
mod machine;
mod peer;
mod proxy;
mod reload;
mod report;
mod scenario;
mod site;
mod statistics;
mod throughput;
mod usage;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::Parser;

use machine::Machine;
use peer::Installed;
use report::Report;
use scenario::{Measure, SCENARIOS, Scenario};

/// Compares traefikrs with nginx, HAProxy, Traefik and Envoy.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask bench", after_help = scenario::list())]
struct Arguments {
    /// Which scenarios; all when none is named.
    scenarios: Vec<String>,
    /// How often each proxy is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Which proxies, separated by commas; all that are installed when none is named.
    #[arg(long, value_delimiter = ',')]
    proxies: Vec<String>,
    /// Writes every round to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the tables to this file.
    #[arg(long)]
    markdown: Option<PathBuf>,
}

pub(crate) fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    if let [task, address] = arguments.as_slice()
        && task == backend::TASK
    {
        return backend::serve(address);
    }
    if cfg!(debug_assertions) {
        return run_release(&arguments);
    }
    let command = format!("cargo xtask bench {}", arguments.join(" "));
    let arguments = Arguments::parse_from(std::iter::once("bench".to_owned()).chain(arguments));
    let scenarios = chosen(&arguments.scenarios)?;
    let machine = Machine::here()?;
    machine.prepare()?;
    load::check_installed()?;
    let peers = peer::installed(&arguments.proxies)?;

    let mut report = Report::new(
        command.trim_end(),
        &machine,
        &peers,
        arguments.rounds,
        arguments.seconds,
    );
    for scenario in scenarios {
        say(&format!("{}: {}", scenario.name, scenario.about));
        report.add(measured(scenario, &peers, &machine, &arguments)?);
        // After each scenario, so that an interrupted run is not lost.
        if let Some(file) = &arguments.json {
            std::fs::write(file, report.json()?).context("cannot write the JSON file")?;
        }
        if let Some(file) = &arguments.markdown {
            std::fs::write(file, report.markdown()).context("cannot write the Markdown file")?;
        }
    }
    say(&report.goals());
    Ok(())
}

/// Builds this program with optimization and becomes it: the backend must be cheaper than the proxies.
fn run_release(arguments: &[String]) -> anyhow::Result<()> {
    let program = build("xtask", "release")?;
    Err(Command::new(program).arg("bench").args(arguments).exec())
        .context("cannot start the release build")
}

/// Builds a program of this workspace and tells where it is.
fn build(package: &str, profile: &str) -> anyhow::Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--package", package, "--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("{package} does not build");
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .next_back()
        .with_context(|| format!("cargo did not name the executable of {package}"))
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if names.is_empty() {
        return Ok(SCENARIOS.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            SCENARIOS
                .iter()
                .find(|scenario| scenario.name == name)
                .with_context(|| format!("unknown scenario `{name}`\n{}", scenario::list()))
        })
        .collect()
}

fn measured(
    scenario: &'static Scenario,
    peers: &[Installed],
    machine: &Machine,
    arguments: &Arguments,
) -> anyhow::Result<report::Section> {
    let rounds = arguments.rounds.max(1);
    let seconds = arguments.seconds.max(1);
    let rows = match &scenario.measure {
        Measure::Throughput(load) => {
            throughput::measure(scenario, load, peers, machine, rounds, seconds)
        }
        Measure::Reload(load) => reload::measure(scenario, load, peers, machine, rounds, seconds),
        Measure::Change => change::measure(scenario, peers, machine, rounds),
    }
    .with_context(|| format!("in the scenario {}", scenario.name))?;
    Ok(report::Section { scenario, rows })
}

#[expect(clippy::print_stdout, reason = "a task talks to a person")]
fn say(text: &str) {
    println!("{text}");
}
