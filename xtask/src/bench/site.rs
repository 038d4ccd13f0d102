//! What a proxy is asked to serve: some hosts, all in front of one backend.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::peer::Peer;

#[derive(Debug)]
pub(super) struct Site {
    pub(super) directory: PathBuf,
    pub(super) port: u16,
    pub(super) backend: SocketAddr,
    pub(super) hosts: Vec<String>,
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

    /// Replaces the file in one step, so that nobody reads half of it.
    pub(super) fn write_routes(&self, peer: &Peer) -> io::Result<()> {
        let (name, text) = peer.dynamic;
        let routes: String = self
            .hosts
            .iter()
            .enumerate()
            .map(|(number, host)| {
                peer.route
                    .replace("@HOST@", host)
                    .replace("@NUMBER@", &number.to_string())
            })
            .collect();
        let fresh = self.directory.join("fresh");
        fs::write(&fresh, self.fill(&text.replace("@ROUTES@", &routes)))?;
        fs::rename(fresh, self.directory.join(name))
    }

    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("@DIRECTORY@", &self.directory.to_string_lossy())
            .replace("@PORT@", &self.port.to_string())
            .replace("@BACKEND@", &self.backend.to_string())
            .replace("@BACKEND_ADDRESS@", &self.backend.ip().to_string())
            .replace("@BACKEND_PORT@", &self.backend.port().to_string())
    }
}
