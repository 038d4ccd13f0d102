//! Work that no client waits for.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How many pieces of work a thread has at a time.
const LIMIT: usize = 256;

/// Takes work for later, as much as there may be.
#[derive(Debug)]
pub(crate) struct Background {
    // Not spawned at once: whoever has work may be on his way out together with the runtime.
    queue: UnboundedSender<Work>,
    under_way: Rc<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    n: Cell<usize>,
    none_left: Notify,
}

/// There is too much work already.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("too much is under way")]
pub(crate) struct Full;

/// What has been taken, to be [run](Queue::run).
#[derive(Debug)]
pub(crate) struct Queue(UnboundedReceiver<Work>);

type Work = Pin<Box<dyn Future<Output = ()>>>;

impl Background {
    pub(crate) fn new() -> (Self, Queue) {
        let (queue, receiver) = unbounded_channel();
        let background = Self {
            queue,
            under_way: Rc::default(),
        };
        (background, Queue(receiver))
    }

    /// Does the work later, unless there is too much of it.
    pub(crate) fn take(&self, work: impl Future<Output = ()> + 'static) -> Result<(), Full> {
        if self.under_way.n.get() >= LIMIT {
            return Err(Full);
        }
        let place = Place::new(&self.under_way);
        // Nobody runs it only when the thread ends.
        drop(self.queue.send(Box::pin(async move {
            work.await;
            drop(place);
        })));
        Ok(())
    }

    /// Returns when nothing is under way.
    pub(crate) async fn all_done(&self) {
        while self.under_way.n.get() > 0 {
            self.under_way.none_left.notified().await;
        }
    }
}

impl Queue {
    /// Does the work as it comes; ends with the task it is in.
    pub(crate) async fn run(mut self) {
        while let Some(work) = self.0.recv().await {
            tokio::task::spawn_local(work);
        }
    }
}

struct Place(Rc<UnderWay>);

impl Place {
    fn new(under_way: &Rc<UnderWay>) -> Self {
        under_way.n.set(under_way.n.get() + 1);
        Self(Rc::clone(under_way))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = self.0.n.get() - 1;
        self.0.n.set(left);
        if left == 0 {
            self.0.none_left.notify_one();
        }
    }
}
