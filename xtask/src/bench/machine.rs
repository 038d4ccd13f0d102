//! Where it runs: cores, names for the report, and what must be set before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Serialize;

/// The machine, and which of its cores does what.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) kernel: String,
    pub(super) commit: String,
    pub(super) date: String,
    /// Processes that wanted to run before anything was measured.
    pub(super) load_average: String,
    pub(super) proxy_core: usize,
    pub(super) load_core: usize,
    pub(super) backend_core: usize,
}

impl Machine {
    pub(super) fn here() -> anyhow::Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("this task needs Linux")?;
        let allowed = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .map(|list| cores(list.trim()))
            .unwrap_or_default();
        let (load_core, backend_core, proxy_core) = match allowed.as_slice() {
            [] | [_] => bail!("two cores are needed, one for the proxy and one for the load"),
            [load, proxy] => (*load, *load, *proxy),
            [load, backend, .., proxy] => (*load, *backend, *proxy),
        };
        let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(": ")?.1.to_owned())
        });
        Ok(Self {
            processor: processor.unwrap_or_else(|| "unknown processor".to_owned()),
            cores: allowed.len(),
            kernel: answer("uname", &["-sr"]),
            commit: answer("git", &["describe", "--always", "--dirty"]),
            date: answer("date", &["-u", "+%F"]),
            load_average: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| Some(text.split_once(' ')?.0.to_owned()))
                .unwrap_or_default(),
            proxy_core,
            load_core,
            backend_core,
        })
    }

    /// Pins this process to the core of the load and lets it and its children open enough sockets.
    pub(super) fn prepare(&self) -> anyhow::Result<()> {
        let own = std::process::id().to_string();
        let load = self.load_core.to_string();
        must("taskset", &["--cpu-list", "--pid", &load, &own])?;
        must("prlimit", &["--nofile=16384:", "--pid", &own])
    }
}

/// A command that will run on that core only.
pub(super) fn pinned(core: usize, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", &core.to_string()])
        .arg(program.as_ref());
    command
}

pub(super) fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

fn must(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {program} (apt-get install util-linux)"))?;
    if !output.status.success() {
        bail!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn answer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(workspace())
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Reads a list such as `0-3,6`.
fn cores(list: &str) -> Vec<usize> {
    list.split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(first.parse().ok()?..=last.parse().ok()?)
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cores_has_ranges() {
        assert_eq!(cores("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(cores("7"), [7]);
        assert!(cores("").is_empty());
    }
}
