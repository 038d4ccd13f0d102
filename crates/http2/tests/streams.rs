//! Bodies between the two ends of a connection, in memory.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::task::{LocalSet, spawn_local, yield_now};
use traefikrs_http2::{Received, SendError, Sending};

const LARGE: usize = 1 << 20;

/// Has a client ask a server that plays each stream.
fn between<F, G>(
    server: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> F + 'static,
    client: impl FnOnce(SendRequest<Bytes>) -> G,
) where
    F: Future<Output = ()> + 'static,
    G: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let (near, far) = tokio::io::duplex(1 << 20);
        spawn_local(async move {
            let mut connection = h2::server::handshake(far).await.unwrap();
            while let Some(Ok((request, respond))) = connection.accept().await {
                spawn_local(server(request, respond));
            }
        });
        let (sender, connection) = Builder::new().handshake(near).await.unwrap();
        spawn_local(connection);
        client(sender.ready().await.unwrap()).await;
    });
}

fn ask(client: &mut SendRequest<Bytes>) -> ResponseFuture {
    let (answer, _) = client.send_request(Request::new(()), true).unwrap();
    answer
}

fn begin(respond: &mut SendResponse<Bytes>) -> SendStream<Bytes> {
    respond.send_response(Response::new(()), false).unwrap()
}

fn received(answer: Response<RecvStream>) -> Received {
    let (head, stream) = answer.into_parts();
    Received::new(&head.headers, stream)
}

/// The reason for which a body has no end behind its half.
async fn reset_behind_half(mut body: Received) -> Option<Reason> {
    let half = body.frame().await.unwrap().unwrap();
    assert_eq!(half.into_data().unwrap(), "half");
    body.frame().await.unwrap().unwrap_err().reason()
}

/// Lets the other tasks do all they can.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// Tells how much has been taken of it.
struct Counted {
    left: usize,
    taken: Rc<Cell<usize>>,
}

