//! What media keys and their sessions should do: a model that knows nothing of how it is done.

mod effects;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec::IntoIter,
};

use clearkey::{KeyId, SessionType};

use super::{
    call::{Call, Fault, Setup},
    made::license,
    stage::{Answer, Entry, FEW, license_type},
};
use crate::{CloseReason, Error, EventType, MediaKeyStatus, SessionEvent};

pub(crate) type Keys = BTreeMap<KeyId, [u8; 16]>;

/// What a session should be.
#[derive(Debug)]
pub(crate) struct Session {
    session_type: SessionType,
    phase: Phase,
    pub(crate) id: String,
    requested: Vec<KeyId>,
    keys: Keys,
    released: BTreeSet<KeyId>,
    pub(crate) expiration: Option<u8>,
    is_expired: bool,
    listeners: Vec<Listener>,
    has_handle: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Created,
    Burnt,
    Callable,
    Closed(CloseReason),
}

#[derive(Clone, Debug)]
struct Listener {
    number: usize,
    event_type: EventType,
    is_attribute: bool,
    calls: bool,
}

/// What a store should hold.
#[derive(Clone, Debug)]
pub(crate) enum Stored {
    License(Keys),
    Destroyed(BTreeSet<KeyId>),
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    setup: Setup,
    pub(crate) sessions: Vec<Session>,
    pub(crate) stored: BTreeMap<String, Stored>,
    /// The keys that count: pairs of session and key, latest last. A key id that was ever known stays.
    pub(crate) latest: BTreeMap<KeyId, Vec<(usize, [u8; 16])>>,
    queue: VecDeque<(usize, SessionEvent)>,
    fault: Option<Fault>,
    has_failed: bool,
}

impl Model {
    pub(crate) fn new(setup: Setup) -> Self {
        Self { setup, ..Self::default() }
    }

    /// Compares one call, and all that has happened within it, with what should have.
    pub(crate) fn replay(&mut self, log: Vec<Entry>) {
        let mut log = log.into_iter();
        // What is told within a call stands before it.
        if let Some(Entry::Did { call: Call::Dispatch, .. }) = log.as_slice().last() {
            self.deliver(&mut log);
        }
        self.next(&mut log);
        assert!(log.len() == 0, "nobody should have heard: {log:?}");
    }

    fn next(&mut self, log: &mut IntoIter<Entry>) {
        match log.next() {
            Some(Entry::Did { call, answer }) => self.call(&call, answer),
            other => panic!("a call should have returned: {other:?}"),
        }
    }

    /// Events go to listeners one after the other, those included that happen meanwhile.
    fn deliver(&mut self, log: &mut IntoIter<Entry>) {
        while let Some((at, event)) = self.queue.pop_front() {
            for listener in self.sessions[at].listeners.clone() {
                let is_there = |other: &&mut Listener| other.number == listener.number;
                let there = self.sessions[at].listeners.iter_mut().find(is_there);
                let Some(there) = there.filter(|there| there.event_type == event.event_type())
                else {
                    continue;
                };
                let calls = std::mem::take(&mut there.calls);
                match log.next() {
                    Some(Entry::Heard { listener: number, session_id, event: heard }) => {
                        assert_eq!((number, &heard), (listener.number, &event));
                        assert_eq!(session_id, self.sessions[at].id);
                    }
                    other => panic!("listener {} should have heard: {other:?}", listener.number),
                }
                if calls {
                    self.next(log);
                }
            }
        }
    }

