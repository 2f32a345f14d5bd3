//! One CDM instance: what the sessions of one `MediaKeys` share.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{KeyStore, events::Events, key_store::SessionNumber, origin::Origin};

pub(crate) struct Instance {
    pub(crate) origin: Arc<Origin>,
    pub(crate) keys: KeyStore,
    pub(crate) events: Events,
    last: AtomicU64,
}

impl Instance {
    pub(crate) fn new(origin: Arc<Origin>) -> Arc<Self> {
        let (keys, events) = (KeyStore::default(), Events::default());
        Arc::new(Self { origin, keys, events, last: AtomicU64::new(0) })
    }

    pub(crate) fn new_number(&self) -> SessionNumber {
        SessionNumber(self.last.fetch_add(1, Ordering::Relaxed))
    }
}
