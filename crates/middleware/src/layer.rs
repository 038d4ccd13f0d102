use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::answer::Answer;
use crate::context::Context;
use crate::transform::Transform;

/// The body of an answer of the middleware, or of the service behind it.
pub type ResponseBody<B> = Either<Full<Bytes>, B>;

/// Any [`Transform`] as a tower layer.
///
/// The [`Context`] is taken from the extensions of a request, where what is outside may put it, and left there for
/// what is inside; without one the default is used.
#[derive(Debug)]
pub struct TransformLayer<T> {
    transform: Arc<T>,
}

impl<T> TransformLayer<T> {
    /// Shares the transform among all services of the layer.
    pub fn new(transform: T) -> Self {
        Self {
            transform: Arc::new(transform),
        }
    }
}

impl<T> Clone for TransformLayer<T> {
    fn clone(&self) -> Self {
        Self {
            transform: Arc::clone(&self.transform),
        }
    }
}

impl<T, S> Layer<S> for TransformLayer<T> {
    type Service = TransformService<T, S>;

    fn layer(&self, inner: S) -> Self::Service {
        TransformService {
            transform: Arc::clone(&self.transform),
            inner,
        }
    }
}

/// A service with a [`Transform`] in front.
#[derive(Debug)]
pub struct TransformService<T, S> {
    transform: Arc<T>,
    inner: S,
}

impl<T, S: Clone> Clone for TransformService<T, S> {
    fn clone(&self) -> Self {
        Self {
            transform: Arc::clone(&self.transform),
            inner: self.inner.clone(),
        }
    }
}

impl<T, S, Body, InnerBody> Service<Request<Body>> for TransformService<T, S>
where
    T: Transform,
    S: Service<Request<Body>, Response = Response<InnerBody>>,
{
    type Response = Response<ResponseBody<InnerBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<T, S::Future>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let mut context = head.extensions.get().cloned().unwrap_or_default();
        let state = match self.transform.request(&mut head, &mut context) {
            Err(answer) => State::Answered {
                answer: Some(answer),
            },
            Ok(()) => {
                head.extensions.insert(context.clone());
                let future = self.inner.call(Request::from_parts(head, body));
                State::Forwarded {
                    future,
                    transform: Arc::clone(&self.transform),
                    context,
                }
            }
        };
        ResponseFuture { state }
    }
}

pin_project! {
    /// The response of a [`TransformService`].
    #[derive(Debug)]
    pub struct ResponseFuture<T, F> {
        #[pin]
        state: State<T, F>,
    }
}

pin_project! {
    #[project = Projection]
    #[derive(Debug)]
    enum State<T, F> {
        // The transform has answered; the first poll takes it.
        Answered {
            answer: Option<Box<Answer>>,
        },
        // The service behind has been asked.
        Forwarded {
            #[pin]
            future: F,
            transform: Arc<T>,
            context: Context,
        },
    }
}

impl<T, F, Body, Error> Future for ResponseFuture<T, F>
where
    T: Transform,
    F: Future<Output = Result<Response<Body>, Error>>,
{
    type Output = Result<Response<ResponseBody<Body>>, Error>;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projection::Answered { answer } => {
                let answer = answer
                    .take()
                    .expect("a future is not polled after it is ready");
                Poll::Ready(Ok(
                    Response::from(*answer).map(|body| Either::Left(Full::new(body)))
                ))
            }
            Projection::Forwarded {
                future,
                transform,
                context,
            } => {
                let (mut head, body) = ready!(future.poll(task))?.into_parts();
                if !head.status.is_informational() {
                    transform.response(&mut head, context);
                }
                Poll::Ready(Ok(Response::from_parts(head, Either::Right(body))))
            }
        }
    }
}
