//! The real thing: media keys with sessions and a store, and an account of what calls led to.

use std::{
    sync::{Arc, Mutex, Weak},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clearkey::SessionType;
use zeroize::Zeroizing;

use super::{
    call::{Call, Fault, Setup},
    made::license,
};
use crate::{
    Environment, Error, EventType, Handler, MediaKeySession, MediaKeyStatus,
    MediaKeySystemConfiguration, MediaKeySystemMediaCapability, MediaKeys, MediaKeysPolicy,
    SessionEvent, Unavailable,
    store::{LicenseStore, MemoryStore, StoreError},
    sync::lock,
};

/// What has happened, in order.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A call has returned.
    Did { call: Call, answer: Answer },
    /// A listener was called, by its number.
    Heard { listener: usize, session_id: String, event: SessionEvent },
}

/// What a call returned.
#[derive(Debug)]
pub(crate) enum Answer {
    /// There is no such session, or nobody has a handle of it.
    Skipped,
    /// A call without a result.
    Nothing,
    Created(Result<(), Error>),
    /// And the id that the session has now.
    Started {
        result: Result<bool, Error>,
        session_id: String,
    },
    Done(Result<(), Error>),
    Event(Option<(String, SessionEvent)>),
    Listening {
        listener: usize,
    },
    Certificate(Result<bool, Error>),
    Status(Result<MediaKeyStatus, Error>),
}

pub(crate) struct Stage {
    me: Weak<Self>,
    pub(crate) media_keys: MediaKeys,
    pub(crate) store: FaultyStore,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// `None`: the handle is gone.
    sessions: Vec<Option<MediaKeySession>>,
    log: Vec<Entry>,
    listeners: usize,
}

/// Session numbers of scripts go so far.
const SESSIONS: usize = 8;

/// The ids that there are, where there are few.
pub(crate) const FEW: u32 = 6;

impl Stage {
    pub(crate) fn new(setup: Setup) -> Arc<Self> {
        let store = FaultyStore::default();
        let media_keys = media_keys(store.clone(), setup);
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            media_keys,
            store,
            inner: Mutex::default(),
        })
    }

    pub(crate) fn session(&self, at: usize) -> Option<MediaKeySession> {
        lock(&self.inner).sessions.get(at)?.clone()
    }

    /// What has happened since this was last asked.
    pub(crate) fn log(&self) -> Vec<Entry> {
        std::mem::take(&mut lock(&self.inner).log)
    }

    /// Makes a call. No lock is held meanwhile.
    pub(crate) fn perform(&self, call: Call) {
        let answer = self.answer(&call);
        lock(&self.inner).log.push(Entry::Did { call, answer });
    }

    fn answer(&self, call: &Call) -> Answer {
        match call {
            Call::Create { session_type } => {
                if lock(&self.inner).sessions.len() == SESSIONS {
                    return Answer::Skipped;
                }
                let created = self.media_keys.create_session(*session_type);
                Answer::Created(
                    created.map(|session| lock(&self.inner).sessions.push(Some(session))),
                )
            }
            Call::NextEvent { session: None } => {
                let next = self.media_keys.next_event();
                Answer::Event(next.map(|(session, event)| (session.session_id(), event)))
            }
            Call::Dispatch => {
                self.media_keys.dispatch_events();
                Answer::Nothing
            }
            Call::Certificate { certificate } => {
                Answer::Certificate(self.media_keys.set_server_certificate(certificate))
            }
            Call::Policy { min_hdcp_version } => {
                let policy = MediaKeysPolicy { min_hdcp_version: min_hdcp_version.clone() };
                Answer::Status(self.media_keys.get_status_for_policy(&policy))
            }
            Call::Unavailable { is_failure } => {
                self.media_keys.cdm_unavailable(match is_failure {
                    true => Unavailable::InternalError,
                    false => Unavailable::HardwareContextReset,
                });
                Answer::Nothing
            }
            Call::Fault { fault } => {
                *lock(&self.store.fault) = *fault;
                Answer::Nothing
            }
            call => match call.session().and_then(|at| self.session(at)) {
                Some(handle) => self.of_session(&handle, call),
                None => Answer::Skipped,
            },
        }
    }

    fn of_session(&self, session: &MediaKeySession, call: &Call) -> Answer {
        let started = |result| Answer::Started { result, session_id: session.session_id() };
        match call {
            Call::GenerateRequest { init_data_type, init_data, .. } => {
                let result = session.generate_request(init_data_type, init_data);
                started(result.map(|()| true))
            }
            Call::Load { of, .. } => {
                let of = self.session(*of).map(|of| of.session_id());
                started(session.load(&of.unwrap_or_default()))
            }
            Call::LoadText { session_id, .. } => started(session.load(session_id)),
            Call::Update { response, .. } => Answer::Done(session.update(response)),
            Call::UpdateWith { keys, is_wrong_type, .. } => {
                let session_type = license_type(session.session_type(), *is_wrong_type);
                Answer::Done(session.update(&license(session_type, keys)))
            }
            Call::Remove { .. } => Answer::Done(session.remove()),
            Call::Close { .. } => Answer::Done(session.close()),
            Call::Evict { .. } => {
                session.evict();
                Answer::Nothing
            }
            Call::NextEvent { .. } => {
                Answer::Event(session.next_event().map(|event| (session.session_id(), event)))
            }
            Call::Listen { event_type, is_attribute, then, .. } => {
                let mut inner = lock(&self.inner);
                inner.listeners += 1;
                let listener = inner.listeners;
                drop(inner);
                let handler = self.handler(listener, then.as_deref().cloned());
                match (is_attribute, event_type) {
                    (false, _) => {
                        session.add_event_listener(*event_type, handler);
                    }
                    (true, EventType::Message) => session.on_message(Some(handler)),
                    (true, EventType::KeyStatusesChange) => {
                        session.on_key_statuses_change(Some(handler));
                    }
                }
                Answer::Listening { listener }
            }
            Call::Unlisten { event_type, .. } => {
                match event_type {
                    EventType::Message => session.on_message(None),
                    EventType::KeyStatusesChange => session.on_key_statuses_change(None),
                }
                Answer::Nothing
            }
            Call::LetGo { session } => {
                let gone = lock(&self.inner).sessions[*session].take();
                drop(gone);
                Answer::Nothing
            }
            Call::SetExpiration { at, .. } => Answer::Done(session.set_expiration(at.map(time))),
            Call::CheckExpiration { now, .. } => {
                session.check_expiration(time(*now));
                Answer::Nothing
            }
            _ => unreachable!("a call of no session"),
        }
    }

    /// Makes one call at the most, so that it ends.
    fn handler(&self, listener: usize, mut then: Option<Call>) -> Handler {
        let stage = Weak::clone(&self.me);
        Box::new(move |session, event| {
            let Some(stage) = stage.upgrade() else { return };
            let session_id = session.session_id();
            let heard = Entry::Heard { listener, session_id, event: event.clone() };
            lock(&stage.inner).log.push(heard);
            if let Some(call) = then.take() {
                stage.perform(call);
            }
        })
    }
}

