//! What calls on a session change.

use std::collections::BTreeSet;

use clearkey::{InitData, LicenseRelease, LicenseRequest, Response};

use super::{FEW, Keys, Model, Phase, Session, Stored, is_id};
use crate::{CloseReason, Error, MessageType, SessionEvent, fuzzing::call::Fault};

impl Model {
    // generateRequest() and load()

    pub(super) fn generate_request(
        &mut self,
        at: usize,
        init_data_type: &str,
        init_data: &[u8],
        result: Result<bool, Error>,
        session_id: String,
    ) {
        if let Some(refused) = self.begun(at) {
            assert_eq!(result, Err(refused));
            return;
        }
        self.sessions[at].phase = Phase::Burnt;
        let is_persistent = self.is_persistent(at);
        let init_data = match InitData::parse(init_data_type, init_data) {
            Ok(init_data) => init_data,
            Err(error) => return assert_eq!(result, Err(error.into())),
        };
        if self.is_full() {
            return assert_eq!(result, Err(Error::NoSessionId));
        }
        if result == Err(Error::NoSessionId) {
            assert!(self.setup.has_few_ids, "ids are many");
            let taken = self.sessions.iter().map(|session| &session.id).chain(self.stored.keys());
            let taken: BTreeSet<_> = taken.filter(|id| !id.is_empty()).collect();
            assert!(taken.len() >= FEW as usize, "{taken:?} and no other");
            return;
        }
        if is_persistent && self.fault.take().is_some() {
            return assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
        }
        let kids = init_data.kids().to_vec();
        let message = match LicenseRequest::new(kids.clone(), self.sessions[at].session_type) {
            Ok(request) => request.to_json(),
            Err(error) => return assert_eq!(result, Err(error.into())),
        };
        assert_eq!(result, Ok(true));
        let is_shown = |session: &Session| {
            session.id == session_id && (session.has_handle || session.phase == Phase::Callable)
        };
        assert!(!self.sessions.iter().any(is_shown), "id {session_id} came twice");
        assert!(!is_persistent || !self.stored.contains_key(&session_id), "{session_id} is stored");
        let session = &mut self.sessions[at];
        (session.phase, session.id, session.requested) = (Phase::Callable, session_id, kids);
        let message_type = MessageType::LicenseRequest;
        self.queue.push_back((at, SessionEvent::Message { message_type, message }));
    }

    pub(super) fn load(
        &mut self,
        at: usize,
        text: &str,
        result: Result<bool, Error>,
        session_id: String,
    ) {
        if let Some(refused) = self.begun(at) {
            assert_eq!(result, Err(refused));
            return;
        }
        self.sessions[at].phase = Phase::Burnt;
        let no_id = matches!(result, Err(Error::SessionId { .. }));
        if text.is_empty() {
            return assert!(no_id, "{result:?}");
        }
        if !self.is_persistent(at) {
            return assert_eq!(result, Err(Error::TemporaryLoad));
        }
        if !is_id(text) {
            return assert!(no_id, "{text:?}: {result:?}");
        }
        let is_open = |session: &Session| session.id == text && session.phase == Phase::Callable;
        if self.sessions.iter().any(is_open) {
            let session_id = text.to_owned();
            return assert_eq!(result, Err(Error::SessionOpen { session_id }));
        }
        if self.is_full() {
            return assert_eq!(result, Err(Error::NoSessionId));
        }
        if self.fault.take().is_some() {
            return assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
        }
        let Some(stored) = self.stored.get(text).cloned() else {
            return assert_eq!(result, Ok(false));
        };
        assert_eq!((result, &*session_id), (Ok(true), text));
        (self.sessions[at].phase, self.sessions[at].id) = (Phase::Callable, session_id);
        match stored {
            Stored::License(keys) => self.add(at, &keys),
            Stored::Destroyed(kids) => {
                self.sessions[at].released = kids;
                self.tell_release(at);
            }
        }
    }

    // update() and remove()

