//! Bodies that are kept, so that they can be sent more than once.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use traefikrs_compile::compiled::BodyLimit;
use traefikrs_upstream::BoxError;

use crate::body::Upload;

/// The largest body that is kept where the configuration names no limit, in bytes.
pub(crate) const KEPT_UNLESS_LIMITED: u64 = 8 << 20;

/// What all bodies may take that one thread keeps at a time, in bytes.
const ROOM: usize = 64 << 20;

/// How much more of bodies may be kept by this thread?
#[derive(Debug)]
pub(crate) struct Room(Cell<usize>);

impl Room {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self(Cell::new(ROOM)))
    }
}

/// A part of the room, given back in the end.
#[derive(Debug)]
struct Share {
    room: Rc<Room>,
    size: usize,
}

impl Share {
    fn grow(&mut self, size: usize) -> Result<(), Excess> {
        let left = self.room.0.get();
        let left = left.checked_sub(size).ok_or(Excess::Room)?;
        self.room.0.set(left);
        self.size += size;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.0.set(self.room.0.get() + self.size);
    }
}

/// Why no more of a body is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// It is larger than the configuration says.
    Limit,
    /// There is no more room for it.
    Room,
}

/// The body is larger than the configuration says.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("request body too large")]
pub(crate) struct TooLarge;

/// The beginning of a body.
#[derive(Debug)]
pub(crate) struct Beginning {
    // Copied, because a slice of what was read keeps all of it.
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    share: Share,
    limit: BodyLimit,
    has_length: bool,
}

impl Beginning {
    /// The beginning of this body, of which nothing has been read yet.
    pub(crate) fn of(body: &Upload, limit: BodyLimit, room: &Rc<Room>) -> Self {
        Self {
            data: Vec::new(),
            trailers: None,
            share: Share {
                room: Rc::clone(room),
                size: 0,
            },
            limit,
            has_length: body.size_hint().exact().is_some(),
        }
    }

    pub(crate) fn push(&mut self, frame: &Frame<Bytes>) -> Result<(), Excess> {
        if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
        }
        let Some(data) = frame.data_ref() else {
            return Ok(());
        };
        let len = self.data.len() + data.len();
        let limit = self.limit.0.unwrap_or(KEPT_UNLESS_LIMITED);
        if len as u64 > limit {
            return Err(match self.limit.0 {
                Some(_) => Excess::Limit,
                None => Excess::Room,
            });
        }
        if len > self.data.capacity() {
            let more = len.max(2 * self.data.capacity()) - self.data.len();
            self.share
                .grow(self.data.len() + more - self.data.capacity())?;
            self.data.reserve_exact(more);
        }
        self.data.extend_from_slice(data);
        Ok(())
    }

    /// The whole body, now that all of it is there.
    pub(crate) fn complete(self) -> Replay {
        Replay(Rc::new(Kept {
            data: self.data.into(),
            trailers: self.trailers,
            has_length: self.has_length,
            _share: self.share,
        }))
    }
}

/// A body that can be sent any number of times. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Replay(Rc<Kept>);

#[derive(Debug)]
struct Kept {
    data: Bytes,
    trailers: Option<HeaderMap>,
    /// Whether the length was known in front, and shall be.
    has_length: bool,
    _share: Share,
}

impl Replay {
    /// The body, from its beginning.
    pub(crate) fn upload(&self) -> Upload {
        if self.0.has_length && self.0.data.is_empty() {
            return Upload::Empty;
        }
        Upload::made(Replayed {
            kept: Rc::clone(&self.0),
            next: Part::Data,
        })
    }
}

struct Replayed {
    kept: Rc<Kept>,
    next: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Data,
    Trailers,
    End,
}

impl Body for Replayed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.next == Part::Data {
            self.next = Part::Trailers;
            if !self.kept.data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(self.kept.data.clone()))));
            }
        }
        if self.next == Part::Trailers {
            self.next = Part::End;
            if let Some(trailers) = &self.kept.trailers {
                return Poll::Ready(Some(Ok(Frame::trailers(trailers.clone()))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        match self.next {
            // What has no length is framed even when it is empty.
            Part::Data => false,
            Part::Trailers => self.kept.trailers.is_none(),
            Part::End => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let left = match self.next {
            Part::Data => self.kept.data.len() as u64,
            Part::Trailers | Part::End => 0,
        };
        if self.kept.has_length {
            SizeHint::with_exact(left)
        } else {
            SizeHint::default()
        }
    }
}

/// What became of a body that was to be kept.
pub(crate) enum Gathered {
    /// All of it is there.
    Whole(Replay),
    /// There is no room for it: it can be sent only once.
    Once(Upload),
}

/// Why a body is not sent at all.
pub(crate) enum Refusal {
    /// It is larger than the configuration says.
    TooLarge,
    /// The client broke it off.
    Broken(BoxError),
}

/// Reads a body to its end, as far as there is room.
pub(crate) async fn gather(
    mut body: Upload,
    limit: BodyLimit,
    room: &Rc<Room>,
) -> Result<Gathered, Refusal> {
    if limit
        .0
        .is_some_and(|limit| body.size_hint().lower() > limit)
    {
        return Err(Refusal::TooLarge);
    }
    let mut beginning = Beginning::of(&body, limit, room);
    while !body.is_end_stream() {
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let Some(frame) = frame.transpose().map_err(Refusal::Broken)? else {
            break;
        };
        match beginning.push(&frame) {
            Ok(()) => {}
            Err(Excess::Limit) => return Err(Refusal::TooLarge),
            Err(Excess::Room) => {
                return Ok(Gathered::Once(Upload::made(Joined::new(
                    beginning, frame, body,
                ))));
            }
        }
    }
    Ok(Gathered::Whole(beginning.complete()))
}

/// The beginning of a body and the rest of it.
struct Joined {
    first: Option<Bytes>,
    second: Option<Frame<Bytes>>,
    rest: Upload,
    /// What may still come; `None` means anything.
    left: Option<u64>,
    length: Option<u64>,
    _share: Share,
}

impl Joined {
    fn new(beginning: Beginning, next: Frame<Bytes>, rest: Upload) -> Self {
        let size = (beginning.data.len() + next.data_ref().map_or(0, Bytes::len)) as u64;
        let length = rest.size_hint().exact();
        Self {
            left: beginning.limit.0.map(|limit| limit.saturating_sub(size)),
            length: length
                .filter(|_| beginning.has_length)
                .map(|rest| size + rest),
            first: Some(beginning.data.into()).filter(|data: &Bytes| !data.is_empty()),
            second: Some(next),
            rest,
            _share: beginning.share,
        }
    }
}

impl Body for Joined {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let kept = this.first.take().map(Frame::data);
        let frame = match kept.or_else(|| this.second.take()) {
            Some(frame) => frame,
            None => {
                let frame = match ready!(Pin::new(&mut this.rest).poll_frame(cx)) {
                    Some(Ok(frame)) => frame,
                    end => return Poll::Ready(end),
                };
                let len = frame.data_ref().map_or(0, Bytes::len) as u64;
                if let Some(left) = &mut this.left {
                    let Some(less) = left.checked_sub(len) else {
                        return Poll::Ready(Some(Err(TooLarge.into())));
                    };
                    *left = less;
                }
                frame
            }
        };
        if let (Some(length), Some(data)) = (&mut this.length, frame.data_ref()) {
            *length = length.saturating_sub(data.len() as u64);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.second.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
