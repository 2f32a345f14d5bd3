//! The keys that a server has, and where they come from.

mod files;
mod seed;

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use clearkey::{Jwk, KeyId};

#[cfg(any(test, fuzzing))]
pub(crate) use self::files::parse;
use self::files::read_all;
pub use self::seed::Seed;
use crate::{Error, Watch};

/// Where keys come from. Of two keys for one key id, that of `fixed` counts before that of a file, a later
/// file before an earlier one, and every one of these before the seed.
#[derive(Clone, Debug, Default)]
pub struct KeySources {
    /// Keys that stay as they are.
    pub fixed: Vec<Jwk>,
    /// Files with keys: a JWK set, or `KID:KEY` lines. They are read again when they change.
    pub files: Vec<PathBuf>,
    /// Derives a key for every key id of 16 octets.
    pub seed: Option<Seed>,
}

/// Keys by key id, for any number of threads. `Debug` shows none.
pub struct KeyStore {
    fixed: Vec<Jwk>,
    seed: Option<Seed>,
    files: Mutex<Watch>,
    current: RwLock<Arc<HashMap<KeyId, Jwk>>>,
}

/// What has come of looking for changes.
#[derive(Debug)]
pub enum Refresh {
    /// The files are as they were, or still change.
    Unchanged,
    /// They were read again: so many keys are known now, without those of a seed.
    Read(usize),
    /// They cannot be read; the keys stay as they were.
    Failed(Error),
}

impl KeyStore {
    /// Reads all files.
    ///
    /// # Errors
    ///
    /// [`Error::NoKeySource`], and what is wrong with a file.
    pub fn open(sources: KeySources) -> Result<Self, Error> {
        let KeySources { fixed, files, seed } = sources;
        if fixed.is_empty() && files.is_empty() && seed.is_none() {
            return Err(Error::NoKeySource);
        }
        let files = Watch::new(files);
        let current = RwLock::new(Arc::new(by_kid(&fixed, read_all(files.paths())?)));
        Ok(Self { fixed, seed, files: Mutex::new(files), current })
    }

    /// The key of that name.
    #[must_use]
    pub fn key(&self, kid: &KeyId) -> Option<Jwk> {
        let derived = || self.seed.as_ref()?.key(kid);
        self.current().get(kid).cloned().or_else(derived)
    }

    /// How many keys there are, without those of a seed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.current().len()
    }

    /// Whether there is no key but those of a seed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current().is_empty()
    }

    /// Reads the files again if they have changed, as [`Watch::read_changed`] tells. Requests that are being
    /// answered meanwhile are answered from the keys as they were.
    pub fn refresh(&self) -> Refresh {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match files.read_changed(read_all) {
            None => Refresh::Unchanged,
            Some(Err(error)) => Refresh::Failed(error),
            Some(Ok(read)) => {
                let keys = by_kid(&self.fixed, read);
                let count = keys.len();
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                Refresh::Read(count)
            }
        }
    }

    fn current(&self) -> Arc<HashMap<KeyId, Jwk>> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore").field("len", &self.len()).finish_non_exhaustive()
    }
}

