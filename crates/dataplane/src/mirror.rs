//! Copies of requests, for services that answer to nobody.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{EXPECT, TRAILER};
use http_body::{Body, Frame, SizeHint};
use traefikrs_compile::compiled::{BodyLimit, Mirroring, Service};
use traefikrs_lb::mirror::Chosen;
use traefikrs_upstream::BoxError;

use crate::answer::Answer;
use crate::body::{Content, Upload};
use crate::compose;
use crate::connection::Connection;
use crate::discard::{drain, within};
use crate::replay::{Beginning, Replay, Room};
use crate::serve::Inbound;
use crate::worker::Worker;

/// How long a mirror may take for its answer, which nobody gets.
const TIME: Duration = Duration::from_secs(60);

/// How long the answer waits for the rest of a body that its own server did not want.
const REST_TIME: Duration = Duration::from_millis(250);

/// Answers by the main service; the mirrors get their copies when the answer is through.
pub(crate) async fn answer(
    mirroring: &Mirroring,
    chosen: Chosen,
    inbound: Inbound,
    body: Upload,
    connection: &Rc<Connection>,
) -> Answer {
    let worker = &connection.entry_point.worker;
    let mirrors = chosen
        .iter()
        .filter_map(|&mirror| mirroring.mirrors.get(mirror))
        .map(Arc::clone)
        .collect();
    let mut request = inbound.clone();
    // A server that switches protocols would wait for somebody to speak to.
    request.upgrade = None;
    request.client = None;
    let (body, copy) = match mirroring.body {
        Some(limit) => {
            let (body, copy) = copied(body, limit, &worker.room);
            (body, Some(copy))
        }
        None => {
            forget_body(&mut request);
            (body, None)
        }
    };
    let answer = compose::by(&mirroring.main, inbound, body, connection).await;
    if let Some(copy) = &copy {
        copy.complete(connection).await;
    }
    let order = Order {
        mirrors,
        request,
        copy,
        connection: Rc::clone(connection),
    };
    answer.map(|content| Content::Followed(Box::new(Followed::new(content, order))))
}

/// Leaves nothing in the head that speaks of a body.
fn forget_body(request: &mut Inbound) {
    for name in [EXPECT, TRAILER] {
        request.parts.headers.remove(name);
    }
}

/// Copies to make.
pub(crate) struct Order {
    mirrors: Vec<Arc<Service>>,
    request: Inbound,
    /// `None` means that the copies have no bodies.
    copy: Option<Rc<BodyCopy>>,
    connection: Rc<Connection>,
}

impl Order {
    /// Has the copies made, unless the body was not copied whole.
    fn place(self) {
        let Self {
            mirrors,
            request,
            copy,
            connection,
        } = self;
        let body = match copy.map(|copy| copy.take()) {
            None => None,
            Some(Progress::Whole(body)) => Some(body),
            Some(_) => {
                tracing::debug!("not mirrored: body is too large, or was not read to its end");
                return;
            }
        };
        let worker = Rc::clone(&connection.entry_point.worker);
        let copying = async move {
            // Traefik: one after the other.
            for mirror in mirrors {
                let body = body.as_ref().map_or(Upload::Empty, Replay::upload);
                ask(&mirror, request.clone(), body, &connection).await;
            }
        };
        if worker.background.take(copying).is_err() {
            tell_dropped(&worker);
        }
    }
}

/// Sends one copy, and reads the answer that nobody wants.
async fn ask(mirror: &Service, request: Inbound, body: Upload, connection: &Rc<Connection>) {
    let asking = async {
        let answer = compose::by(mirror, request, body, connection).await;
        drain(answer.into_body()).await;
    };
    if !within(TIME, &connection.entry_point.worker.clock, asking).await {
        tracing::debug!(mirror = %mirror.name, "mirror took too long");
    }
}

/// Speaks up now and then: a line for each would bury everything else.
fn tell_dropped(worker: &Worker) {
    let dropped = worker.dropped_copies.get() + 1;
    worker.dropped_copies.set(dropped);
    if dropped.is_power_of_two() {
        tracing::warn!(dropped, "requests not mirrored: mirrors are too slow");
    }
}

/// An answer to the client, after which the mirrors get their copies.
pub(crate) struct Followed {
    content: Content,
    /// Gone when the answer broke off.
    order: Option<Order>,
}

