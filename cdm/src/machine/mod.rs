//! One session as EME describes it (editor's draft of 7 July 2026, "MediaKeySession Interface" and
//! "Clear Key"): which call is allowed when, and what it does to keys, statuses and events.
//!
//! Nothing here waits, locks or reads a clock. A call that needs storage stops with a
//! [`Turn::Ask`], and [`Machine::resume`] goes on with the answer.
//!
//! ```text
//! created --generate_request, load: true--> callable --close--> closed (closed-by-application)
//!    |                                         |--remove--> callable, keys gone, released
//!    |--generate_request, load fail,           |--acknowledgement--> closed (release-acknowledged)
//!    |  load: false--> burnt                   '--CDM--> closed (internal-error, …)
//! ```

mod license;
mod start;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::SystemTime,
};

use cenc::Key;
use clearkey::{InitData, Jwk, KeyId, SessionType};
use zeroize::Zeroizing;

use crate::{
    CloseReason, Error, KeyStore, MediaKeyStatus, MediaKeyStatusMap, SessionEvent,
    ids::{Ids, SessionId},
    key_store::SessionNumber,
    storage::{StoreAnswer, StoreOperation},
};

pub(crate) struct Machine {
    session_type: SessionType,
    state: State,
    id: Option<SessionId>,
    ids: Arc<Ids>,
    /// The key ids of the license request, in its order.
    requested: Vec<KeyId>,
    keys: BTreeMap<KeyId, Held>,
    /// What `remove` destroyed; its release waits for an acknowledgement, if it is persistent.
    released: BTreeSet<KeyId>,
    expiration: Option<SystemTime>,
    /// The expiration is over, and the keys serve nobody.
    is_expired: bool,
    statuses: MediaKeyStatusMap,
    store: KeyStore,
    number: SessionNumber,
}

/// EME's three flags, of which not all combinations exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// `uninitialized`
    Created,
    /// `generate_request` or `load` is under way.
    Starting,
    /// `generate_request` or `load` has failed: neither uninitialized nor callable, for ever.
    Burnt,
    /// `callable`
    Callable,
    Closed(CloseReason),
}

struct Held {
    key: Arc<Key>,
    /// The octets again, if they have to be stored: a [`Key`] cannot be read.
    jwk: Option<Jwk>,
}

/// A call that may need storage.
pub(crate) enum Call {
    GenerateRequest { init_data_type: String, init_data: Vec<u8> },
    Load { session_id: String },
    Update { response: Zeroizing<Vec<u8>> },
    Remove,
}

/// How far a call has come.
pub(crate) enum Turn {
    /// It has succeeded; `load` has found something or not; and what is to be told after its result.
    Done { found: bool, events: Vec<SessionEvent> },
    /// It goes on when storage has answered.
    Ask { operation: StoreOperation, then: Then },
}

/// What a call does with the answer of storage.
pub(crate) enum Then {
    GenerateRequest { init_data: InitData, tries: u32 },
    Load,
    Update { keys: Vec<Jwk> },
    Remove,
    Acknowledge,
}

impl Machine {
    pub(crate) fn new(
        session_type: SessionType,
        ids: Arc<Ids>,
        store: KeyStore,
        number: SessionNumber,
        statuses: MediaKeyStatusMap,
    ) -> Self {
        Self {
            session_type,
            state: State::Created,
            id: None,
            ids,
            requested: Vec::new(),
            keys: BTreeMap::new(),
            released: BTreeSet::new(),
            expiration: None,
            is_expired: false,
            statuses,
            store,
            number,
        }
    }

    /// The id, once `generate_request` or `load` has succeeded.
    pub(crate) fn session_id(&self) -> Option<String> {
        let has_started = matches!(self.state, State::Callable | State::Closed(_));
        self.id.as_ref().filter(|_| has_started).map(ToString::to_string)
    }

