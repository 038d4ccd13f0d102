//! What time is it, roughly?
//!
//! A timer per request costs more than all the header work of that request. So each worker has one clock that ticks
//! a few times a second, and deadlines are numbers that it compares.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// How often the clock ticks: how exact deadlines are.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// Milliseconds since the clock was made.
pub(crate) type Millis = u64;

const NEVER: Millis = Millis::MAX;

/// The clock of one worker.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Instant,
    now: Cell<Millis>,
    slots: RefCell<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    all: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Slot {
    at: Millis,
    waker: Option<Waker>,
}

impl Clock {
    pub(crate) fn new(epoch: Instant) -> Rc<Self> {
        Rc::new(Self {
            epoch,
            now: Cell::new(0),
            slots: RefCell::default(),
        })
    }

    /// The time of the last tick.
    pub(crate) fn now(&self) -> Millis {
        self.now.get()
    }

    /// The same as a point in time.
    pub(crate) fn instant(&self) -> std::time::Instant {
        (self.epoch + Duration::from_millis(self.now())).into_std()
    }

    /// The time at which something that may take `limit` from now is late.
    pub(crate) fn after(&self, limit: Option<Duration>) -> Millis {
        limit.map_or(NEVER, |limit| {
            // The last tick may be a whole tick ago, and nothing may be called late that is not.
            let limit = u64::try_from((limit.saturating_add(TICK)).as_millis()).unwrap_or(NEVER);
            self.now().saturating_add(limit)
        })
    }

    /// Moves on, and wakes whoever is late.
    pub(crate) fn tick(&self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.epoch).as_millis();
        let now = u64::try_from(elapsed).unwrap_or(NEVER - 1);
        self.now.set(now);
        self.wake(|slot| slot.at <= now);
    }

    /// Wakes everyone, to look at something else that has changed.
    pub(crate) fn wake_all(&self) {
        self.wake(|_| true);
    }

    fn wake(&self, which: impl Fn(&Slot) -> bool) {
        let mut late = Vec::new();
        for slot in &mut self.slots.borrow_mut().all {
            if which(slot) {
                late.extend(slot.waker.take());
            }
        }
        late.into_iter().for_each(Waker::wake);
    }
}

/// A point in time at which a task is woken.
#[derive(Debug)]
pub(crate) struct Deadline {
    clock: Rc<Clock>,
    slot: usize,
}

impl Deadline {
    /// A deadline that is never reached until it is [set](Self::set).
    pub(crate) fn new(clock: &Rc<Clock>) -> Self {
        let mut slots = clock.slots.borrow_mut();
        let fresh = Slot {
            at: NEVER,
            waker: None,
        };
        let slot = match slots.free.pop() {
            Some(slot) => {
                slots.all[slot] = fresh;
                slot
            }
            None => {
                slots.all.push(fresh);
                slots.all.len() - 1
            }
        };
        drop(slots);
        Self {
            clock: Rc::clone(clock),
            slot,
        }
    }

    pub(crate) fn set(&self, at: Millis) {
        self.clock.slots.borrow_mut().all[self.slot].at = at;
    }

    pub(crate) fn clear(&self) {
        self.set(NEVER);
    }

    /// Ready once the deadline has passed; else the task is woken then.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut slots = self.clock.slots.borrow_mut();
        let slot = &mut slots.all[self.slot];
        if slot.at <= self.clock.now() {
            return Poll::Ready(());
        }
        match &mut slot.waker {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            waker => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Wakes the task that waits.
    pub(crate) fn wake(&self) {
        let waker = self.clock.slots.borrow_mut().all[self.slot].waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let mut slots = self.clock.slots.borrow_mut();
        let slot = &mut slots.all[self.slot];
        slot.at = NEVER;
        let waker = slot.waker.take();
        slots.free.push(self.slot);
        // A waker may drop its task, and that its deadlines.
        drop(slots);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::task::noop_waker_ref;

    #[test]
    fn a_deadline_is_reached_by_the_tick_after_it() {
        let epoch = Instant::now();
        let clock = Clock::new(epoch);
        let deadline = Deadline::new(&clock);
        let cx = Context::from_waker(noop_waker_ref());
        assert!(deadline.poll(&cx).is_pending());

        deadline.set(clock.after(Some(Duration::from_millis(600))));
        clock.tick(epoch + Duration::from_millis(750));
        assert!(deadline.poll(&cx).is_pending());
        clock.tick(epoch + Duration::from_millis(1000));
        assert!(deadline.poll(&cx).is_ready());

        deadline.clear();
        assert!(deadline.poll(&cx).is_pending());
        deadline.set(clock.after(None));
        clock.tick(epoch + Duration::from_secs(1 << 40));
        assert!(deadline.poll(&cx).is_pending());
    }

    #[test]
    fn a_slot_is_used_again() {
        let clock = Clock::new(Instant::now());
        for _ in 0..10 {
            let _one = Deadline::new(&clock);
            let _other = Deadline::new(&clock);
        }
        assert_eq!(clock.slots.borrow().all.len(), 2);
    }
}