fn by_kid(fixed: &[Jwk], read: Vec<Vec<Jwk>>) -> HashMap<KeyId, Jwk> {
    // Room for all from the start: a map that grows leaves keys behind.
    let count = read.iter().map(Vec::len).sum::<usize>() + fixed.len();
    let mut keys = HashMap::with_capacity(count);
    let all = read.into_iter().flatten().chain(fixed.iter().cloned());
    keys.extend(all.map(|jwk| (jwk.kid().clone(), jwk)));
    keys
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{seed::SEED, *};

    fn jwk(kid: u8, key: u8) -> Jwk {
        Jwk::new(KeyId::from([kid; 16]), [key; 16])
    }

    fn line(kid: u8, key: u8) -> String {
        let hex = |octet| format!("{octet:02x}").repeat(16);
        format!("{}:{}\n", hex(kid), hex(key))
    }

    /// The first octet of the key for a key id.
    fn found(store: &KeyStore, kid: u8) -> Option<u8> {
        store.key(&KeyId::from([kid; 16])).map(|jwk| jwk.key()[0])
    }

    #[test]
    fn arguments_count_before_files_and_later_files_before_earlier_ones() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b"].map(|name| folder.path().join(name)).to_vec();
        fs::write(&files[0], line(1, 10) + &line(2, 20) + &line(3, 30)).unwrap();
        fs::write(&files[1], line(2, 21) + &line(3, 31)).unwrap();
        let seed = Seed::new(&[7; SEED]).unwrap();
        let sources = KeySources { fixed: vec![jwk(3, 32)], files, seed: Some(seed.clone()) };
        let store = KeyStore::open(sources).unwrap();
        assert_eq!([1, 2, 3].map(|kid| found(&store, kid)), [Some(10), Some(21), Some(32)]);
        assert_eq!(found(&store, 4), Some(seed.key(&KeyId::from([4; 16])).unwrap().key()[0]));
        assert_eq!(store.len(), 3);
    }

    #[test]
    fn without_a_source_there_is_no_store() {
        let refused = KeyStore::open(KeySources::default());
        assert!(matches!(refused, Err(Error::NoKeySource)));
    }

    #[test]
    fn a_file_is_read_again_when_it_has_come_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, line(1, 10)).unwrap();
        let files = vec![file.clone()];
        let store = KeyStore::open(KeySources { files, ..KeySources::default() }).unwrap();
        assert!(matches!(store.refresh(), Refresh::Unchanged));

        // It changes: seen, then read.
        fs::write(&file, line(2, 20) + &line(3, 30)).unwrap();
        assert!(matches!(store.refresh(), Refresh::Unchanged));
        assert_eq!((found(&store, 1), found(&store, 2)), (Some(10), None));
        assert!(matches!(store.refresh(), Refresh::Read(2)));
        assert_eq!((found(&store, 1), found(&store, 2)), (None, Some(20)));
        assert!(matches!(store.refresh(), Refresh::Unchanged));

        // It is broken: told once, and what was there stays.
        fs::write(&file, "no key").unwrap();
        assert!(matches!(store.refresh(), Refresh::Unchanged));
        let Refresh::Failed(error) = store.refresh() else { panic!("the file is broken") };
        assert!(
            error.to_string().ends_with("keys: line 1: no `:` in it; a key is written KID:KEY")
        );
        assert!(matches!(store.refresh(), Refresh::Unchanged));
        assert_eq!(found(&store, 3), Some(30));

        // It is gone, and comes back.
        fs::remove_file(&file).unwrap();
        store.refresh();
        assert!(matches!(store.refresh(), Refresh::Failed(_)));
        assert_eq!(found(&store, 3), Some(30));
        fs::write(&file, line(4, 40)).unwrap();
        store.refresh();
        assert!(matches!(store.refresh(), Refresh::Read(1)));
        assert_eq!(found(&store, 4), Some(40));
    }

    /// A pipe that nobody writes to would be waited for: neither these keys nor others would ever be read again.
    #[test]
    fn a_pipe_in_the_place_of_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, line(1, 10)).unwrap();
        let files = vec![file.clone()];
        let store = KeyStore::open(KeySources { files, ..KeySources::default() }).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        store.refresh();
        let Refresh::Failed(error) = store.refresh() else { panic!("it is a pipe") };
        assert!(error.to_string().ends_with("keys: not a regular file"), "{error}");
        assert_eq!(found(&store, 1), Some(10));
    }

    #[test]
    fn a_store_does_not_show_its_keys() {
        let fixed = vec![jwk(1, 0xab)];
        let seed = Seed::new(&[0xcd; SEED]).unwrap();
        let sources = KeySources { fixed, seed: Some(seed), ..KeySources::default() };
        assert!(!format!("{sources:?}").contains("171"));
        assert!(!format!("{sources:?}").contains("205"));
        let store = KeyStore::open(sources).unwrap();
        assert_eq!(format!("{store:?}"), "KeyStore { len: 1, .. }");
    }
}
