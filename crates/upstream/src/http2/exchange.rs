//! One request and the head of its answer.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use h2::{Reason, RecvStream, client::ResponseFuture};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header,
    uri::{Authority, Scheme},
};
use http_body::Body as HttpBody;
use tokio::time::{Sleep, sleep};
use traefikrs_http2::{SendError, Sending};

use super::{
    body::Body,
    connection::Ticket,
    upload::{Upload, break_off},
};
use crate::{
    answer::{Answer, UpstreamBody},
    error::{BoxError, Error, Fate, MalformedHead, NoAnswer},
    interim::{CONTINUE_TIMEOUT, MAX_INTERIM, expects_continue},
    peer::{Limits, Scheme as PeerScheme},
    pool::Pool,
    request::Outgoing,
};

/// What is known of an exchange until the head of its answer is there.
pub(super) struct Exchange<'r, B> {
    uri: Uri,
    /// Its body is gone while it is being sent, and when something was taken from it.
    request: &'r mut Outgoing<B>,
    /// Whether the request may be said twice without harm.
    repeatable: bool,
    /// Whether the server may have looked at it.
    said: bool,
    /// Whether its body waits for the server's word.
    is_held: bool,
    header_timeout: Option<Duration>,
    n_interim: usize,
    timer: Option<(Timer, Pin<Box<Sleep>>)>,
}

#[derive(Debug, Clone, Copy)]
enum Timer {
    Continue,
    ResponseHeader,
}