const PIECE: usize = 10_000;

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.left.min(PIECE);
        self.left -= piece;
        self.taken.set(self.taken.get() + piece);
        Poll::Ready((piece > 0).then(|| Ok(Frame::data(Bytes::from(vec![b'a'; piece])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

#[test]
fn no_more_is_taken_from_a_body_than_there_is_room_for() {
    const WINDOW: usize = 65_535;
    let taken = Rc::new(Cell::new(0));
    let counter = Rc::clone(&taken);
    between(
        move |_, mut respond| {
            let body = Counted {
                left: LARGE,
                taken: Rc::clone(&counter),
            };
            async move {
                let mut sending = Sending::new(begin(&mut respond), body);
                poll_fn(|cx| sending.poll(cx)).await.unwrap();
            }
        },
        |mut client| async move {
            let answer = ask(&mut client).await.unwrap();
            settle().await;
            assert!((WINDOW..WINDOW + PIECE).contains(&taken.get()), "{taken:?}");
            let body = received(answer).collect().await.unwrap();
            assert_eq!(body.to_bytes().len(), LARGE);
        },
    );
}

#[test]
fn a_length_that_was_told_is_counted_down() {
    between(
        |_, mut respond| async move {
            let head = Response::builder().header("content-length", "6");
            let mut stream = respond
                .send_response(head.body(()).unwrap(), false)
                .unwrap();
            stream.send_data("abcd".into(), false).unwrap();
            stream.send_data("ef".into(), true).unwrap();
        },
        |mut client| async move {
            let mut body = received(ask(&mut client).await.unwrap());
            assert_eq!(body.size_hint().exact(), Some(6));
            let mut left = 6;
            while let Some(frame) = body.frame().await {
                left -= frame.unwrap().into_data().unwrap().len() as u64;
                assert_eq!(body.size_hint().exact(), Some(left));
            }
            assert!(body.is_end_stream());
        },
    );
}

#[test]
fn the_answer_to_a_head_has_nothing_behind_it() {
    between(
        |_, mut respond| async move {
            let head = Response::builder().header("content-length", "6");
            respond.send_response(head.body(()).unwrap(), true).unwrap();
        },
        |mut client| async move {
            let (answer, _) = client
                .send_request(Request::head("http://x/").body(()).unwrap(), true)
                .unwrap();
            let body = received(answer.await.unwrap());
            assert_eq!(body.size_hint().exact(), Some(0));
            assert!(body.is_end_stream());
        },
    );
}

#[test]
fn a_reset_is_never_the_end() {
    for reason in [Reason::NO_ERROR, Reason::CANCEL, Reason::INTERNAL_ERROR] {
        between(
            move |_, mut respond| async move {
                let mut stream = begin(&mut respond);
                stream.send_data("half".into(), false).unwrap();
                settle().await;
                stream.send_reset(reason);
            },
            |mut client| async move {
                let body = received(ask(&mut client).await.unwrap());
                assert_eq!(reset_behind_half(body).await, Some(reason));
            },
        );
    }
}

fn trailers(names: &[&'static str]) -> HeaderMap {
    let value = HeaderValue::from_static("v");
    let named = names
        .iter()
        .map(|&name| (name.parse().unwrap(), value.clone()));
    named.collect()
}

#[test]
fn what_must_not_trail_neither_goes_out_nor_comes_in() {
    const SENT: &[&str] = &["grpc-status", "content-length", "x-forwarded-for"];
    // Sent as they are, the receiver drops them; sent as a body's, the sender does.
    between(
        |request, mut respond| async move {
            let mut stream = begin(&mut respond);
            if request.uri().path() == "/raw" {
                stream.send_trailers(trailers(SENT)).unwrap();
                return;
            }
            let names = if request.uri().path() == "/none" {
                &SENT[1..]
            } else {
                SENT
            };
            let frame = Ok::<_, Infallible>(Frame::trailers(trailers(names)));
            let body = StreamBody::new(futures_util::stream::iter([frame]));
            let mut sending = Sending::new(stream, body);
            poll_fn(|cx| sending.poll(cx)).await.unwrap();
        },
        |mut client| async move {
            for (path, expected) in [
                ("/raw", Some(trailers(&SENT[..1]))),
                ("/", Some(trailers(&SENT[..1]))),
                ("/none", None),
            ] {
                let request = Request::get(format!("http://x{path}")).body(()).unwrap();
                let (answer, _) = client.send_request(request, true).unwrap();
                let mut answer = answer.await.unwrap();
                let got = if path == "/raw" {
                    received(answer)
                        .collect()
                        .await
                        .unwrap()
                        .trailers()
                        .cloned()
                } else {
                    while let Some(data) = answer.body_mut().data().await {
                        assert!(data.unwrap().is_empty());
                    }
                    answer.body_mut().trailers().await.unwrap()
                };
                assert_eq!(got, expected, "{path}");
            }
        },
    );
}

#[test]
fn a_body_that_nobody_wants_comes_back_untouched() {
    let (sent, came_back) = tokio::sync::oneshot::channel();
    let sent = Cell::new(Some(sent));
    between(
        move |_, mut respond| {
            let sent = sent.take().unwrap();
            async move {
                let body = Full::new(Bytes::from_static(b"body"));
                let mut sending = Sending::new(begin(&mut respond), body);
                poll_fn(|cx| sending.poll_unwanted(cx)).await;
                let end = poll_fn(|cx| sending.poll(cx)).await;
                assert!(matches!(end, Err(SendError::Unwanted)), "{end:?}");
                sent.send(sending.into_untouched().is_some()).unwrap();
            }
        },
        |mut client| async move {
            drop(ask(&mut client).await.unwrap());
            assert_eq!(came_back.await, Ok(true));
        },
    );
}

#[test]
fn a_body_that_breaks_off_has_no_end() {
    between(
        |_, mut respond| async move {
            let frames = [Ok(Frame::data(Bytes::from_static(b"half"))), Err("broken")];
            let body = StreamBody::new(futures_util::stream::iter(frames));
            let mut sending = Sending::new(begin(&mut respond), body);
            let end = poll_fn(|cx| sending.poll(cx)).await;
            assert!(matches!(end, Err(SendError::Body("broken"))), "{end:?}");
            settle().await;
            sending.reset(Reason::INTERNAL_ERROR);
            assert!(sending.into_untouched().is_none());
        },
        |mut client| async move {
            let body = received(ask(&mut client).await.unwrap());
            assert_eq!(reset_behind_half(body).await, Some(Reason::INTERNAL_ERROR));
        },
    );
}

#[test]
fn one_large_body_leaves_room_for_others() {
    between(
        |request, mut respond| async move {
            let left = if request.uri().path() == "/large" {
                LARGE
            } else {
                10
            };
            let body = Counted {
                left,
                taken: Rc::default(),
            };
            let mut sending = Sending::new(begin(&mut respond), body);
            // Whoever asked for the large one may have gone.
            drop(poll_fn(|cx| sending.poll(cx)).await);
        },
        |mut client| async move {
            let large = Request::get("http://x/large").body(()).unwrap();
            let (large, _) = client.send_request(large, true).unwrap();
            let mut large = received(large.await.unwrap());
            settle().await;
            // The large one has filled the window of the connection; what becomes free is not its own alone.
            let mut small = ask(&mut client);
            let small = loop {
                tokio::select! {
                    biased;
                    small = &mut small => break small.unwrap(),
                    frame = large.frame() => drop(frame.unwrap().unwrap()),
                }
            };
            let mut small = received(small);
            let mut n_large = 0;
            loop {
                tokio::select! {
                    biased;
                    frame = small.frame() => match frame {
                        Some(frame) => drop(frame.unwrap()),
                        None => break,
                    },
                    frame = large.frame() => n_large += frame.unwrap().unwrap().into_data().unwrap().len(),
                }
            }
            assert!(n_large < LARGE / 2, "{n_large}");
        },
    );
}
