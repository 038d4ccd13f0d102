//! Services that ask more than one server.

use std::pin::Pin;
use std::rc::Rc;

use traefikrs_compile::compiled::Service;

use crate::answer::Answer;
use crate::apply::Passed;
use crate::body::Upload;
use crate::connection::Connection;
use crate::forward::Request;
use crate::route::{self, Composed, Picked};
use crate::serve::Inbound;
use crate::{failover, forward, mirror};

/// An answer to come. Boxed, because services are made of services.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

/// Answers by a service that asks more than one server.
pub(crate) fn answer<'a>(
    composed: Composed<'a>,
    inbound: Inbound,
    body: Upload,
    connection: &'a Rc<Connection>,
) -> Answering<'a> {
    match composed {
        Composed::Mirroring { mirroring, chosen } => {
            Box::pin(mirror::answer(mirroring, chosen, inbound, body, connection))
        }
        Composed::Failover {
            failover,
            on_status,
        } => Box::pin(failover::answer(
            failover, on_status, inbound, body, connection,
        )),
    }
}

/// Answers by any service, and its own middlewares.
pub(crate) fn by<'a>(
    service: &'a Service,
    mut inbound: Inbound,
    body: Upload,
    connection: &'a Rc<Connection>,
) -> Answering<'a> {
    Box::pin(async move {
        let mut passed = Passed::default();
        let worker = &connection.entry_point.worker;
        let picked = route::pick(service, &mut inbound, &mut passed, worker);
        let context = inbound.context.clone();
        let answer = match picked {
            Ok(Picked::Server(mut turn)) => {
                let answered = match Request::new(connection, &turn, inbound, body) {
                    Ok(mut request) => forward::ask(connection, &mut turn, &mut request).await,
                    Err(error) => Err(error),
                };
                forward::answer(connection, turn, answered, &mut passed)
            }
            Ok(Picked::Composed(composed)) => answer(composed, inbound, body, connection).await,
            Err(answer) => *answer,
        };
        passed.back(answer, &context)
    })
}