impl<'r, B> Exchange<'r, B>
where
    B: HttpBody<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(
        pool: &Pool,
        limits: &Limits,
        request: &'r mut Outgoing<B>,
    ) -> Result<Self, Error> {
        if request.method == Method::CONNECT {
            return Err(Error::InvalidRequest("CONNECT needs a tunnel"));
        }
        let path = request
            .target
            .to_path_and_query()
            .ok_or(Error::InvalidRequest("target has no form in HTTP/2"))?;
        let scheme = match pool.server.as_peer().scheme {
            PeerScheme::Http | PeerScheme::H2c => Scheme::HTTP,
            PeerScheme::Https(_) => Scheme::HTTPS,
        };
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(authority(pool, request.host.as_ref())?)
            .path_and_query(path)
            .build()
            .map_err(|_| Error::InvalidRequest("target has no form in HTTP/2"))?;
        let is_bodiless = request.body.as_ref().is_some_and(B::is_end_stream);
        Ok(Self {
            uri,
            repeatable: is_bodiless && request.is_idempotent(),
            request,
            said: false,
            is_held: false,
            header_timeout: limits.response_header_timeout,
            n_interim: 0,
            timer: None,
        })
    }

    /// Whether the request may be said again: the server has not looked at it, and all of it is still here.
    pub(super) fn may_repeat(&self, error: &Error) -> bool {
        is_unseen(error) && self.request.body.is_some()
    }

    /// What is to be told of a failure.
    pub(super) fn end(&self, error: Error) -> NoAnswer {
        let is_lost = matches!(&error, Error::Http2(error) if error.is_io());
        let request = if self.request.body.is_none() || matches!(error, Error::InvalidRequest(_)) {
            Fate::Spent
        } else if !self.said {
            Fate::Unsent
        } else if self.repeatable && is_lost && self.n_interim == 0 {
            Fate::Repeatable
        } else {
            Fate::Spent
        };
        NoAnswer { error, request }
    }

    pub(super) async fn run(&mut self, ticket: Ticket) -> Result<Answer<B>, Error> {
        let result = self.ask(ticket).await;
        if let Err(error) = &result
            && is_unseen(error)
        {
            self.said = false;
        }
        result
    }

    async fn ask(&mut self, ticket: Ticket) -> Result<Answer<B>, Error> {
        let mut sender = ticket.sender();
        poll_fn(|cx| sender.poll_ready(cx))
            .await
            .map_err(Error::Http2)?;
        let Some(body) = self.request.body.take() else {
            return Err(Error::InvalidRequest("its body is gone"));
        };
        let is_bodiless = body.is_end_stream();
        let head = self.head(&body);
        self.is_held = !is_bodiless && expects_continue(head.headers());
        let (mut answer, stream) = match sender.send_request(head, is_bodiless) {
            Ok(begun) => begun,
            Err(error) => {
                self.request.body = Some(body);
                return Err(match error.reason() {
                    None if !error.is_io() => {
                        Error::InvalidRequest("fields have no form in HTTP/2")
                    }
                    _ => Error::Http2(error),
                });
            }
        };
        drop(sender);
        self.said = true;
        self.timer = None;
        let mut sending = None;
        if is_bodiless {
            self.request.body = Some(body);
            self.sent();
        } else {
            sending = Some(Sending::new(stream, body));
        }
        let answered = poll_fn(|cx| self.poll_head(&mut answer, &mut sending, cx)).await;
        match answered {
            Ok(answer) => {
                let (mut head, stream) = answer.into_parts();
                say_length_once(&mut head.headers)?;
                let upload = sending.map(|sending| Upload::start(sending, self.is_held));
                let body = Body::new(&head.headers, stream, upload, ticket);
                Ok(Answer::Response {
                    head,
                    body: UpstreamBody::http2(body),
                })
            }
            Err(error) => {
                if let Some(sending) = sending {
                    self.request.body = sending.into_untouched();
                }
                Err(error)
            }
        }
    }

    fn head(&self, body: &B) -> Request<()> {
        let mut headers = self.request.headers.clone();
        frame(&mut headers, &self.request.method, body);
        let mut head = Request::new(());
        *head.method_mut() = self.request.method.clone();
        *head.uri_mut() = self.uri.clone();
        *head.version_mut() = Version::HTTP_2;
        *head.headers_mut() = headers;
        head
    }

    fn poll_head(
        &mut self,
        answer: &mut ResponseFuture,
        sending: &mut Option<Sending<B>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<RecvStream>, Error>> {
        loop {
            self.poll_send(sending, cx)?;
            if let Poll::Ready(Some(Ok(interim))) = answer.poll_informational(cx) {
                self.sift(interim)?;
                continue;
            }
            if let Poll::Ready(answer) = Pin::new(&mut *answer).poll(cx) {
                return Poll::Ready(answer.map_err(Error::Http2));
            }
            match self.poll_timer(cx) {
                Poll::Ready(Timer::Continue) => self.continue_body(),
                Poll::Ready(Timer::ResponseHeader) => {
                    return Poll::Ready(Err(Error::ResponseHeaderTimeout));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_send(
        &mut self,
        sending: &mut Option<Sending<B>>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let Some(body) = sending else {
            return Ok(());
        };
        let sent = if self.is_held {
            if self.timer.is_none() {
                self.timer = Some((Timer::Continue, Box::pin(sleep(CONTINUE_TIMEOUT))));
            }
            body.poll_unwanted(cx).map(|()| Err(SendError::Unwanted))
        } else {
            body.poll(cx)
        };
        match sent {
            Poll::Pending => {}
            // A server may answer and refuse the rest: its answer, or the lack of one, says more.
            Poll::Ready(Ok(()) | Err(SendError::Unwanted)) => {
                let sent = sending.take();
                self.request.body = sent.and_then(Sending::into_untouched);
                self.sent();
            }
            Poll::Ready(Err(SendError::Body(error))) => {
                break_off(body);
                *sending = None;
                return Err(Error::RequestBody(error.into()));
            }
        }
        Ok(())
    }

    fn sent(&mut self) {
        self.timer = self
            .header_timeout
            .map(|timeout| (Timer::ResponseHeader, Box::pin(sleep(timeout))));
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Timer> {
        match &mut self.timer {
            Some((timer, sleep)) => sleep.as_mut().poll(cx).map(|()| *timer),
            None => Poll::Pending,
        }
    }

    fn continue_body(&mut self) {
        if self.is_held {
            self.is_held = false;
            self.timer = None;
        }
    }

    /// Hands interim responses on.
    fn sift(&mut self, interim: Response<()>) -> Result<(), Error> {
        let (head, ()) = interim.into_parts();
        self.n_interim += 1;
        if self.n_interim > MAX_INTERIM {
            return Err(Error::MalformedHead(MalformedHead::TooManyInterim));
        }
        match head.status {
            // RFC 9113 §8.6: there is no such thing in HTTP/2.
            StatusCode::SWITCHING_PROTOCOLS => return Err(Error::UpgradeMismatch),
            StatusCode::CONTINUE => self.continue_body(),
            _ => {}
        }
        if let Some(on_interim) = &self.request.on_interim {
            on_interim.interim(head);
        }
        Ok(())
    }
}

/// Whether the server says that it has not looked at the request.
///
/// RFC 9113 §8.7: a stream that was refused, or that a GOAWAY leaves out, was not processed; nor was one on a connection
/// that was closing before. Whatever else ends a connection ends its streams by another error.
fn is_unseen(error: &Error) -> bool {
    let Error::Http2(error) = error else {
        return false;
    };
    error.is_remote()
        && (error.is_go_away()
            || (error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)))
}

/// Fields that say how a message is framed or what becomes of its connection are this layer's to write.
fn frame(headers: &mut HeaderMap, method: &Method, body: &impl HttpBody) {
    for name in [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::HeaderName::from_static("keep-alive"),
        header::HeaderName::from_static("proxy-connection"),
    ] {
        headers.remove(name);
    }
    // Go: one name of a client goes on, and an empty one is none.
    if let header::Entry::Occupied(mut user_agent) = headers.entry(header::USER_AGENT) {
        let first = user_agent.get().clone();
        if first.is_empty() {
            user_agent.remove();
        } else {
            user_agent.insert(first);
        }
    }
    if headers.get(header::TE).is_some_and(|te| te != "trailers") {
        headers.remove(header::TE);
    }
    let Some(length) = body.size_hint().exact() else {
        return;
    };
    // RFC 9110 §8.6: no content is said aloud where some is expected.
    if length > 0 || matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// RFC 9110 §8.6: a length that is said more than once is one if it is the same each time, and goes on as one.
fn say_length_once(headers: &mut HeaderMap) -> Result<(), Error> {
    let header::Entry::Occupied(mut lengths) = headers.entry(header::CONTENT_LENGTH) else {
        return Ok(());
    };
    let first = lengths.get().clone();
    if lengths.iter().any(|length| *length != first) {
        return Err(Error::MalformedHead(MalformedHead::ContentLength));
    }
    lengths.insert(first);
    Ok(())
}

fn authority(pool: &Pool, host: Option<&HeaderValue>) -> Result<Authority, Error> {
    match host.filter(|host| !host.is_empty()) {
        Some(host) => Authority::try_from(host.as_bytes()),
        None => Authority::try_from(pool.server.as_peer().to_string()),
    }
    .map_err(|_| Error::InvalidRequest("host is no authority"))
}