    fn call(&mut self, call: &Call, answer: Answer) {
        match (call, answer) {
            (Call::Create { session_type }, Answer::Created(result)) => {
                self.create(*session_type, result);
            }
            (Call::NextEvent { session }, Answer::Event(event)) => {
                let is_it = |(at, _): &(usize, _)| session.is_none_or(|session| session == *at);
                let next = self.queue.iter().position(is_it);
                let next = next.and_then(|next| self.queue.remove(next));
                let next = next.map(|(at, event)| (self.sessions[at].id.clone(), event));
                assert_eq!(event, next);
            }
            // From within a listener: the events are told by the call that is already telling.
            (Call::Dispatch, Answer::Nothing) => {}
            (Call::Certificate { certificate }, Answer::Certificate(result)) => {
                let empty = certificate.is_empty().then_some(Error::ServerCertificateEmpty);
                assert_eq!(result, empty.map_or(Ok(false), Err));
            }
            (Call::Policy { min_hdcp_version }, Answer::Status(result)) => {
                let known = ["", "1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1", "2.2", "2.3"];
                match (min_hdcp_version, result) {
                    (None, result) => assert_eq!(result, Err(Error::PolicyEmpty)),
                    (Some(version), Ok(status)) => {
                        assert!(known.contains(&&**version), "{version:?}");
                        assert_eq!(status, MediaKeyStatus::Usable);
                    }
                    (Some(version), Err(error)) => {
                        assert!(matches!(error, Error::PolicyHdcp { .. }), "{error:?}");
                        assert!(!known.contains(&&**version), "{version:?}");
                    }
                }
            }
            (Call::Unavailable { is_failure }, Answer::Nothing) => {
                self.has_failed |= is_failure;
                let reason = match is_failure {
                    true => CloseReason::InternalError,
                    false => CloseReason::HardwareContextReset,
                };
                (0..self.sessions.len()).for_each(|at| self.close(at, reason));
            }
            (Call::Fault { fault }, Answer::Nothing) => self.fault = *fault,
            (Call::Create { .. }, Answer::Skipped) => {}
            (call, answer) => {
                let has_handle =
                    |at: &usize| self.sessions.get(*at).is_some_and(|it| it.has_handle);
                match (call.session().filter(has_handle), answer) {
                    (None, Answer::Skipped) => {}
                    (at @ Some(_), answer @ Answer::Skipped) | (at @ None, answer) => {
                        panic!("{call:?} on {at:?}: {answer:?}")
                    }
                    (Some(at), answer) => self.of_session(at, call, answer),
                }
            }
        }
    }

    fn create(&mut self, session_type: SessionType, result: Result<(), Error>) {
        let expected = if self.setup.is_temporary && session_type == SessionType::PersistentLicense
        {
            Err(Error::SessionType { session_type })
        } else if self.has_failed {
            Err(Error::Unavailable)
        } else {
            Ok(())
        };
        assert_eq!(result, expected);
        if result.is_ok() {
            self.sessions.push(Session {
                session_type,
                phase: Phase::Created,
                id: String::new(),
                requested: Vec::new(),
                keys: Keys::new(),
                released: BTreeSet::new(),
                expiration: None,
                is_expired: false,
                listeners: Vec::new(),
                has_handle: true,
            });
        }
    }

