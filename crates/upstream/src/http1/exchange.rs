//! One request and the head of its answer.

use std::{
    future::{poll_fn, ready},
    io, mem,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::Either;
use http::{Method, StatusCode, header, response::Parts};
use http_body::Body;
use tokio::time::{Instant, Sleep, sleep};
use traefikrs_http1::{Framing, ResponseHead, ResponseReader, SMALL_READ, append};

use super::{
    encode::{framing_of, write_head},
    sending::{SendError, Sending},
};
use crate::{
    answer::{Answer, UpgradedIo, UpstreamBody},
    dial::{Offer, dial},
    error::{BoxError, Error, Fate, MalformedHead, NoAnswer},
    interim::{CONTINUE_TIMEOUT, MAX_INTERIM, expects_continue},
    peer::Limits,
    pool::{Pool, Retention},
    request::Outgoing,
    stream::Stream,
};

/// Asks on an idle connection if there is one, and on a fresh one if there is none or it proves dead.
pub(crate) fn send<B>(
    pool: Rc<Pool>,
    limits: &Limits,
    request: &mut Outgoing<B>,
) -> impl Future<Output = Result<Answer<B>, NoAnswer>>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    // Outside of the future, which then has to hold the exchange alone, and that once.
    let mut exchange = match Exchange::new(pool, limits, request) {
        Ok(exchange) => exchange,
        Err(error) => return Either::Left(ready(Err(error.into()))),
    };
    Either::Right(async move {
        if let Some(stream) = exchange.pool.take(Instant::now) {
            exchange.reused = true;
            match exchange.run(stream).await {
                Err(failure) if exchange.may_repeat(&failure) => exchange.rewind(&failure),
                result => return result.map_err(|failure| exchange.end(failure)),
            }
        }
        // Boxed, because most requests find a connection.
        match Box::pin(dial(&exchange.pool, limits, Offer::Http1)).await {
            Ok(stream) => exchange.finish(stream).await,
            Err(error) => Err(exchange.end(Failure::before_a_word(error))),
        }
    })
}

/// Asks on a connection that was just made.
pub(crate) async fn send_on<B>(
    stream: Stream,
    pool: Rc<Pool>,
    limits: &Limits,
    request: &mut Outgoing<B>,
) -> Result<Answer<B>, NoAnswer>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    Exchange::new(pool, limits, request)?.finish(stream).await
}

/// What is known of an exchange until the head of its answer is there.
struct Exchange<'r, B> {
    pool: Rc<Pool>,
    retention: Retention,
    header_timeout: Option<Duration>,
    request: &'r mut Outgoing<B>,
    /// Whether the request may be said twice without harm.
    repeatable: bool,
    reused: bool,
    /// Whether a connection that died may have carried it to the server.
    said: bool,
    /// Gone when the request is written and need not be written again.
    sending: Option<Sending<B>>,
    sent: bool,
    write_failed: bool,
    timer: Option<(Timer, Pin<Box<Sleep>>)>,
    heads: ResponseReader,
    n_interim: usize,
    pending: Bytes,
}

#[derive(Debug, Clone, Copy)]
enum Timer {
    Continue,
    ResponseHeader,
}

/// An error, and what it says about the request.
struct Failure {
    error: Error,
    /// The connection failed before the server said anything.
    unanswered: bool,
    /// … and before anything of the request was written.
    unsaid: bool,
}

impl Failure {
    /// There is no connection, or it has taken nothing.
    fn before_a_word(error: Error) -> Self {
        Self {
            error,
            unanswered: true,
            unsaid: true,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            unanswered: false,
            unsaid: false,
        }
    }
}

