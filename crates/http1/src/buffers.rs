//! Memory that the connections of a thread take turns in using.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    task::{Poll, ready},
};

use bytes::{Bytes, BytesMut};

const BLOCK: usize = 64 * 1024;
const MAX_RETIRED: usize = 8;
const MAX_HEADS: usize = 64;
const MAX_HEAD_CAPACITY: usize = 16 * 1024;

/// The least room worth a read of a head or of a small body.
pub const SMALL_READ: usize = 4 * 1024;
/// The least room worth a read of a large body.
pub const LARGE_READ: usize = 32 * 1024;

/// Where do the connections of one thread read to, and where do they put heads together?
///
/// All connections read into the same block, and each owns only the slice that it has read: a connection that waits
/// holds no buffer, however many wait. A block is used again when none of its slices is left.
#[derive(Debug, Default)]
pub struct Buffers {
    blocks: RefCell<Blocks>,
    heads: RefCell<Vec<Vec<u8>>>,
}

#[derive(Debug, Default)]
struct Blocks {
    current: BytesMut,
    retired: VecDeque<BytesMut>,
}

impl Buffers {
    /// Has `read` fill a buffer with at least `room` bytes left, and gives what it read. Nothing means the end.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn poll_read(
        &self,
        room: usize,
        read: impl FnOnce(&mut BytesMut) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<Bytes>> {
        let blocks = &mut *self.blocks.borrow_mut();
        blocks.make_room(room);
        ready!(read(&mut blocks.current))?;
        Poll::Ready(Ok(blocks.current.split().freeze()))
    }

    /// An empty buffer to write a head to.
    #[must_use]
    pub fn take_head(&self) -> Vec<u8> {
        self.heads
            .borrow_mut()
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(1024))
    }

    /// Gives such a buffer back.
    pub fn return_head(&self, mut head: Vec<u8>) {
        let mut heads = self.heads.borrow_mut();
        if heads.len() < MAX_HEADS && (1..=MAX_HEAD_CAPACITY).contains(&head.capacity()) {
            head.clear();
            heads.push(head);
        }
    }
}

impl Blocks {
    fn make_room(&mut self, room: usize) {
        // Whole again when nobody uses it, even if there would be room: the same cache lines serve the next read.
        if self.current.try_reclaim(BLOCK) || self.current.capacity() >= room {
            return;
        }
        let next = self
            .reclaim()
            .unwrap_or_else(|| BytesMut::with_capacity(BLOCK));
        let previous = std::mem::replace(&mut self.current, next);
        if self.retired.len() < MAX_RETIRED {
            self.retired.push_back(previous);
        }
    }

    /// The oldest retired block, if its slices are gone. Otherwise it goes to the back, so that one slow reader does
    /// not keep the others from being used.
    fn reclaim(&mut self) -> Option<BytesMut> {
        for _ in 0..self.retired.len() {
            let mut block = self.retired.pop_front()?;
            if block.try_reclaim(BLOCK) {
                return Some(block);
            }
            self.retired.push_back(block);
        }
        None
    }
}
