//! Records that go with the process.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use zeroize::Zeroizing;

use super::{LicenseStore, StoreError};
use crate::sync::lock;

/// A store in memory. Clones are the same store. Records are wiped when they are replaced or deleted,
/// and when the last clone goes.
#[derive(Clone, Default)]
pub struct MemoryStore {
    records: Arc<Mutex<BTreeMap<String, Zeroizing<Vec<u8>>>>>,
}

impl MemoryStore {
    /// The names of all records, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        lock(&self.records).keys().cloned().collect()
    }
}

impl LicenseStore for MemoryStore {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(lock(&self.records).get(name).cloned())
    }

    fn put(&self, name: &str, record: &[u8]) -> Result<(), StoreError> {
        lock(&self.records).insert(name.to_owned(), Zeroizing::new(record.to_vec()));
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        lock(&self.records).remove(name);
        Ok(())
    }
}

/// Shows the names only.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryStore").field(&self.names()).finish()
    }
}
