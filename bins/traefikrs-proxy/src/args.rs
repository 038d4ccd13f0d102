//! What the process was asked to do.

use std::path::Path;
use std::process::ExitCode;

use traefikrs_config::static_config::{Loaded, StaticConfiguration, Surroundings};

/// What the command line asks for.
pub(crate) enum Call {
    /// To serve.
    Run(Box<Loaded>),
    /// Nothing more: the answer is printed.
    Answered(ExitCode),
}

const HELP: &str = "\
traefikrs-proxy: an ingress proxy that takes Traefik's configuration

Usage: traefikrs-proxy [--OPTION[=VALUE]]...
       traefikrs-proxy version

The static configuration comes from a file, or else from options, or else from
TRAEFIK_* variables, as for Traefik; the sources are not mixed.

  --configFile=FILE                        read this file (YAML or TOML)
  --entryPoints.NAME.address=[HOST]:PORT   listen there
  --providers.file.filename=FILE           routes from a file, watched
  --providers.file.directory=DIRECTORY     routes from a directory, watched
  --providers.http.endpoint=URL            routes from an HTTP endpoint, polled
  --providers.kubernetesManifests.path=DIRECTORY
                                           routes from Kubernetes YAML, watched
  --api.insecure                           the API on the entry point `traefik`
  --ping                                   /ping on the entry point `traefik`
  --log.level=DEBUG                        say more

Every option of Traefik 3.7 is known; one that is not served yet says so once.
See docs/compatibility.md for each.
";

/// Reads command line, environment and file.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to the person who started it, before there is a log"
)]
pub(crate) fn parse() -> Call {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("version" | "--version" | "-V") => {
            println!("traefikrs-proxy {}", env!("CARGO_PKG_VERSION"));
            return Call::Answered(ExitCode::SUCCESS);
        }
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            return Call::Answered(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let env: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let surroundings = Surroundings {
        args: &args,
        env: &env,
        read: &|path: &Path| std::fs::read_to_string(path),
    };
    match StaticConfiguration::load(&surroundings) {
        Ok(loaded) => Call::Run(Box::new(loaded)),
        Err(refused) => {
            eprintln!("{refused}");
            Call::Answered(ExitCode::from(2))
        }
    }
}
