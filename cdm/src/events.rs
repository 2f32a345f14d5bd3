//! The events of one CDM instance, in the order in which they happened.

use std::{
    collections::VecDeque,
    sync::{Mutex, Weak},
};

use crate::{MediaKeySession, SessionEvent, session::SessionState, sync::lock};

/// Sessions are not held: when one is out of everybody's reach, its events are told to nobody.
#[derive(Default)]
pub(crate) struct Events {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(Weak<SessionState>, SessionEvent)>,
    is_delivering: bool,
}

impl Events {
    pub(crate) fn push(&self, session: &Weak<SessionState>, events: Vec<SessionEvent>) {
        let with_session = |event| (Weak::clone(session), event);
        lock(&self.state).queue.extend(events.into_iter().map(with_session));
    }

    /// Takes the next event that is for `session`, or for any session.
    pub(crate) fn next(
        &self,
        session: Option<&Weak<SessionState>>,
    ) -> Option<(MediaKeySession, SessionEvent)> {
        loop {
            let mut state = lock(&self.state);
            let is_for =
                |owner: &Weak<SessionState>| session.is_none_or(|session| session.ptr_eq(owner));
            let at = state.queue.iter().position(|(owner, _)| is_for(owner))?;
            let (owner, event) = state.queue.remove(at)?;
            drop(state);
            if let Some(owner) = owner.upgrade() {
                return Some((MediaKeySession::of(owner), event));
            }
        }
    }

    pub(crate) fn is_waiting(&self, session: &Weak<SessionState>) -> bool {
        lock(&self.state).queue.iter().any(|(owner, _)| owner.ptr_eq(session))
    }

    /// Tells all events to their listeners, those included that happen meanwhile. One at a time: when
    /// a listener calls this, or another thread does, the events are told by whom began.
    pub(crate) fn dispatch(&self) {
        if std::mem::replace(&mut lock(&self.state).is_delivering, true) {
            return;
        }
        let mut delivering = Delivering { events: self, is_over: false };
        while let Some((session, event)) = self.next_or_stop() {
            session.deliver(&event);
        }
        delivering.is_over = true;
    }

    /// The next event; without one, delivering is over in the same moment, so that none is missed.
    fn next_or_stop(&self) -> Option<(MediaKeySession, SessionEvent)> {
        loop {
            let mut state = lock(&self.state);
            let Some((owner, event)) = state.queue.pop_front() else {
                state.is_delivering = false;
                return None;
            };
            drop(state);
            if let Some(owner) = owner.upgrade() {
                return Some((MediaKeySession::of(owner), event));
            }
        }
    }
}

/// Ends the delivering, also when a listener panics.
struct Delivering<'e> {
    events: &'e Events,
    is_over: bool,
}

impl Drop for Delivering<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            lock(&self.events.state).is_delivering = false;
        }
    }
}
