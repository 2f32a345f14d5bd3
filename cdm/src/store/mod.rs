//! Where the licenses of persistent sessions are kept.

mod directory;
mod memory;

pub use directory::DirectoryStore;
pub use memory::MemoryStore;

use std::sync::Arc;

use thiserror::Error as ThisError;
use zeroize::Zeroizing;

/// The records of one origin, by name: a session id, so decimal digits. Records hold keys.
///
/// It is called from any thread, and never with a lock of this crate held; it must not call back
/// into the sessions that it serves.
pub trait LicenseStore: Send + Sync {
    /// Reads a record, if there is one.
    ///
    /// # Errors
    ///
    /// If it cannot be said whether there is one, or it cannot be read whole.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Writes a record in place of what is there: whole or not at all, and for good when this
    /// returns.
    ///
    /// # Errors
    ///
    /// If it may not have been written. Either it or the record before it is there, whole.
    fn put(&self, name: &str, record: &[u8]) -> Result<(), StoreError>;

    /// Deletes a record. What is absent is deleted.
    ///
    /// # Errors
    ///
    /// If it may still be there.
    fn delete(&self, name: &str) -> Result<(), StoreError>;
}

impl<S: LicenseStore + ?Sized> LicenseStore for Arc<S> {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        (**self).get(name)
    }

    fn put(&self, name: &str, record: &[u8]) -> Result<(), StoreError> {
        (**self).put(name, record)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        (**self).delete(name)
    }
}

/// Why a store failed: what it did, to what, and what the system said.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error("{0}")]
pub struct StoreError(String);

impl StoreError {
    /// A failure, in words. They must show no record.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}
