//! Work that no client waits for.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How many pieces of work a thread has at a time.
const LIMIT: usize = 256;

/// Takes work for later, as much as there may be.
#[derive(Debug)]
pub(crate) struct Background {
    // Not spawned at once: whoever has work may be on his way out together with the runtime.
    queue: UnboundedSender<Work>,
    under_way: Rc<Cell<usize>>,
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
        if self.under_way.get() >= LIMIT {
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
}

impl Queue {
    /// Does the work as it comes; ends with the task it is in.
    pub(crate) async fn run(mut self) {
        while let Some(work) = self.0.recv().await {
            tokio::task::spawn_local(work);
        }
    }
}

struct Place(Rc<Cell<usize>>);

impl Place {
    fn new(under_way: &Rc<Cell<usize>>) -> Self {
        under_way.set(under_way.get() + 1);
        Self(Rc::clone(under_way))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