pub(crate) fn license_type(session_type: SessionType, is_wrong: bool) -> SessionType {
    match (session_type, is_wrong) {
        (SessionType::Temporary, false) | (SessionType::PersistentLicense, true) => {
            SessionType::Temporary
        }
        _ => SessionType::PersistentLicense,
    }
}

/// A time that a script writes as a number.
pub(crate) fn time(number: u8) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(number.into())
}

/// A configuration with both kinds of sessions, or with temporary ones.
pub(crate) fn configuration(is_temporary: bool) -> MediaKeySystemConfiguration {
    let types = [SessionType::Temporary, SessionType::PersistentLicense];
    let types = &types[..if is_temporary { 1 } else { 2 }];
    MediaKeySystemConfiguration {
        video_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: r#"video/mp4;codecs="avc1.4d401e""#.to_owned(),
            ..Default::default()
        }],
        session_types: Some(types.iter().map(ToString::to_string).collect()),
        ..Default::default()
    }
}

pub(crate) fn media_keys(store: impl LicenseStore + 'static, setup: Setup) -> MediaKeys {
    let mut number = 0_u32;
    let environment = Environment::builder().store(store).random(move || {
        number += 1;
        if setup.has_few_ids { number % FEW } else { number }
    });
    let environment = match setup.limit {
        0 => environment,
        limit => environment.session_limit(limit),
    };
    let configurations = [configuration(setup.is_temporary)];
    let environment = environment.build();
    let access = environment.request_media_key_system_access("org.w3.clearkey", &configurations);
    access.unwrap().create_media_keys().unwrap()
}

/// A store that fails when it is told to, once.
#[derive(Clone, Default)]
pub(crate) struct FaultyStore {
    pub(crate) records: MemoryStore,
    pub(crate) fault: Arc<Mutex<Option<Fault>>>,
}

impl FaultyStore {
    fn step<T>(&self, step: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let fault = lock(&self.fault).take();
        let failed = Err(StoreError::new("a fault that a fuzzer wants"));
        match fault {
            None => step(),
            Some(Fault::Before) => failed,
            Some(Fault::After) => step().and(failed),
        }
    }
}

impl LicenseStore for FaultyStore {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.step(|| self.records.get(name))
    }

    fn put(&self, name: &str, record: &[u8]) -> Result<(), StoreError> {
        self.step(|| self.records.put(name, record))
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.step(|| self.records.delete(name))
    }
}
