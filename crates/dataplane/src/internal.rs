//! Services that the proxy answers itself.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use traefikrs_compile::compiled::InternalService;

use crate::answer::{self, Answer};
use crate::body::Content;
use crate::worker::Worker;

pub(crate) fn answer(service: InternalService, worker: &Worker, parts: &Parts) -> Answer {
    match service {
        InternalService::Ping if worker.is_terminating() => {
            let mut answer = answer::bare(worker.shared.ping.terminating_status);
            sniffed(&mut answer);
            answer
        }
        InternalService::Ping => {
            let mut answer = Response::new(Content::from("OK"));
            sniffed(&mut answer);
            answer
        }
        InternalService::Noop => answer::empty(StatusCode::IM_A_TEAPOT),
        InternalService::Api => match &worker.shared.api {
            Some(api) => api(parts).map(Content::Whole),
            None => answer::not_found(),
        },
    }
}

fn sniffed(answer: &mut Answer) {
    answer.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
}
