//! Services that the proxy answers itself.

use http::request::Parts;
use http::{Response, StatusCode};
use traefikrs_compile::compiled::InternalService;

use crate::answer::{self, Answer};
use crate::body::Content;
use crate::worker::Worker;

pub(crate) fn answer(service: InternalService, worker: &Worker, parts: &Parts) -> Answer {
    match service {
        InternalService::Ping if worker.is_terminating() => {
            answer::bare(worker.shared.ping.terminating_status)
        }
        InternalService::Ping => Response::new(Content::from("OK")),
        InternalService::Noop => answer::empty(StatusCode::IM_A_TEAPOT),
        InternalService::Api => match &worker.shared.api {
            Some(api) => api(parts, &worker.generation().published.report).map(Content::Whole),
            None => answer::not_found(),
        },
    }
}
