//! Key statuses: EME's `MediaKeyStatus` and `MediaKeyStatusMap`.

use std::{
    collections::{BTreeMap, btree_map},
    fmt,
    sync::{Arc, Mutex},
};

use clearkey::KeyId;

use crate::sync::lock;

/// What a key is good for; EME's `MediaKeyStatus`, which is complete. ClearKey itself says `usable`
/// and `released`, and `expired` where the embedder sets an expiration.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MediaKeyStatus {
    /// Decrypts.
    Usable,
    /// Does not decrypt any more: the expiration of its session is in the past.
    Expired,
    /// Is gone, though its id is still known: `remove` was called.
    Released,
    /// Never said by ClearKey.
    OutputRestricted,
    /// Never said by ClearKey.
    OutputDownscaled,
    /// Never said by ClearKey.
    UsableInFuture,
    /// Never said by ClearKey.
    StatusPending,
    /// Never said by ClearKey.
    InternalError,
}

impl MediaKeyStatus {
    /// The name, as a page sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Expired => "expired",
            Self::Released => "released",
            Self::OutputRestricted => "output-restricted",
            Self::OutputDownscaled => "output-downscaled",
            Self::UsableInFuture => "usable-in-future",
            Self::StatusPending => "status-pending",
            Self::InternalError => "internal-error",
        }
    }
}

impl fmt::Display for MediaKeyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The keys that a session knows, and what each is good for. One per session for its whole life: a
/// handle shows what is true now, also after the session is closed, when it is empty.
///
/// Key ids are compared octet by octet: no prefix and no other length is the same key. Iteration is
/// over a snapshot, sorted by octets, a proper prefix first.
#[derive(Clone, Default)]
pub struct MediaKeyStatusMap {
    shared: Arc<Mutex<Statuses>>,
}

pub(crate) type Statuses = BTreeMap<KeyId, MediaKeyStatus>;

impl MediaKeyStatusMap {
    /// The number of keys that are known; EME's `size`.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.shared).len()
    }

    /// The same, under EME's name.
    #[must_use]
    pub fn size(&self) -> usize {
        self.len()
    }

    /// Whether no key is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        lock(&self.shared).is_empty()
    }

    /// Whether a key with exactly these octets as its id is known. No octets are no key id.
    #[must_use]
    pub fn has(&self, kid: &[u8]) -> bool {
        lock(&self.shared).contains_key(kid)
    }

    /// The status of a key; `None` is EME's `undefined`.
    #[must_use]
    pub fn get(&self, kid: &[u8]) -> Option<MediaKeyStatus> {
        lock(&self.shared).get(kid).copied()
    }

    /// All entries as they are at this moment; EME's `entries` and `forEach`. What changes later
    /// does not show in it.
    #[must_use]
    pub fn iter(&self) -> btree_map::IntoIter<KeyId, MediaKeyStatus> {
        lock(&self.shared).clone().into_iter()
    }

    /// The key ids of [`iter`](Self::iter).
    pub fn keys(&self) -> impl Iterator<Item = KeyId> + use<> {
        self.iter().map(|(kid, _)| kid)
    }

    /// The statuses of [`iter`](Self::iter).
    pub fn values(&self) -> impl Iterator<Item = MediaKeyStatus> + use<> {
        self.iter().map(|(_, status)| status)
    }

    /// Replaces everything, in one step for whoever looks.
    pub(crate) fn replace(&self, statuses: Statuses) {
        *lock(&self.shared) = statuses;
    }
}

impl IntoIterator for &MediaKeyStatusMap {
    type Item = (KeyId, MediaKeyStatus);
    type IntoIter = btree_map::IntoIter<KeyId, MediaKeyStatus>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for MediaKeyStatusMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
