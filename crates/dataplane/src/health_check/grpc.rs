//! Asks by the health protocol of gRPC.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Limited};
use tonic::codegen::Service;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use traefikrs_compile::compiled::{Asked, Server, Transport};
use traefikrs_upstream::{Answer, BoxError, Outgoing, Target, Upstreams};

use super::Unwell;
use crate::forward;

/// The answer has a few bytes.
const LONGEST_ANSWER: usize = 4 * 1024;

pub(super) async fn ask(
    upstreams: &Upstreams,
    transport: &Transport,
    asked: &Asked,
) -> Result<(), Unwell> {
    let channel = Channel {
        upstreams: upstreams.clone(),
        server: asked.server.clone(),
        transport: transport.clone(),
    };
    // The whole server is meant by no service.
    let question = HealthCheckRequest::default();
    let answer = HealthClient::new(channel)
        .check(question)
        .await
        .map_err(|status| Unwell::Grpc(status.code()))?;
    match answer.into_inner().status() {
        ServingStatus::Serving => Ok(()),
        other => Err(Unwell::NotServing(other.as_str_name())),
    }
}

/// A server as tonic sees it.
struct Channel {
    upstreams: Upstreams,
    server: Server,
    transport: Transport,
}

type Response = http::Response<Collected<Bytes>>;

impl Service<http::Request<tonic::body::Body>> for Channel {
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let upstreams = self.upstreams.clone();
        let (server, transport) = (self.server.clone(), self.transport.clone());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let path = parts.uri.path_and_query().ok_or("no path")?.clone();
            let mut outgoing = Outgoing::new(parts.method, Target::from(path), body);
            outgoing.host = Some(server.host_header.clone());
            outgoing.headers = parts.headers;
            let (peer, limits) = (
                forward::peer_in(server.pool.into(), &server),
                forward::limits(&transport, 1),
            );
            let answered = upstreams.send(&peer, &limits, &mut outgoing).await;
            match answered.map_err(|no_answer| no_answer.error)? {
                Answer::Response { head, body } => {
                    let body = Limited::new(body, LONGEST_ANSWER).collect().await?;
                    Ok(http::Response::from_parts(head, body))
                }
                Answer::Upgraded { .. } => Err("no answer in gRPC".into()),
            }
        })
    }
}