impl Followed {
    fn new(content: Content, order: Order) -> Self {
        Self {
            content,
            order: Some(order),
        }
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, traefikrs_upstream::Error>>> {
        let frame = ready!(Pin::new(&mut self.content).poll_frame(cx));
        if matches!(frame, Some(Err(_))) {
            self.order = None;
        }
        Poll::Ready(frame)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if let Some(order) = self.order.take()
            && self.content.is_complete()
        {
            // The rest of the request goes first.
            self.content = Content::from("");
            order.place();
        }
    }
}

/// A body that is copied as it passes, and the copy.
fn copied(body: Upload, limit: BodyLimit, room: &Rc<Room>) -> (Upload, Rc<BodyCopy>) {
    let beginning = Beginning::of(&body, limit, room);
    if body.is_end_stream() {
        return (body, BodyCopy::new(Progress::Whole(beginning.complete())));
    }
    let is_excess = limit
        .0
        .is_some_and(|limit| body.size_hint().lower() > limit);
    if is_excess {
        return (body, BodyCopy::new(Progress::Gone));
    }
    let copy = BodyCopy::new(Progress::Begun(beginning));
    let tee = Tee {
        body: Some(body),
        copy: Rc::clone(&copy),
    };
    (Upload::made(tee), copy)
}

/// A copy of a body, as far as it has come.
struct BodyCopy(RefCell<Progress>);

enum Progress {
    Begun(Beginning),
    /// Nobody wanted the rest.
    Left(Beginning, Upload),
    Whole(Replay),
    /// Given away, or given up.
    Gone,
}

impl BodyCopy {
    fn new(progress: Progress) -> Rc<Self> {
        Rc::new(Self(RefCell::new(progress)))
    }

    fn push(&self, frame: &Frame<Bytes>) {
        let mut progress = self.0.borrow_mut();
        if let Progress::Begun(beginning) = &mut *progress
            && beginning.push(frame).is_err()
        {
            *progress = Progress::Gone;
        }
    }

    fn give_up(&self) {
        self.0.replace(Progress::Gone);
    }

    fn finish(&self) {
        let mut progress = self.0.borrow_mut();
        *progress = match mem::replace(&mut *progress, Progress::Gone) {
            Progress::Begun(beginning) => Progress::Whole(beginning.complete()),
            other => other,
        };
    }

    fn leave(&self, rest: Upload) {
        let mut progress = self.0.borrow_mut();
        *progress = match mem::replace(&mut *progress, Progress::Gone) {
            Progress::Begun(beginning) => Progress::Left(beginning, rest),
            other => other,
        };
    }

    /// Reads what nobody wanted, as far as it is there.
    async fn complete(&self, connection: &Connection) {
        let (mut beginning, mut rest) = match self.take() {
            Progress::Left(beginning, rest) => (beginning, rest),
            other => {
                self.0.replace(other);
                return;
            }
        };
        let deadline = connection.deadline_in(REST_TIME);
        while !rest.is_end_stream() {
            let frame = poll_fn(|cx| match Pin::new(&mut rest).poll_frame(cx) {
                Poll::Pending if deadline.poll(cx).is_ready() => Poll::Ready(Err(())),
                Poll::Pending => Poll::Pending,
                Poll::Ready(frame) => Poll::Ready(frame.transpose().map_err(drop)),
            });
            match frame.await {
                Ok(Some(frame)) if beginning.push(&frame).is_ok() => {}
                Ok(None) => break,
                Ok(Some(_)) | Err(()) => return,
            }
        }
        self.0.replace(Progress::Whole(beginning.complete()));
    }

    fn take(&self) -> Progress {
        self.0.replace(Progress::Gone)
    }
}

/// A body on its way to the main service.
struct Tee {
    /// Present until it is dropped.
    body: Option<Upload>,
    copy: Rc<BodyCopy>,
}

impl Body for Tee {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, copy } = &mut *self;
        let Some(body) = body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => copy.push(frame),
            Some(Err(_)) => copy.give_up(),
            None => copy.finish(),
        }
        if body.is_end_stream() {
            copy.finish();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        if let Some(rest) = self.body.take() {
            self.copy.leave(rest);
        }
    }
}
