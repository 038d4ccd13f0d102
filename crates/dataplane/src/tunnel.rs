//! After a 101: bytes both ways, whatever they mean.

use std::io;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use traefikrs_upstream::UpgradedIo;

use crate::http1::Leg;

/// Copies until both sides have ended.
pub(crate) async fn run(leg: &Leg, server: UpgradedIo) {
    leg.connection.begin_tunnel();
    if let Err(error) = copy(leg, server).await {
        tracing::debug!(%error, peer = %leg.connection.peer, "tunnel ended");
    }
}

async fn copy(leg: &Leg, mut server: UpgradedIo) -> io::Result<()> {
    let mut client = leg.ends();
    // A server that has closed already refuses what the client says; what it said itself is not lost for that.
    client.write_all(&server.take_early()).await?;
    // Each end of stream is passed on, so a side that has said all it has to say may still listen.
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
