//! After a 101: bytes both ways, whatever they mean.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use traefikrs_upstream::UpgradedIo;

use crate::connection::Connection;
use crate::socket::Socket;

/// Copies until both sides have ended, or until everything must.
pub(crate) async fn run(mut client: Socket, mut server: UpgradedIo, connection: &Connection) {
    connection.begin_tunnel();
    let mut copy = pin!(async {
        // A server that has closed already refuses what the client says; what it said itself is not lost for that.
        client.write_all(&server.take_early()).await?;
        // Each end of stream is passed on, so a side that has said all it has to say may still listen.
        copy_bidirectional(&mut client, &mut server).await
    });
    poll_fn(|cx| {
        if connection.poll_cut(cx).is_ready() {
            return Poll::Ready(());
        }
        copy.as_mut().poll(cx).map(|copied| {
            if let Err(error) = copied {
                tracing::debug!(%error, peer = %connection.peer, "tunnel ended");
            }
        })
    })
    .await;
}
