//! The outcome of a call that storage may hold up: EME's promise.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::{Error, sync::lock};

/// A call under way: a future of its result, which needs no runtime.
///
/// Dropping it does not stop the call. It keeps no session alive: when the session goes while the
/// call waits for storage, the call ends with [`Error::Closed`].
#[must_use = "a call may have failed"]
pub struct Operation<T> {
    slot: Arc<Slot>,
    result: PhantomData<fn() -> T>,
}

/// What a call may yield: nothing, or whether something was found.
pub trait Outcome: sealed::Outcome {}

impl Outcome for () {}
impl Outcome for bool {}

mod sealed {
    pub trait Outcome {
        fn from_flag(flag: bool) -> Self;
    }

    impl Outcome for () {
        fn from_flag(_: bool) {}
    }

    impl Outcome for bool {
        fn from_flag(flag: bool) -> Self {
            flag
        }
    }
}

impl<T: Outcome> Operation<T> {
    pub(crate) fn new(slot: Arc<Slot>) -> Self {
        Self { slot, result: PhantomData }
    }

    /// The result, if the call has ended. It can be asked for again.
    #[must_use]
    pub fn result(&self) -> Option<Result<T, Error>> {
        lock(&self.slot.state).result.clone().map(|result| result.map(T::from_flag))
    }

    /// Blocks until the call has ended. `drive` takes the steps of storage that nobody else takes: what
    /// the call waits for may be under way in another thread, and that thread may die of it.
    pub(crate) fn wait(self, drive: impl Fn()) -> Result<T, Error> {
        loop {
            drive();
            let state = lock(&self.slot.state);
            let waited = self
                .slot
                .settled
                .wait_timeout_while(state, PATIENCE, |state| state.result.is_none());
            let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if let Some(result) = &state.result {
                return result.clone().map(T::from_flag);
            }
        }
    }
}

/// How long a waiting call leaves storage to others.
const PATIENCE: Duration = Duration::from_millis(20);

impl<T: Outcome> Future for Operation<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.slot.state);
        if let Some(result) = &state.result {
            return Poll::Ready(result.clone().map(T::from_flag));
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Operation").field(&lock(&self.slot.state).result).finish()
    }
}

/// Where the result of a call is put.
#[derive(Default)]
pub(crate) struct Slot {
    state: Mutex<SlotState>,
    settled: Condvar,
}

#[derive(Default)]
struct SlotState {
    result: Option<Result<bool, Error>>,
    waker: Option<Waker>,
}

impl Slot {
    /// Puts the result there. Whom it wakes is for the caller, who may hold a lock.
    pub(crate) fn settle(&self, result: Result<bool, Error>) -> Option<Waker> {
        let mut state = lock(&self.state);
        state.result.get_or_insert(result);
        self.settled.notify_all();
        state.waker.take()
    }
}
