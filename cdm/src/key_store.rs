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
/// (each sample); forgetting a session goes by its own key ids, however many others have.
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

    /// Drops all keys of a session, all at once. `kids` are the key ids of all keys that it has.
    pub(crate) fn forget<'k>(
        &self,
        session: SessionNumber,
        kids: impl IntoIterator<Item = &'k KeyId>,
    ) {
        let mut store = self.write();
        for kid in kids {
            let Some(entries) = store.get_mut(kid) else { continue };
            entries.retain(|(owner, _)| *owner != session);
            if entries.is_empty() {
                store.remove(kid);
            }
        }
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn kid(octet: u8) -> KeyId {
        KeyId::from([octet; 16])
    }

    #[test]
    fn the_latest_key_counts_and_the_one_before_it_again() {
        let store = KeyStore::default();
        let keys: Vec<_> = (0..4).map(|octet| Arc::new(Key::new(&[octet; 16]))).collect();
        let used = |octet: u8| {
            let key = store.key(&[octet; 16])?;
            keys.iter().position(|known| Arc::ptr_eq(known, &key))
        };
        let [a, b] = [SessionNumber(1), SessionNumber(2)];
        store.insert(a, &[(kid(1), keys[0].clone()), (kid(2), keys[1].clone())]);
        store.insert(b, &[(kid(1), keys[2].clone())]);
        assert_eq!([used(1), used(2), used(3)], [Some(2), Some(1), None]);
        // A key that is replaced is the latest.
        store.insert(a, &[(kid(1), keys[3].clone())]);
        assert_eq!(used(1), Some(3));
        assert_eq!(Arc::strong_count(&keys[0]), 1);
        store.forget(a, &[kid(1), kid(2)]);
        assert_eq!([used(1), used(2)], [Some(2), None]);
        store.forget(b, &[kid(1)]);
        assert_eq!(used(1), None);
        assert!(store.read().is_empty());
        assert!(keys.iter().all(|key| Arc::strong_count(key) == 1));
    }

    /// As a key file of 16 MiB makes them: one that looked at the keys of all others would take long.
    #[test]
    fn many_sessions_go_in_time_that_goes_by_their_keys() {
        const SESSIONS: u64 = 2000;
        let (store, key) = (KeyStore::default(), Arc::new(Key::new(&[7; 16])));
        let kids = |session: u64| {
            let kid = move |n: u64| KeyId::from(u128::from(session * 128 + n).to_be_bytes());
            (0..128).map(kid).collect::<Vec<_>>()
        };
        for session in 0..SESSIONS {
            let keys: Vec<_> = kids(session).into_iter().map(|kid| (kid, key.clone())).collect();
            store.insert(SessionNumber(session), &keys);
        }
        let start = Instant::now();
        for session in 0..SESSIONS {
            store.forget(SessionNumber(session), &kids(session));
        }
        assert!(store.read().is_empty());
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn no_length_of_key_id_is_taken_for_another() {
        let store = KeyStore::default();
        let key = Arc::new(Key::new(&[7; 16]));
        store.insert(SessionNumber(1), &[(KeyId::new([1; 4]).unwrap(), key)]);
        assert!(store.key(&[1; 4]).is_some());
        for other in [&[1; 3][..], &[1; 5], &[]] {
            assert!(store.key(other).is_none());
        }
    }
}

/// Every order in which threads could run: `RUSTFLAGS="--cfg loom" cargo test --package cdm --lib
/// --release`. The lock is loom's then; all else is what ships.
#[cfg(all(test, loom))]
mod loom_tests {
    use loom::thread;

    use super::*;

    const A: SessionNumber = SessionNumber(1);
    const B: SessionNumber = SessionNumber(2);

    fn kid(octet: u8) -> KeyId {
        KeyId::from([octet; 16])
    }

    fn keys(octets: &[u8], key: u8) -> Vec<(KeyId, Arc<Key>)> {
        octets.iter().map(|octet| (kid(*octet), Arc::new(Key::new(&[key; 16])))).collect()
    }

    /// Which of the keys of 16 times the same octet it is.
    fn octet(key: &Key) -> u8 {
        let iv = cenc::Iv::new(&[0; 8]).unwrap();
        let encryption =
            SampleEncryption::new(cenc::Scheme::Cenc, iv, cenc::Pattern::NONE, None).unwrap();
        let mut sample = [0; 16];
        decrypt_sample(key, &encryption, &mut sample).unwrap();
        (0..4)
            .find(|octet| {
                let mut other = [0; 16];
                decrypt_sample(&Key::new(&[*octet; 16]), &encryption, &mut other).unwrap();
                other == sample
            })
            .unwrap()
    }

    /// The keys of a license appear all at once.
    #[test]
    fn nobody_sees_half_a_license() {
        loom::model(|| {
            let store = KeyStore::default();
            let reader = store.clone();
            let reading = thread::spawn(move || {
                let first = reader.key(&[1; 16]).is_some();
                let second = reader.key(&[2; 16]).is_some();
                assert!(second || !first, "the first key without the second");
            });
            store.insert(A, &keys(&[1, 2], 1));
            reading.join().unwrap();
            assert!(store.key(&[1; 16]).is_some() && store.key(&[2; 16]).is_some());
        });
    }

    /// A key that was found serves to its end, and is not found once its session is closed.
    #[test]
    fn a_closed_session_serves_nobody_and_disturbs_nobody() {
        loom::model(|| {
            let store = KeyStore::default();
            store.insert(A, &keys(&[1], 1));
            store.insert(B, &keys(&[1], 2));
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let reader = store.clone();
                    thread::spawn(move || {
                        let before = octet(&reader.key(&[1; 16]).unwrap());
                        let after = octet(&reader.key(&[1; 16]).unwrap());
                        assert!([(2, 2), (2, 1), (1, 1)].contains(&(before, after)));
                    })
                })
                .collect();
            store.forget(B, &[kid(1)]);
            assert_eq!(octet(&store.key(&[1; 16]).unwrap()), 1);
            readers.into_iter().for_each(|reader| reader.join().unwrap());
            store.forget(A, &[kid(1)]);
            assert!(store.key(&[1; 16]).is_none());
        });
    }

    /// A license that replaces a key leaves no moment without one.
    #[test]
    fn a_key_that_is_replaced_is_there_before_and_after() {
        loom::model(|| {
            let store = KeyStore::default();
            store.insert(A, &keys(&[1], 1));
            let reader = store.clone();
            let reading = thread::spawn(move || {
                let before = octet(&reader.key(&[1; 16]).unwrap());
                let after = octet(&reader.key(&[1; 16]).unwrap());
                assert!([(1, 1), (1, 2), (2, 2)].contains(&(before, after)));
            });
            store.insert(A, &keys(&[1], 2));
            reading.join().unwrap();
            assert_eq!(octet(&store.key(&[1; 16]).unwrap()), 2);
        });
    }

    /// A key is wiped by whoever has the last share of it, be it a session that closes or a thread that
    /// has decrypted with it; not before that, and not later.
    #[test]
    fn a_key_is_gone_with_its_last_share() {
        loom::model(|| {
            let store = KeyStore::default();
            let keys = keys(&[1, 2], 1);
            let shares: Vec<_> = keys.iter().map(|(_, key)| Arc::downgrade(key)).collect();
            store.insert(A, &keys);
            drop(keys);
            let (reader, share) = (store.clone(), shares[0].clone());
            let reading = thread::spawn(move || {
                let Some(key) = reader.key(&[1; 16]) else { return };
                assert_eq!(octet(&key), 1);
                assert!(share.strong_count() > 0);
            });
            store.forget(A, &[kid(1), kid(2)]);
            assert_eq!(shares[1].strong_count(), 0, "nobody else had it");
            reading.join().unwrap();
            assert_eq!(shares[0].strong_count(), 0, "nobody has it");
        });
    }

    /// An instance that goes takes its keys with it, whatever its other handles do.
    #[test]
    fn a_store_that_is_left_serves_nothing() {
        loom::model(|| {
            let store = KeyStore::default();
            store.insert(A, &keys(&[1], 1));
            store.insert(B, &keys(&[1], 2));
            let (reader, closing) = (store.clone(), store.clone());
            let reading = thread::spawn(move || {
                let found: Vec<_> =
                    (0..2).map(|_| reader.key(&[1; 16]).map(|key| octet(&key))).collect();
                // Once there is none, there is none any more.
                assert!(found[0].is_some() || found[1].is_none(), "{found:?}");
            });
            let other = thread::spawn(move || closing.forget(A, &[kid(1)]));
            store.forget(B, &[kid(1)]);
            drop(store);
            other.join().unwrap();
            reading.join().unwrap();
        });
    }

    /// Two sessions update and close at once while a third thread decrypts.
    #[test]
    fn sessions_do_not_lose_each_others_keys() {
        loom::model(|| {
            let store = KeyStore::default();
            let (of_b, reader) = (store.clone(), store.clone());
            let b = thread::spawn(move || {
                of_b.insert(B, &keys(&[1], 2));
                of_b.forget(B, &[kid(1)]);
            });
            let reading = thread::spawn(move || {
                if let Some(key) = reader.key(&[1; 16]) {
                    assert!([1, 2].contains(&octet(&key)));
                }
            });
            store.insert(A, &keys(&[1], 1));
            let found = octet(&store.key(&[1; 16]).unwrap());
            assert!([1, 2].contains(&found));
            b.join().unwrap();
            reading.join().unwrap();
            assert_eq!(octet(&store.key(&[1; 16]).unwrap()), 1);
        });
    }
}
