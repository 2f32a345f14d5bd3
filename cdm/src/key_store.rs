//! The keys of all open sessions of a [`MediaKeys`](crate::MediaKeys), by key id.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError},
};

use cenc::{Key, SampleEncryption, decrypt_sample};
use clearkey::KeyId;

#[cfg(loom)]
use loom::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
#[cfg(not(loom))]
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A source of keys for any thread: a handle on the usable keys of one
/// [`MediaKeys`](crate::MediaKeys).
///
/// Sessions may be updated and closed on one thread while others decrypt. The lock is held while a
/// key is looked up, never during AES: a look-up yields a share of the key, and decryption that has
/// begun ends with it. A key whose session is closed is not found any more from the moment on at
/// which `close` returns, and is wiped with the last share.
///
/// With the same key id in several sessions, the key that came last counts; when its session closes
/// or removes it, the one before counts again.
#[derive(Clone, Default)]
pub struct KeyStore {
    shared: Arc<RwLock<Keys>>,
}

/// Names a session within its store.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct SessionNumber(pub(crate) u64);

/// The key of every session that has one for the key id, latest last. Looking up is the hot path
/// (each sample); forgetting a session walks everything and may be slow.
type Keys = HashMap<KeyId, Vec<(SessionNumber, Arc<Key>)>>;

/// What came of decrypting a sample.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Decryption {
    /// The sample is clear now.
    Done,
    /// No open session has a usable key for it. No byte has been changed; EME has the media element
    /// wait for a key.
    NoKey,
}

impl KeyStore {
    /// The key that counts for a key id, by its octets.
    #[must_use]
    pub fn key(&self, kid: &[u8]) -> Option<Arc<Key>> {
        self.read().get(kid)?.last().map(|(_, key)| Arc::clone(key))
    }

    /// Decrypts one sample in place. A wrong key is not found out: Common Encryption has no way to
    /// tell.
    ///
    /// # Errors
    ///
    /// [`cenc::Error::InvalidSubsamples`] if the subsamples do not cover the sample exactly. No byte
    /// has been changed then.
    pub fn decrypt(
        &self,
        kid: &[u8],
        encryption: &SampleEncryption<'_>,
        sample: &mut [u8],
    ) -> Result<Decryption, cenc::Error> {
        let Some(key) = self.key(kid) else { return Ok(Decryption::NoKey) };
        decrypt_sample(&key, encryption, sample)?;
        Ok(Decryption::Done)
    }

    /// Adds keys of a session, all at once: nobody sees some of them without the others. They are
    /// the latest from now on, and replace those that the session had under the same key ids.
    pub(crate) fn insert(&self, session: SessionNumber, keys: &[(KeyId, Arc<Key>)]) {
        let mut store = self.write();
        for (kid, key) in keys {
            let entries = store.entry(kid.clone()).or_default();
            entries.retain(|(owner, _)| *owner != session);
            entries.push((session, Arc::clone(key)));
        }
    }

    /// Drops all keys of a session.
    pub(crate) fn forget(&self, session: SessionNumber) {
        self.write().retain(|_, entries| {
            entries.retain(|(owner, _)| *owner != session);
            !entries.is_empty()
        });
    }

    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows nothing: not even the key ids belong into a log without being asked for.
impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyStore(..)")
    }
}