    /// The name of the session's record: its id, also while it is not shown yet.
    pub(crate) fn record_name(&self) -> Option<String> {
        self.id.as_ref().map(ToString::to_string)
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed(_))
    }

    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        match self.state {
            State::Closed(reason) => Some(reason),
            _ => None,
        }
    }

    pub(crate) fn expiration(&self) -> Option<SystemTime> {
        self.expiration
    }

    /// The first key id that is known, in the order of the statuses, or else the first requested.
    pub(crate) fn key_id(&self) -> Option<KeyId> {
        self.statuses.keys().next().or_else(|| self.requested.first().cloned())
    }

    /// The steps of a call that EME takes before it goes on in parallel.
    pub(crate) fn admit(&mut self, call: &Call) -> Result<(), Error> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        match (call, self.state) {
            (Call::GenerateRequest { .. } | Call::Load { .. }, State::Created) => {
                // From here on, any failure burns the session.
                self.state = State::Starting;
                Ok(())
            }
            (Call::GenerateRequest { .. } | Call::Load { .. }, _) => Err(Error::AlreadyInitialized),
            (Call::Update { .. } | Call::Remove, State::Callable) => Ok(()),
            (Call::Update { .. } | Call::Remove, _) => Err(Error::NotCallable),
        }
    }

    /// Goes on with an admitted call, to its end or until it needs storage.
    pub(crate) fn begin(&mut self, call: Call) -> Result<Turn, Error> {
        let turn = match call {
            Call::GenerateRequest { init_data_type, init_data } => {
                self.generate_request(&init_data_type, &init_data)
            }
            Call::Load { session_id } => self.load(&session_id),
            Call::Update { response } => self.update(&response),
            Call::Remove => self.remove(),
        };
        self.burn_if_failed(turn)
    }

    /// Goes on with a call that has asked storage.
    pub(crate) fn resume(&mut self, then: Then, answer: StoreAnswer) -> Result<Turn, Error> {
        let turn = match then {
            Then::GenerateRequest { init_data, tries } => self.id_checked(init_data, tries, answer),
            Then::Load => self.loaded(answer),
            // If storage has failed, nothing changes.
            Then::Update { keys } => answer.map_err(Error::from).map(|_| self.add_keys(keys)),
            Then::Remove => answer.map_err(Error::from).and_then(|_| self.keys_destroyed()),
            Then::Acknowledge => answer
                .map_err(Error::from)
                .map(|_| done(self.close(CloseReason::ReleaseAcknowledged))),
        };
        self.burn_if_failed(turn)
    }

    fn burn_if_failed(&mut self, turn: Result<Turn, Error>) -> Result<Turn, Error> {
        if turn.is_err() && self.state == State::Starting {
            self.burn();
        }
        turn
    }

    fn burn(&mut self) {
        self.state = State::Burnt;
        self.id = None;
    }

    // close(), and being closed

    /// What `close` has to do, if anything.
    pub(crate) fn may_close(&self) -> Result<bool, Error> {
        match self.state {
            State::Closed(_) => Ok(false),
            State::Callable => Ok(true),
            State::Created | State::Starting | State::Burnt => Err(Error::NotCallable),
        }
    }

    /// EME's "Session Closed". What is stored stays.
    pub(crate) fn close(&mut self, reason: CloseReason) -> Vec<SessionEvent> {
        if self.is_closed() {
            return Vec::new();
        }
        match &mut self.id {
            Some(id) if self.state == State::Callable => id.close(),
            // It has never been shown.
            id => *id = None,
        }
        self.state = State::Closed(reason);
        self.store.forget(self.number, self.keys.keys());
        self.keys.clear();
        self.released.clear();
        (self.expiration, self.is_expired) = (None, false);
        self.tell_statuses()
    }

    // Expiration, which only an embedder sets

    pub(crate) fn set_expiration(&mut self, expiration: Option<SystemTime>) -> Result<(), Error> {
        match self.state {
            State::Callable => self.expiration = expiration,
            State::Closed(_) => return Err(Error::Closed),
            State::Created | State::Starting | State::Burnt => return Err(Error::NotCallable),
        }
        Ok(())
    }

    /// Lets the keys expire, or be usable again, all of them together.
    pub(crate) fn check_expiration(&mut self, now: SystemTime) -> Vec<SessionEvent> {
        let is_expired = self.expiration.is_some_and(|expiration| expiration < now);
        if is_expired == self.is_expired || self.keys.is_empty() {
            return Vec::new();
        }
        self.is_expired = is_expired;
        match is_expired {
            true => self.store.forget(self.number, self.keys.keys()),
            false => self.store.insert(self.number, &self.all_keys()),
        }
        self.tell_statuses()
    }

    fn all_keys(&self) -> Vec<(KeyId, Arc<Key>)> {
        self.keys.iter().map(|(kid, held)| (kid.clone(), Arc::clone(&held.key))).collect()
    }

    /// EME's "Update Key Statuses". A key that was released and has come back is there.
    fn tell_statuses(&mut self) -> Vec<SessionEvent> {
        let status = match self.is_expired {
            true => MediaKeyStatus::Expired,
            false => MediaKeyStatus::Usable,
        };
        let released = self.released.iter().map(|kid| (kid.clone(), MediaKeyStatus::Released));
        let held = self.keys.keys().map(|kid| (kid.clone(), status));
        self.statuses.replace(released.chain(held).collect());
        vec![SessionEvent::KeyStatusesChange]
    }
}

/// Nothing of a session decrypts once it is gone, however it went.
impl Drop for Machine {
    fn drop(&mut self) {
        self.store.forget(self.number, self.keys.keys());
    }
}

fn done(events: Vec<SessionEvent>) -> Turn {
    Turn::Done { found: true, events }
}
