//! EME's `MediaKeys`: the keys of a set of sessions, and the sessions.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use cenc::SampleEncryption;
use clearkey::SessionType;

use crate::{
    CloseReason, Decryption, Error, KeyStore, MediaKeySession, MediaKeyStatus, MediaKeysPolicy,
    SessionEvent, access, instance::Instance, origin::Origin, session::SessionState, sync::lock,
};

/// A CDM instance of the key system: it makes sessions, and decrypts with the keys of those that are
/// open. Keys of other instances are out of its sight.
///
/// A handle is cheap to clone. Sessions live as long as their `MediaKeys` or a handle of their own
/// does: one whose handle is dropped goes on to decrypt and to tell its listeners; one whose
/// `MediaKeys` is dropped goes on to work. With neither left, its keys are destroyed.
#[derive(Clone)]
pub struct MediaKeys {
    shared: Arc<Shared>,
}

struct Shared {
    instance: Arc<Instance>,
    session_types: Vec<SessionType>,
    sessions: Mutex<Sessions>,
    has_failed: AtomicBool,
}

#[derive(Default)]
struct Sessions {
    /// Those that are not closed, those that still have something to tell, and for a while others.
    all: Vec<Arc<SessionState>>,
    /// How many there are before those that are over are looked for again.
    enough: usize,
}

/// As long as there are fewer, those that are over are looked for each time.
const FEW: usize = 64;

impl Sessions {
    /// Adds one, and gives back those that are over. However many there are, each is looked at a few times only.
    fn add(&mut self, session: Arc<SessionState>) -> Vec<Arc<SessionState>> {
        let mut over = Vec::new();
        if self.all.len() >= self.enough {
            let all = std::mem::take(&mut self.all).into_iter();
            (over, self.all) = all.partition(|session| session.is_done_with());
            self.enough = if self.all.len() < FEW { 0 } else { 2 * self.all.len() };
        }
        self.all.push(session);
        over
    }
}

/// Why a CDM instance is not there any more.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Unavailable {
    /// It has failed. No session can be made any more.
    InternalError,
    /// The hardware that it runs on was reset. New sessions can be made.
    HardwareContextReset,
}

