//! EME's `MediaKeySession`.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use clearkey::{KeyId, SessionType};
use zeroize::Zeroizing;

use crate::{
    CloseReason, Closed, Error, EventType, Handler, ListenerId, MediaKeyStatusMap, Operation,
    SessionEvent,
    machine::{Call, Machine},
    operation::Outcome,
    session::SessionState,
    storage::Storage,
};

/// A session: a license request, the licenses that answer it, and their keys. Made by
/// [`MediaKeys::create_session`](crate::MediaKeys::create_session).
///
/// A handle is cheap to clone, and all handles are the same session. What a method returns stands for
/// EME's promise; when it returns, all attributes are up to date. Events wait in a queue until
/// [`dispatch_events`](Self::dispatch_events) or [`next_event`](Self::next_event), so listeners are
/// registered before the first call. Each call that can end in a page's `catch` has an error whose
/// [`exception`](Error::exception) is what the page would see.
///
/// Each call that may need storage has a twin `…_async`, which yields a future. Calls on one session
/// take effect in the order in which they were made; `close` does not wait for those before it, which
/// end with [`Error::Closed`].
#[derive(Clone)]
pub struct MediaKeySession {
    state: Arc<SessionState>,
}

impl MediaKeySession {
    pub(crate) fn of(state: Arc<SessionState>) -> Self {
        Self { state }
    }

    /// The kind of session that it was made as.
    #[must_use]
    pub fn session_type(&self) -> SessionType {
        self.state.session_type
    }

    /// The id: decimal digits. Empty until [`generate_request`](Self::generate_request) or
    /// [`load`](Self::load) has succeeded.
    #[must_use]
    pub fn session_id(&self) -> String {
        self.state.ask(Machine::session_id).unwrap_or_default()
    }

    /// When the keys expire, in milliseconds since 1970; NaN, as ClearKey's keys never do by
    /// themselves.
    #[must_use]
    pub fn expiration(&self) -> f64 {
        self.expiration_time()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(f64::NAN, |since| since.as_secs_f64() * 1000.0)
    }

    /// The same as a time.
    #[must_use]
    pub fn expiration_time(&self) -> Option<SystemTime> {
        self.state.ask(Machine::expiration)
    }

    /// Why the session is closed, if it is.
    #[must_use]
    pub fn closed(&self) -> Option<CloseReason> {
        self.state.closed.reason()
    }

    /// A future of the end of the session; EME's promise `closed`. It never fails, and keeps the
    /// session from nothing.
    #[must_use]
    pub fn when_closed(&self) -> Closed {
        self.state.closed.clone()
    }

    /// The keys that are known and their statuses: one map for the whole life of the session.
    #[must_use]
    pub fn key_statuses(&self) -> MediaKeyStatusMap {
        self.state.statuses.clone()
    }