    fn of_session(&mut self, at: usize, call: &Call, answer: Answer) {
        match (call, answer) {
            (
                Call::GenerateRequest { init_data_type, init_data, .. },
                Answer::Started { result, session_id },
            ) => self.generate_request(at, init_data_type, init_data, result, session_id),
            (Call::Load { of, .. }, Answer::Started { result, session_id }) => {
                let of = self.sessions.get(*of).filter(|of| of.has_handle);
                let text = of.map(|of| of.id.clone()).unwrap_or_default();
                self.load(at, &text, result, session_id);
            }
            (Call::LoadText { session_id: text, .. }, Answer::Started { result, session_id }) => {
                self.load(at, text, result, session_id);
            }
            (Call::Update { response, .. }, Answer::Done(result)) => {
                self.update(at, response, &result);
            }
            (Call::UpdateWith { keys, is_wrong_type, .. }, Answer::Done(result)) => {
                let session_type = license_type(self.sessions[at].session_type, *is_wrong_type);
                self.update(at, &license(session_type, keys), &result);
            }
            (Call::Remove { .. }, Answer::Done(result)) => self.remove(at, &result),
            (Call::Close { .. }, Answer::Done(result)) => match self.sessions[at].phase {
                Phase::Closed(_) => assert_eq!(result, Ok(())),
                Phase::Callable => {
                    assert_eq!(result, Ok(()));
                    self.close(at, CloseReason::ClosedByApplication);
                }
                Phase::Created | Phase::Burnt => assert_eq!(result, Err(Error::NotCallable)),
            },
            (Call::Evict { .. }, Answer::Nothing) => self.close(at, CloseReason::ResourceEvicted),
            (
                Call::Listen { event_type, is_attribute, then, .. },
                Answer::Listening { listener: number },
            ) => {
                let (event_type, is_attribute, calls) =
                    (*event_type, *is_attribute, then.is_some());
                let new = Listener { number, event_type, is_attribute, calls };
                let listeners = &mut self.sessions[at].listeners;
                let is_it = |old: &&mut Listener| old.is_attribute && old.event_type == event_type;
                match listeners.iter_mut().find(is_it).filter(|_| is_attribute) {
                    Some(old) => *old = new,
                    None => listeners.push(new),
                }
            }
            (Call::Unlisten { event_type, .. }, Answer::Nothing) => self.sessions[at]
                .listeners
                .retain(|old| !(old.is_attribute && old.event_type == *event_type)),
            (Call::LetGo { .. }, Answer::Nothing) => self.sessions[at].has_handle = false,
            (Call::SetExpiration { at: time, .. }, Answer::Done(result)) => {
                let refused = self.not_callable(at);
                assert_eq!(result, refused.map_or(Ok(()), Err));
                if result.is_ok() {
                    self.sessions[at].expiration = *time;
                }
            }
            (Call::CheckExpiration { now, .. }, Answer::Nothing) => self.check_expiration(at, *now),
            (call, answer) => panic!("{answer:?} to {call:?}"),
        }
    }

    // What a session is

    fn is_persistent(&self, at: usize) -> bool {
        self.sessions[at].session_type == SessionType::PersistentLicense
    }

    /// Why neither `generate_request` nor `load` may be called.
    fn begun(&self, at: usize) -> Option<Error> {
        match self.sessions[at].phase {
            Phase::Created => None,
            Phase::Burnt | Phase::Callable => Some(Error::AlreadyInitialized),
            Phase::Closed(_) => Some(Error::Closed),
        }
    }

    fn not_callable(&self, at: usize) -> Option<Error> {
        match self.sessions[at].phase {
            Phase::Callable => None,
            Phase::Created | Phase::Burnt => Some(Error::NotCallable),
            Phase::Closed(_) => Some(Error::Closed),
        }
    }

    fn is_full(&self) -> bool {
        let open = self.sessions.iter().filter(|session| session.phase == Phase::Callable).count();
        self.setup.limit > 0 && open >= self.setup.limit
    }
}

impl Session {
    pub(crate) fn closed(&self) -> Option<CloseReason> {
        match self.phase {
            Phase::Closed(reason) => Some(reason),
            _ => None,
        }
    }

    pub(crate) fn statuses(&self) -> BTreeMap<KeyId, MediaKeyStatus> {
        let held = match self.is_expired {
            true => MediaKeyStatus::Expired,
            false => MediaKeyStatus::Usable,
        };
        let released = self.released.iter().map(|kid| (kid.clone(), MediaKeyStatus::Released));
        let held = self.keys.keys().map(|kid| (kid.clone(), held));
        released.chain(held).collect()
    }

    pub(crate) fn key_id(&self) -> Option<KeyId> {
        self.statuses().into_keys().next().or_else(|| self.requested.first().cloned())
    }
}

/// Decimal digits of 32 bits, without zeros in front.
fn is_id(text: &str) -> bool {
    let is_number = text.len() <= 10 && text.bytes().all(|octet| octet.is_ascii_digit());
    is_number
        && (text == "0" || !text.starts_with('0'))
        && text.parse().is_ok_and(|number: u64| number < 1 << 32)
}
