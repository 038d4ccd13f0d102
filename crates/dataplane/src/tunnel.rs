//! After a 101: bytes both ways, whatever they mean.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::io::copy_bidirectional;
use traefikrs_upstream::UpgradedIo;

use crate::connection::Connection;
use crate::socket::Socket;

/// Copies until both sides have ended, or until everything must.
pub(crate) async fn run(mut client: Socket, mut server: UpgradedIo, connection: &Connection) {
    connection.begin_tunnel();
    // Each end of stream is passed on, so a side that has said all it has to say may still listen.
    let mut copy = pin!(copy_bidirectional(&mut client, &mut server));
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
