//! The life of a session around its [`Machine`]: calls one after the other, storage in between,
//! results before events.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, Weak},
    task::Waker,
};

use clearkey::SessionType;

use crate::{
    CloseReason, Closed, Error, MediaKeyStatusMap, SessionEvent,
    instance::Instance,
    key_store::SessionNumber,
    listeners::Listeners,
    machine::{Call, Machine, Then, Turn},
    operation::Slot,
    storage::{StoreAnswer, StoreToken},
    sync::lock,
};

/// A session. Held by the handles of its `MediaKeys` and by its own; holds the CDM instance, which
/// knows it by weak references only.
pub(crate) struct SessionState {
    pub(crate) session_type: SessionType,
    pub(crate) statuses: MediaKeyStatusMap,
    pub(crate) listeners: Listeners,
    pub(crate) closed: Closed,
    pub(crate) instance: Arc<Instance>,
    me: Weak<Self>,
    inner: Mutex<Inner>,
}

struct Inner {
    machine: Machine,
    /// The call that waits for storage.
    under_way: Option<UnderWay>,
    /// Calls that came after it.
    waiting: VecDeque<(Call, Arc<Slot>)>,
}

struct UnderWay {
    token: StoreToken,
    then: Then,
    slot: Arc<Slot>,
}

/// Whom to wake when no lock is held any more.
#[derive(Default)]
#[must_use]
struct Wakers(Vec<Waker>);

impl Wakers {
    fn wake(self) {
        self.0.into_iter().for_each(Waker::wake);
    }
}

impl SessionState {
    pub(crate) fn new(
        session_type: SessionType,
        instance: Arc<Instance>,
        number: SessionNumber,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| {
            let statuses = MediaKeyStatusMap::default();
            let ids = Arc::clone(&instance.origin.ids);
            let keys = instance.keys.clone();
            let machine = Machine::new(session_type, ids, keys, number, statuses.clone());
            Self {
                session_type,
                statuses,
                listeners: Listeners::default(),
                closed: Closed::default(),
                instance,
                me: Weak::clone(me),
                inner: Mutex::new(Inner { machine, under_way: None, waiting: VecDeque::new() }),
            }
        })
    }

    /// Asks the machine.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Machine) -> T) -> T {
        question(&lock(&self.inner).machine)
    }

    /// Begins a call, behind those that wait for storage.
    pub(crate) fn call(&self, call: Call) -> Arc<Slot> {
        let slot = Arc::new(Slot::default());
        let mut wakers = Wakers::default();
        let mut inner = lock(&self.inner);
        match inner.machine.admit(&call) {
            Err(error) => wakers.0.extend(slot.settle(Err(error))),
            Ok(()) => {
                inner.waiting.push_back((call, Arc::clone(&slot)));
                self.begin_waiting(&mut inner, &mut wakers);
            }
        }
        drop(inner);
        wakers.wake();
        self.instance.origin.drive();
        slot
    }

    /// Goes on with the call that has asked storage, unless that was ended meanwhile.
    pub(crate) fn go_on(&self, answer: StoreAnswer) {
        let mut wakers = Wakers::default();
        let mut inner = lock(&self.inner);
        if let Some(UnderWay { then, slot, .. }) = inner.under_way.take() {
            let turn = inner.machine.resume(then, answer);
            self.take(&mut inner, turn, slot, &mut wakers);
            self.begin_waiting(&mut inner, &mut wakers);
        }
        drop(inner);
        wakers.wake();
    }

    /// Begins calls until one waits for storage. What they were admitted for may be over.
    fn begin_waiting(&self, inner: &mut Inner, wakers: &mut Wakers) {
        while inner.under_way.is_none()
            && let Some((call, slot)) = inner.waiting.pop_front()
        {
            let turn = inner.machine.begin(call);
            self.take(inner, turn, slot, wakers);
        }
    }

    /// Takes a turn of the machine: the result comes first, then what is to be told.
    fn take(
        &self,
        inner: &mut Inner,
        turn: Result<Turn, Error>,
        slot: Arc<Slot>,
        wakers: &mut Wakers,
    ) {
        match turn {
            Ok(Turn::Ask { operation, then }) => {
                let name = inner.machine.record_name().unwrap_or_default();
                let me = Weak::clone(&self.me);
                let token = self.instance.origin.steps.ask(name, operation, me);
                inner.under_way = Some(UnderWay { token, then, slot });
            }
            Ok(Turn::Done { found, events }) => {
                wakers.0.extend(slot.settle(Ok(found)));
                self.settle_closed(inner, wakers);
                self.instance.events.push(&self.me, events);
            }
            Err(error) => wakers.0.extend(slot.settle(Err(error))),
        }
    }

    /// If the session is closed now, ends its other calls and tells who waits for its end.
    fn settle_closed(&self, inner: &mut Inner, wakers: &mut Wakers) {
        let Some(reason) = inner.machine.close_reason() else { return };
        wakers.0.extend(self.closed.set(reason));
        wakers.0.extend(self.abandon(inner));
    }

    fn abandon(&self, inner: &mut Inner) -> Vec<Waker> {
        let under_way = inner.under_way.take();
        if let Some(UnderWay { token, .. }) = &under_way {
            self.instance.origin.steps.take_back(*token);
        }
        let slots = under_way.map(|under_way| under_way.slot).into_iter();
        let slots = slots.chain(inner.waiting.drain(..).map(|(_, slot)| slot));
        slots.filter_map(|slot| slot.settle(Err(Error::Closed))).collect()
    }

    /// EME's `close()`: at once, whatever waits for storage.
    pub(crate) fn close(&self) -> Result<(), Error> {
        if lock(&self.inner).machine.may_close()? {
            self.end(CloseReason::ClosedByApplication);
        }
        Ok(())
    }

    /// Closes the session, whatever its state is.
    pub(crate) fn end(&self, reason: CloseReason) {
        let mut wakers = Wakers::default();
        let mut inner = lock(&self.inner);
        let events = inner.machine.close(reason);
        self.settle_closed(&mut inner, &mut wakers);
        self.instance.events.push(&self.me, events);
        drop(inner);
        wakers.wake();
    }

    /// Lets an embedder change the machine.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Machine) -> (T, Vec<SessionEvent>),
    ) -> T {
        let mut inner = lock(&self.inner);
        let (result, events) = change(&mut inner.machine);
        self.instance.events.push(&self.me, events);
        result
    }

    pub(crate) fn is_done_with(&self) -> bool {
        self.closed.reason().is_some() && !self.instance.events.is_waiting(&self.me)
    }
}

/// Nobody can reach the session any more: EME has the CDM close it, and nothing is told.
impl Drop for SessionState {
    fn drop(&mut self) {
        let mut wakers = Wakers(self.closed.set(CloseReason::ClosedByApplication));
        wakers.0.extend(self.abandon(&mut lock(&self.inner)));
        wakers.wake();
    }
}
