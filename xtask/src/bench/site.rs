//! What a proxy is asked to serve: some hosts, all in front of one backend.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::peer::Peer;

/// Where many files of routes are.
const ROUTES: &str = "routes";

#[derive(Debug)]
pub(super) struct Site {
    pub(super) directory: PathBuf,
    pub(super) port: u16,
    pub(super) backend: SocketAddr,
    pub(super) hosts: Vec<String>,
    /// Into how many files the routes are put.
    pub(super) files: usize,
}

/// As many hosts as that, under the names that `wrk.lua` asks for.
pub(super) fn hosts(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("h{number}.bench.test"))
        .collect()
}

impl Site {
    pub(super) fn write_files(&self, peer: &Peer) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        for (name, text) in peer.files {
            fs::write(self.directory.join(name), self.fill(text))?;
        }
        self.write_routes(peer)
    }

    /// Replaces the files that differ, each in one step, so that nobody reads half of it.
    pub(super) fn write_routes(&self, peer: &Peer) -> io::Result<()> {
        let (name, first) = peer.dynamic;
        if self.files == 1 {
            return self.write(name.into(), first, peer.route, 0, &self.hosts);
        }
        fs::create_dir_all(self.directory.join(ROUTES))?;
        let size = self.hosts.len().div_ceil(self.files);
        for (number, hosts) in self.hosts.chunks(size).enumerate() {
            let text = if number == 0 { first } else { peer.further };
            let name = Path::new(ROUTES).join(format!("{number}-{name}"));
            self.write(name, text, peer.route, number * size, hosts)?;
        }
        Ok(())
    }

    fn write(
        &self,
        name: PathBuf,
        text: &str,
        route: &str,
        first: usize,
        hosts: &[String],
    ) -> io::Result<()> {
        let routes = hosts.iter().zip(first..).map(|(host, number)| {
            route
                .replace("@HOST@", host)
                .replace("@NUMBER@", &number.to_string())
        });
        let text = self.fill(&text.replace("@ROUTES@", &routes.collect::<String>()));
        let file = self.directory.join(name);
        if fs::read_to_string(&file).is_ok_and(|present| present == text) {
            return Ok(());
        }
        let fresh = self.directory.join("fresh");
        fs::write(&fresh, text)?;
        fs::rename(fresh, file)
    }

    /// Where Traefik and its like find the routes.
    fn source(&self, dynamic: &str) -> String {
        let directory = self.directory.display();
        match self.files {
            1 => format!("filename: {directory}/{dynamic}"),
            _ => format!("directory: {directory}/{ROUTES}"),
        }
    }

    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("@SOURCE@", &self.source("dynamic.yml"))
            .replace("@DIRECTORY@", &self.directory.to_string_lossy())
            .replace("@PORT@", &self.port.to_string())
            .replace("@BACKEND@", &self.backend.to_string())
            .replace("@BACKEND_ADDRESS@", &self.backend.ip().to_string())
            .replace("@BACKEND_PORT@", &self.backend.port().to_string())
    }
}
