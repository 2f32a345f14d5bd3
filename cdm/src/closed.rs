//! The end of a session: why, and waiting for it.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use crate::sync::lock;

/// Why a session is closed; EME's `MediaKeySessionClosedReason`, which is complete.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CloseReason {
    /// The CDM failed.
    InternalError,
    /// `close` was called, or nothing could reach the session any more.
    ClosedByApplication,
    /// The release of its license was acknowledged.
    ReleaseAcknowledged,
    /// The hardware that the CDM runs on was reset.
    HardwareContextReset,
    /// Its resources were needed elsewhere.
    ResourceEvicted,
}

impl CloseReason {
    /// The name, as a page sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InternalError => "internal-error",
            Self::ClosedByApplication => "closed-by-application",
            Self::ReleaseAcknowledged => "release-acknowledged",
            Self::HardwareContextReset => "hardware-context-reset",
            Self::ResourceEvicted => "resource-evicted",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Waits for the end of a session: EME's promise `closed`. It never fails, yields the same reason
/// however often it is asked, keeps no session alive, and yields `closed-by-application` if it
/// outlives everything else.
#[derive(Clone, Default)]
pub struct Closed {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    reason: Option<CloseReason>,
    wakers: Vec<Waker>,
}

impl Closed {
    /// The reason, if the session is closed.
    #[must_use]
    pub fn reason(&self) -> Option<CloseReason> {
        lock(&self.shared).reason
    }

    /// Says the reason. The first one counts. Whom it wakes is for the caller, who may hold a lock.
    pub(crate) fn set(&self, reason: CloseReason) -> Vec<Waker> {
        let mut shared = lock(&self.shared);
        shared.reason.get_or_insert(reason);
        std::mem::take(&mut shared.wakers)
    }
}

impl Future for Closed {
    type Output = CloseReason;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<CloseReason> {
        let mut shared = lock(&self.shared);
        if let Some(reason) = shared.reason {
            return Poll::Ready(reason);
        }
        if !shared.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            shared.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Closed").field(&self.reason()).finish()
    }
}
