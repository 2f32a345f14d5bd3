//! `update()` and `remove()`: keys come, and go.

use std::{collections::BTreeMap, sync::Arc};

use cenc::Key;
use clearkey::{Jwk, LicenseRelease, Response, SessionType};

use super::{Held, Machine, Then, Turn, done};
use crate::{Error, MessageType, SessionEvent, record::Record, storage::StoreOperation};

impl Machine {
    pub(super) fn update(&mut self, response: &[u8]) -> Result<Turn, Error> {
        let is_persistent = self.session_type == SessionType::PersistentLicense;
        match Response::parse(response)? {
            Response::License(license) if license.license_type != self.session_type => {
                Err(Error::LicenseType {
                    license: license.license_type,
                    session: self.session_type,
                })
            }
            Response::License(_) if self.release_is_pending() => Err(Error::ReleasePending),
            Response::License(license) if is_persistent => {
                let mut all: BTreeMap<_, _> = self
                    .keys
                    .iter()
                    .filter_map(|(kid, held)| Some((kid.clone(), held.jwk.clone()?)))
                    .collect();
                all.extend(license.keys.iter().map(|jwk| (jwk.kid().clone(), jwk.clone())));
                let record = Record::License(all.into_values().collect());
                let operation = StoreOperation::Put(record.to_bytes());
                Ok(Turn::Ask { operation, then: Then::Update { keys: license.keys } })
            }
            Response::License(license) => Ok(self.add_keys(license.keys)),
            Response::Acknowledgement(_) if self.release_is_pending() => {
                Ok(Turn::Ask { operation: StoreOperation::Delete, then: Then::Acknowledge })
            }
            Response::Acknowledgement(_) => Err(Error::Acknowledgement),
        }
    }

    /// Makes keys usable. The license says nothing of an expiration, so what an earlier one had
    /// expired is usable again.
    pub(super) fn add_keys(&mut self, keys: Vec<Jwk>) -> Turn {
        let is_persistent = self.session_type == SessionType::PersistentLicense;
        let mut usable = if self.is_expired { self.all_keys() } else { Vec::new() };
        for jwk in keys {
            let (kid, key) = (jwk.kid().clone(), Arc::new(Key::new(jwk.key())));
            usable.push((kid.clone(), Arc::clone(&key)));
            self.keys.insert(kid, Held { key, jwk: is_persistent.then_some(jwk) });
        }
        self.store.insert(self.number, &usable);
        (self.expiration, self.is_expired) = (None, false);
        done(self.tell_statuses())
    }

    /// A persistent session leaves a record of destruction in place of its license. Without a key
    /// there is nothing to destroy, and a second time there is nothing left to.
    pub(super) fn remove(&mut self) -> Result<Turn, Error> {
        if self.session_type == SessionType::Temporary || self.keys.is_empty() {
            return self.keys_destroyed();
        }
        let record = Record::Destroyed(self.statuses.keys().collect());
        let operation = StoreOperation::Put(record.to_bytes());
        Ok(Turn::Ask { operation, then: Then::Remove })
    }

    pub(super) fn keys_destroyed(&mut self) -> Result<Turn, Error> {
        self.store.forget(self.number, self.keys.keys());
        self.released.extend(std::mem::take(&mut self.keys).into_keys());
        (self.expiration, self.is_expired) = (None, false);
        self.tell_release()
    }

    /// Tells the statuses; of a persistent session also the license release.
    pub(super) fn tell_release(&mut self) -> Result<Turn, Error> {
        let mut events = self.tell_statuses();
        if self.release_is_pending() {
            let release = LicenseRelease::new(self.released.iter().cloned().collect());
            let message_type = MessageType::LicenseRelease;
            events.push(SessionEvent::Message { message_type, message: release.to_json() });
        }
        Ok(done(events))
    }

    fn release_is_pending(&self) -> bool {
        self.session_type == SessionType::PersistentLicense && !self.released.is_empty()
    }
}