impl<'r, B> Exchange<'r, B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    fn new(pool: Rc<Pool>, limits: &Limits, request: &'r mut Outgoing<B>) -> Result<Self, Error> {
        if request.method == Method::CONNECT {
            return Err(Error::InvalidRequest("CONNECT needs a tunnel"));
        }
        if request.body.is_none() {
            return Err(Error::InvalidRequest("its body is gone"));
        }
        let framing = framing_of(request);
        let mut head = pool.local.buffers.take_head();
        write_head(&mut head, &pool.server, request, framing);
        let body = request.body.take_if(|_| framing != Framing::None);
        let held = framing != Framing::None && expects_continue(&request.headers);
        Ok(Self {
            pool,
            retention: limits.into(),
            header_timeout: limits.response_header_timeout,
            repeatable: framing == Framing::None && request.is_idempotent(),
            request,
            reused: false,
            said: false,
            sending: Some(Sending::new(head, framing, body, held)),
            sent: false,
            write_failed: false,
            timer: None,
            heads: ResponseReader::default(),
            n_interim: 0,
            pending: Bytes::new(),
        })
    }

    /// Go's rule (`net/http`, `persistConn.shouldRetryRequest`): only a connection that had worked before is excused.
    ///
    /// What a fresh one did is up to the caller, who may know another server.
    fn may_repeat(&self, failure: &Failure) -> bool {
        failure.unsaid || (failure.unanswered && self.repeatable)
    }

    fn rewind(&mut self, failure: &Failure) {
        self.said |= !failure.unsaid;
        self.pool.local.count(|stats| stats.retried += 1);
        if let Some(sending) = &mut self.sending {
            sending.rewind();
        }
        self.reused = false;
        self.sent = false;
        self.write_failed = false;
        self.timer = None;
    }

    /// What is to be told of a failure, with the request given back as far as it is still there.
    fn end(&mut self, failure: Failure) -> NoAnswer {
        if let Some(sending) = &mut self.sending
            && let Some(body) = sending.take_unread()
        {
            self.request.body = Some(body);
        }
        let request = if self.request.body.is_none() {
            Fate::Spent
        } else if failure.unsaid && !self.said {
            Fate::Unsent
        } else if failure.unanswered && self.repeatable {
            Fate::Repeatable
        } else {
            Fate::Spent
        };
        NoAnswer {
            error: failure.error,
            request,
        }
    }

    /// Asks on a fresh connection: there is no other after it.
    async fn finish(&mut self, stream: Stream) -> Result<Answer<B>, NoAnswer> {
        self.run(stream).await.map_err(|failure| self.end(failure))
    }

    async fn run(&mut self, mut stream: Stream) -> Result<Answer<B>, Failure> {
        let head = poll_fn(|cx| self.poll_head(&mut stream, cx)).await?;
        self.answer(stream, head).map_err(Failure::from)
    }

    fn poll_head(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Failure>> {
        loop {
            self.poll_send(stream, cx)?;
            if let Some(head) = self
                .heads
                .read(&mut self.pending)
                .map_err(Error::MalformedHead)?
            {
                match self.sift(head)? {
                    Some(head) => return Poll::Ready(Ok(head)),
                    None => continue,
                }
            }
            match self.pool.local.poll_read(stream, SMALL_READ, cx) {
                Poll::Ready(Ok(bytes)) if bytes.is_empty() => {
                    return Poll::Ready(Err(self.lost(None)));
                }
                Poll::Ready(Ok(bytes)) => append(&mut self.pending, bytes),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.lost(Some(error)))),
                Poll::Pending => match self.poll_timer(cx) {
                    Poll::Ready(Timer::Continue) => self.continue_body(),
                    Poll::Ready(Timer::ResponseHeader) => {
                        return Poll::Ready(Err(Error::ResponseHeaderTimeout.into()));
                    }
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    fn poll_send(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Result<(), Failure> {
        let Some(sending) = self.sending.as_mut().filter(|_| !self.sent) else {
            return Ok(());
        };
        match sending.poll(stream, cx) {
            Poll::Pending if sending.is_held() && self.timer.is_none() => {
                self.timer = Some((Timer::Continue, Box::pin(sleep(CONTINUE_TIMEOUT))));
            }
            Poll::Pending => {}
            Poll::Ready(Ok(())) => self.written(),
            Poll::Ready(Err(SendError::Body(error))) => {
                return Err(Error::RequestBody(error).into());
            }
            Poll::Ready(Err(SendError::Io(error))) if sending.is_touched() => {
                // A server may answer and close before it has read everything: its answer, or the lack of one, says
                // more than the failed write.
                drop(error);
                self.sent = true;
                self.write_failed = true;
            }
            Poll::Ready(Err(SendError::Io(error))) => {
                return Err(Failure::before_a_word(Error::Io(error)));
            }
        }
        Ok(())
    }

    fn written(&mut self) {
        self.sent = true;
        if !(self.reused && self.repeatable) {
            self.drop_sending();
        }
        if let Some(timeout) = self.header_timeout {
            self.timer = Some((Timer::ResponseHeader, Box::pin(sleep(timeout))));
        }
    }

    fn drop_sending(&mut self) {
        if let Some(sending) = self.sending.take() {
            self.pool.local.buffers.return_head(sending.into_head());
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Timer> {
        match &mut self.timer {
            Some((timer, sleep)) => sleep.as_mut().poll(cx).map(|()| *timer),
            None => Poll::Pending,
        }
    }

    fn continue_body(&mut self) {
        if let Some(sending) = self.sending.as_mut().filter(|sending| sending.is_held()) {
            sending.let_go();
            self.timer = None;
        }
    }

    /// Hands interim responses on; a final one comes back.
    fn sift(&mut self, head: ResponseHead) -> Result<Option<ResponseHead>, Error> {
        let status = head.parts.status;
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Some(head));
        }
        self.n_interim += 1;
        if self.n_interim > MAX_INTERIM {
            return Err(Error::MalformedHead(MalformedHead::TooManyInterim));
        }
        if status == StatusCode::CONTINUE {
            self.continue_body();
        }
        if let Some(on_interim) = &self.request.on_interim {
            on_interim.interim(head.parts);
        }
        Ok(None)
    }

    /// The connection ended before there was a head.
    fn lost(&self, error: Option<io::Error>) -> Failure {
        let unanswered = self.pending.is_empty() && self.n_interim == 0;
        let error = match error {
            // Traefik: what has come of a head is malformed then, whatever ended it.
            Some(error) if self.pending.is_empty() => Error::Io(error),
            None if unanswered => Error::Closed,
            _ => Error::TruncatedHead,
        };
        Failure {
            error,
            unanswered,
            unsaid: false,
        }
    }

    fn answer(&mut self, stream: Stream, head: ResponseHead) -> Result<Answer<B>, Error> {
        if head.parts.status == StatusCode::SWITCHING_PROTOCOLS {
            return self.upgraded(stream, head.parts);
        }
        let (decoder, reusable) = head.framing(&self.request.method);
        if self.sent {
            self.drop_sending();
        }
        let body = super::Body::new(
            Rc::clone(&self.pool),
            self.retention,
            stream,
            mem::take(&mut self.pending),
            decoder,
            reusable && !self.write_failed,
            self.sending.take(),
        );
        Ok(Answer::Response {
            head: head.parts,
            body: UpstreamBody::http1(body),
        })
    }

    fn upgraded(&mut self, stream: Stream, head: Parts) -> Result<Answer<B>, Error> {
        let agreed = head.headers.get(header::UPGRADE);
        match (&self.request.upgrade, agreed) {
            (Some(asked), Some(agreed))
                if asked.as_bytes().eq_ignore_ascii_case(agreed.as_bytes()) =>
            {
                let io = UpgradedIo::new(stream, mem::take(&mut self.pending));
                Ok(Answer::Upgraded { head, io })
            }
            _ => Err(Error::UpgradeMismatch),
        }
    }
}