    pub(super) fn update(&mut self, at: usize, response: &[u8], result: &Result<(), Error>) {
        if let Some(refused) = self.not_callable(at) {
            return assert_eq!(result, &Err(refused));
        }
        let (session, is_persistent) = (&self.sessions[at], self.is_persistent(at));
        let is_pending = is_persistent && !session.released.is_empty();
        let refused = match Response::parse(response) {
            Err(error) => Some(error.into()),
            Ok(Response::License(license)) => {
                let (license_type, session_type) = (license.license_type, session.session_type);
                if license_type == session_type && !is_pending {
                    let new: Keys =
                        license.keys.iter().map(|jwk| (jwk.kid().clone(), *jwk.key())).collect();
                    let mut all = session.keys.clone();
                    all.extend(new.clone());
                    if is_persistent && !self.store(at, Some(Stored::License(all)), result) {
                        return;
                    }
                    self.add(at, &new);
                    None
                } else if license_type == session_type {
                    Some(Error::ReleasePending)
                } else {
                    Some(Error::LicenseType { license: license_type, session: session_type })
                }
            }
            Ok(Response::Acknowledgement(_)) if is_pending => {
                if !self.store(at, None, result) {
                    return;
                }
                self.close(at, CloseReason::ReleaseAcknowledged);
                None
            }
            Ok(Response::Acknowledgement(_)) => Some(Error::Acknowledgement),
        };
        assert_eq!(result, &refused.map_or(Ok(()), Err));
    }

    pub(super) fn remove(&mut self, at: usize, result: &Result<(), Error>) {
        if let Some(refused) = self.not_callable(at) {
            return assert_eq!(result, &Err(refused));
        }
        let kids: BTreeSet<_> = self.sessions[at].keys.keys().cloned().collect();
        if self.is_persistent(at)
            && !kids.is_empty()
            && !self.store(at, Some(Stored::Destroyed(kids.clone())), result)
        {
            return;
        }
        assert_eq!(result, &Ok(()));
        self.forget(at);
        let session = &mut self.sessions[at];
        session.keys.clear();
        session.released.extend(kids);
        (session.expiration, session.is_expired) = (None, false);
        self.tell_release(at);
    }

    /// Stores or deletes. `false`: storage has failed, and nothing else may change.
    pub(super) fn store(
        &mut self,
        at: usize,
        record: Option<Stored>,
        result: &Result<(), Error>,
    ) -> bool {
        let fault = self.fault.take();
        let id = &self.sessions[at].id;
        if fault != Some(Fault::Before) {
            match record {
                Some(record) => self.stored.insert(id.clone(), record),
                None => self.stored.remove(id),
            };
        }
        if fault.is_some() {
            assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
        }
        fault.is_none()
    }

    /// Keys of a session that are the latest from now on; with them those that had expired.
    pub(super) fn add(&mut self, at: usize, new: &Keys) {
        let session = &mut self.sessions[at];
        session.keys.extend(new.iter().map(|(kid, key)| (kid.clone(), *key)));
        session.released.retain(|kid| !new.contains_key(kid));
        let is_expired = std::mem::take(&mut session.is_expired);
        session.expiration = None;
        let usable = if is_expired { session.keys.clone() } else { new.clone() };
        self.count(at, usable);
        self.queue.push_back((at, SessionEvent::KeyStatusesChange));
    }

    pub(super) fn count(&mut self, at: usize, usable: Keys) {
        for (kid, key) in usable {
            let latest = self.latest.entry(kid).or_default();
            latest.retain(|(session, _)| *session != at);
            latest.push((at, key));
        }
    }

    pub(super) fn forget(&mut self, at: usize) {
        for keys in self.latest.values_mut() {
            keys.retain(|(session, _)| *session != at);
        }
    }

    pub(super) fn tell_release(&mut self, at: usize) {
        self.queue.push_back((at, SessionEvent::KeyStatusesChange));
        let released = &self.sessions[at].released;
        if self.is_persistent(at) && !released.is_empty() {
            let message = LicenseRelease::new(released.iter().cloned().collect()).to_json();
            let message_type = MessageType::LicenseRelease;
            self.queue.push_back((at, SessionEvent::Message { message_type, message }));
        }
    }

    // The end, and expiration

    pub(super) fn close(&mut self, at: usize, reason: CloseReason) {
        if let Phase::Closed(_) = self.sessions[at].phase {
            return;
        }
        self.forget(at);
        let session = &mut self.sessions[at];
        session.phase = Phase::Closed(reason);
        session.keys.clear();
        session.released.clear();
        (session.expiration, session.is_expired) = (None, false);
        self.queue.push_back((at, SessionEvent::KeyStatusesChange));
    }

    pub(super) fn check_expiration(&mut self, at: usize, now: u8) {
        let session = &mut self.sessions[at];
        let is_expired = session.expiration.is_some_and(|expiration| expiration < now);
        if is_expired == session.is_expired || session.keys.is_empty() {
            return;
        }
        session.is_expired = is_expired;
        let keys = session.keys.clone();
        match is_expired {
            true => self.forget(at),
            false => self.count(at, keys),
        }
        self.queue.push_back((at, SessionEvent::KeyStatusesChange));
    }
}