impl MediaKeys {
    pub(crate) fn new(origin: Arc<Origin>, session_types: Vec<SessionType>) -> Self {
        let shared = Shared {
            instance: Instance::new(origin),
            session_types,
            sessions: Mutex::default(),
            has_failed: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Makes a session: no id, no keys, nothing stored. EME's default is
    /// [`SessionType::Temporary`].
    ///
    /// # Errors
    ///
    /// [`Error::SessionType`] (`NotSupportedError`) if the configuration does not have sessions of
    /// that type, [`Error::Unavailable`] (`InvalidStateError`) after the instance has failed.
    pub fn create_session(&self, session_type: SessionType) -> Result<MediaKeySession, Error> {
        if !self.shared.session_types.contains(&session_type) {
            return Err(Error::SessionType { session_type });
        }
        let instance = &self.shared.instance;
        let state = SessionState::new(session_type, Arc::clone(instance), instance.new_number());
        let mut sessions = lock(&self.shared.sessions);
        if self.shared.has_failed.load(Ordering::Relaxed) {
            return Err(Error::Unavailable);
        }
        let over = sessions.add(Arc::clone(&state));
        // What goes with a session may call back.
        drop(sessions);
        drop(over);
        Ok(MediaKeySession::of(state))
    }

    /// Takes a server certificate, which ClearKey has no use for: the answer is always `false`.
    ///
    /// # Errors
    ///
    /// [`Error::ServerCertificateEmpty`] (`TypeError`) for no octets, as the web-platform-tests want;
    /// the draft would answer `false` before it looks.
    pub fn set_server_certificate(&self, server_certificate: &[u8]) -> Result<bool, Error> {
        if server_certificate.is_empty() { Err(Error::ServerCertificateEmpty) } else { Ok(false) }
    }

    /// What a key would be good for under a policy: always [`MediaKeyStatus::Usable`], since ClearKey
    /// protects no output.
    ///
    /// # Errors
    ///
    /// [`Error::PolicyEmpty`] or [`Error::PolicyHdcp`] (`TypeError`) for a policy without a member, or
    /// with an HDCP version that there is not.
    pub fn get_status_for_policy(&self, policy: &MediaKeysPolicy) -> Result<MediaKeyStatus, Error> {
        access::check_policy(policy)?;
        Ok(MediaKeyStatus::Usable)
    }

    /// The usable keys of all open sessions, as a source for any thread.
    #[must_use]
    pub fn key_store(&self) -> KeyStore {
        self.shared.instance.keys.clone()
    }

    /// Decrypts one sample in place with the key that counts for `kid`. See [`KeyStore::decrypt`].
    ///
    /// # Errors
    ///
    /// As [`KeyStore::decrypt`].
    pub fn decrypt(
        &self,
        kid: &[u8],
        encryption: &SampleEncryption<'_>,
        sample: &mut [u8],
    ) -> Result<Decryption, cenc::Error> {
        self.shared.instance.keys.decrypt(kid, encryption, sample)
    }

    /// Tells all events that have happened in sessions of this instance to their listeners, in order,
    /// those included that happen meanwhile.
    ///
    /// A listener may call anything, also this; the events are then told by the call that is already
    /// telling, one after the other.
    pub fn dispatch_events(&self) {
        self.shared.instance.events.dispatch();
    }

    /// Takes the next event that has happened in a session of this instance, past its listeners: for
    /// a host that tells events by itself.
    #[must_use]
    pub fn next_event(&self) -> Option<(MediaKeySession, SessionEvent)> {
        self.shared.instance.events.next(None)
    }

    /// Closes all sessions, because the instance is not there any more (EME, "CDM Unavailable"). For
    /// embedders.
    pub fn cdm_unavailable(&self, why: Unavailable) {
        let reason = match why {
            Unavailable::InternalError => CloseReason::InternalError,
            Unavailable::HardwareContextReset => CloseReason::HardwareContextReset,
        };
        let sessions = {
            let sessions = lock(&self.shared.sessions);
            let has_failed = why == Unavailable::InternalError;
            self.shared.has_failed.fetch_or(has_failed, Ordering::Relaxed);
            sessions.all.clone()
        };
        sessions.iter().for_each(|session| session.end(reason));
    }
}

impl fmt::Debug for MediaKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sessions = lock(&self.shared.sessions).all.len();
        f.debug_struct("MediaKeys").field("sessions", &sessions).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Environment, MediaKeySystemConfiguration, MediaKeySystemMediaCapability};

    fn media_keys() -> MediaKeys {
        let content_type = "audio/webm;codecs=opus".to_owned();
        let capability = MediaKeySystemMediaCapability { content_type, ..Default::default() };
        let configuration = MediaKeySystemConfiguration {
            audio_capabilities: vec![capability],
            ..Default::default()
        };
        let environment = Environment::builder().build();
        let access =
            environment.request_media_key_system_access("org.w3.clearkey", &[configuration]);
        access.unwrap().create_media_keys().unwrap()
    }

    fn open(media_keys: &MediaKeys, count: usize) -> Vec<MediaKeySession> {
        let open = |_| media_keys.create_session(SessionType::Temporary).unwrap();
        (0..count).map(open).collect()
    }

    /// Opens a session and closes it. How many are held then.
    fn pass(media_keys: &MediaKeys) -> usize {
        for session in open(media_keys, 1) {
            session.generate_request("keyids", br#"{"kids":["AQ"]}"#).unwrap();
            session.close().unwrap();
        }
        while media_keys.next_event().is_some() {}
        lock(&media_keys.shared.sessions).all.len()
    }

    #[test]
    fn of_few_sessions_none_is_held_that_is_over() {
        let media_keys = media_keys();
        let _few = open(&media_keys, 3);
        assert!((0..20).all(|_| pass(&media_keys) == 4));
    }

    #[test]
    fn of_many_sessions_those_that_are_over_are_at_most_as_many_as_the_others() {
        for many in [FEW, 2 * FEW] {
            let media_keys = media_keys();
            let _many = open(&media_keys, many);
            let held: Vec<_> = (0..3 * many).map(|_| pass(&media_keys)).collect();
            assert_eq!(held.iter().max(), Some(&(2 * many)));
            // Looking for them is what makes them fewer, and is seldom.
            let looks = held.windows(2).filter(|pair| pair[1] < pair[0]).count();
            assert!((1..=3).contains(&looks), "{looks}");
        }
    }
}