    /// The first key id in the order of [`key_statuses`](Self::key_statuses), or else the first that
    /// was requested. No specification has this; some tutorials do.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        self.state.ask(Machine::key_id)
    }

    /// Makes a license request for the key ids in `init_data` and queues it as a `message`.
    ///
    /// `init_data_type` is `cenc`, `keyids` or `webm`, whatever the configuration lists. A session has
    /// one call of this or of [`load`](Self::load): if it fails, the session is burnt, and each method
    /// that has something to do ends with `InvalidStateError`.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::AlreadyInitialized`] (`InvalidStateError`); [`Error::Message`]
    /// for wrong or useless data (`TypeError`, `NotSupportedError`); [`Error::NoSessionId`]
    /// (`QuotaExceededError`); [`Error::Store`] if the store of a persistent session cannot be asked
    /// whether an id is free.
    pub fn generate_request(&self, init_data_type: &str, init_data: &[u8]) -> Result<(), Error> {
        self.now(|| self.generate_request_async(init_data_type, init_data))
    }

    /// [`generate_request`](Self::generate_request) as a future.
    pub fn generate_request_async(&self, init_data_type: &str, init_data: &[u8]) -> Operation<()> {
        let (init_data_type, init_data) = (init_data_type.to_owned(), init_data.to_vec());
        self.begin(Call::GenerateRequest { init_data_type, init_data })
    }

    /// Loads what a persistent session has stored under `session_id`: its license, or the record of
    /// the license's destruction, whose release is then sent again. `false` if nothing is stored;
    /// then, and after an error, the session is burnt.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`], [`Error::AlreadyInitialized`] and [`Error::DamagedRecord`]
    /// (`InvalidStateError`); [`Error::SessionId`] and [`Error::TemporaryLoad`] (`TypeError`);
    /// [`Error::SessionOpen`], [`Error::NoSessionId`] and [`Error::Store`] (`QuotaExceededError`).
    pub fn load(&self, session_id: &str) -> Result<bool, Error> {
        self.now(|| self.load_async(session_id))
    }

    /// [`load`](Self::load) as a future.
    pub fn load_async(&self, session_id: &str) -> Operation<bool> {
        self.begin(Call::Load { session_id: session_id.to_owned() })
    }

    /// Takes a license, or the acknowledgement of a release: the answer of a license server, 1 to
    /// [`limits::LICENSE`](clearkey::limits::LICENSE) octets.
    ///
    /// The keys of a license are added to those that the session has, all or none; a known key id gets
    /// the new key. Those of a persistent session are stored before they are used. An acknowledgement
    /// deletes what is stored and closes the session. If it fails, nothing has changed.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::NotCallable`] (`InvalidStateError`); [`Error::Message`],
    /// [`Error::LicenseType`], [`Error::ReleasePending`] and [`Error::Acknowledgement`] (`TypeError`);
    /// [`Error::Store`] (`QuotaExceededError`).
    pub fn update(&self, response: &[u8]) -> Result<(), Error> {
        self.now(|| self.update_async(response))
    }

    /// [`update`](Self::update) as a future.
    pub fn update_async(&self, response: &[u8]) -> Operation<()> {
        self.begin(Call::Update { response: Zeroizing::new(response.to_vec()) })
    }

    /// Closes the session: its keys are gone when this returns. What it has stored stays. On a closed
    /// session it does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotCallable`] (`InvalidStateError`) before `generate_request` or `load` has succeeded.
    pub fn close(&self) -> Result<(), Error> {
        self.state.close()
    }

    /// Destroys the keys. Their ids stay in the statuses as `released`, and the session stays open. A
    /// persistent session replaces its stored license by a record of that, and queues a license
    /// release until an acknowledgement of it comes; on a second call it queues it again.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::NotCallable`] (`InvalidStateError`); [`Error::Store`]
    /// (`QuotaExceededError`), after which the keys are still there.
    pub fn remove(&self) -> Result<(), Error> {
        self.now(|| self.remove_async())
    }

    /// [`remove`](Self::remove) as a future.
    pub fn remove_async(&self) -> Operation<()> {
        self.begin(Call::Remove)
    }

    /// Sets the one handler attribute for `message` events, or takes it away.
    pub fn on_message(&self, handler: Option<Handler>) {
        self.state.listeners.set(EventType::Message, handler);
    }

    /// Sets the one handler attribute for `keystatuseschange` events, or takes it away.
    pub fn on_key_statuses_change(&self, handler: Option<Handler>) {
        self.state.listeners.set(EventType::KeyStatusesChange, handler);
    }

    /// Adds a listener behind those that there are.
    pub fn add_event_listener(
        &self,
        event_type: EventType,
        listener: impl FnMut(&MediaKeySession, &SessionEvent) + Send + 'static,
    ) -> ListenerId {
        self.state.listeners.add(event_type, Box::new(listener))
    }

    /// Takes a listener away. `false` if this session has none of that name.
    #[expect(clippy::must_use_candidate, reason = "EME's call has no result")]
    pub fn remove_event_listener(&self, listener: ListenerId) -> bool {
        self.state.listeners.remove(listener)
    }

    /// [`MediaKeys::dispatch_events`](crate::MediaKeys::dispatch_events), for who has no `MediaKeys`
    /// at hand: for all sessions of the instance, since events keep their order.
    pub fn dispatch_events(&self) {
        self.state.instance.events.dispatch();
    }

    /// Takes the next event of this session, past its listeners.
    #[must_use]
    pub fn next_event(&self) -> Option<SessionEvent> {
        let state = Arc::downgrade(&self.state);
        self.state.instance.events.next(Some(&state)).map(|(_, event)| event)
    }

    /// Sets when the keys expire. ClearKey itself never does; this is for embedders. It takes effect
    /// with [`check_expiration`](Self::check_expiration), and ends with the next license.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::NotCallable`] (`InvalidStateError`).
    pub fn set_expiration(&self, expiration: Option<SystemTime>) -> Result<(), Error> {
        self.state.change(|machine| (machine.set_expiration(expiration), Vec::new()))
    }

    /// Compares the expiration with the time that it is, which only the embedder knows. If it is past,
    /// all keys of the session are `expired` and decrypt no more; if it is not past any more, they are
    /// `usable` again. A change is told by a `keystatuseschange`.
    pub fn check_expiration(&self, now: SystemTime) {
        self.state.change(|machine| ((), machine.check_expiration(now)));
    }

    /// Closes the session because its resources are needed elsewhere. For embedders.
    pub fn evict(&self) {
        self.state.end(CloseReason::ResourceEvicted);
    }

    pub(crate) fn deliver(&self, event: &SessionEvent) {
        self.state.listeners.call(self, event);
    }

    fn begin<T: Outcome>(&self, call: Call) -> Operation<T> {
        Operation::new(self.state.call(call))
    }

    /// Waits for a call. With storage here, it only waits if another thread is at work on the same
    /// session.
    fn now<T: Outcome>(&self, begin: impl FnOnce() -> Operation<T>) -> Result<T, Error> {
        let is_persistent = self.session_type() == SessionType::PersistentLicense;
        if is_persistent && matches!(self.state.instance.origin.storage, Storage::Host) {
            return Err(Error::HostStorage);
        }
        begin().wait(|| self.state.instance.origin.drive())
    }
}

/// Whether two handles are the same session.
impl PartialEq for MediaKeySession {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }
}

impl Eq for MediaKeySession {}

impl fmt::Debug for MediaKeySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaKeySession")
            .field("session_id", &self.session_id())
            .field("session_type", &self.session_type())
            .field("closed", &self.closed())
            .finish_non_exhaustive()
    }
}
