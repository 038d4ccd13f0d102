//! A service, and another where its answer is not wanted.

use std::rc::Rc;

use http::StatusCode;
use traefikrs_compile::compiled::{Failover, OnStatus};

use crate::answer::{self, Answer};
use crate::body::Upload;
use crate::compose;
use crate::connection::Connection;
use crate::discard::discard;
use crate::forward::Error;
use crate::pick;
use crate::replay::{Gathered, Refusal, gather};
use crate::serve::Inbound;

/// Answers by the main service, or by its fallback if the status says so.
pub(crate) async fn answer(
    failover: &Failover,
    on_status: &OnStatus,
    inbound: Inbound,
    body: Upload,
    connection: &Rc<Connection>,
) -> Answer {
    let worker = &connection.entry_point.worker;
    let body = match gather(body, on_status.body, &worker.room).await {
        Ok(Gathered::Whole(body)) => body,
        Ok(Gathered::Once(body)) => {
            tracing::debug!("request body is too large for another try");
            return compose::by(&failover.main, inbound, body, connection).await;
        }
        Err(Refusal::TooLarge) => return answer::too_large(),
        Err(Refusal::Broken(error)) => {
            let error = Error::from(traefikrs_upstream::Error::RequestBody(error));
            tracing::debug!(%error, cause = error.cause(), "request body broke off");
            return answer::fault(error.status());
        }
    };
    // Traefik: what comes before an answer that may not be wanted is swallowed.
    let unheard = Inbound {
        client: None,
        ..inbound.clone()
    };
    let main = compose::by(&failover.main, unheard, body.upload(), connection).await;
    let is_final = main.status() == StatusCode::SWITCHING_PROTOCOLS;
    if is_final || !on_status.statuses.contains(main.status()) {
        return main;
    }
    tracing::debug!(status = %main.status(), "asking the fallback");
    discard(main.into_body(), worker);
    if !failover.may_fall_back(&pick::client(&inbound), worker.clock.instant()) {
        return answer::fault(StatusCode::SERVICE_UNAVAILABLE);
    }
    compose::by(&failover.fallback, inbound, body.upload(), connection).await
}
