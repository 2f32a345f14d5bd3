//! EME's `MediaKeySystemAccess`.

use std::{fmt, sync::Arc};

use clearkey::SessionType;

use crate::{Error, MediaKeySession, MediaKeySystemConfiguration, MediaKeys, origin::Origin};

/// Access to the key system with one configuration.
#[derive(Clone)]
pub struct MediaKeySystemAccess {
    key_system: String,
    configuration: MediaKeySystemConfiguration,
    origin: Arc<Origin>,
}

impl MediaKeySystemAccess {
    pub(crate) fn new(
        key_system: &str,
        configuration: MediaKeySystemConfiguration,
        origin: Arc<Origin>,
    ) -> Self {
        Self { key_system: key_system.to_owned(), configuration, origin }
    }

    /// The name that was asked for: `org.w3.clearkey`.
    #[must_use]
    pub fn key_system(&self) -> &str {
        &self.key_system
    }

    /// What is supported of the configuration that was asked for; EME's `getConfiguration()`. A copy,
    /// each time.
    #[must_use]
    pub fn configuration(&self) -> MediaKeySystemConfiguration {
        self.configuration.clone()
    }

    /// Makes a CDM instance, independent of all others.
    ///
    /// # Errors
    ///
    /// None so far: the promise of EME's `createMediaKeys()` is rejected only by CDMs that need more
    /// than memory.
    pub fn create_media_keys(&self) -> Result<MediaKeys, Error> {
        let names = self.configuration.session_types.iter().flatten();
        let session_types = names.filter_map(|name| name.parse().ok()).collect();
        Ok(MediaKeys::new(Arc::clone(&self.origin), session_types))
    }

    /// Makes a CDM instance and a temporary session of it, in one go. No specification has this; some
    /// tutorials do. The instance is what decrypts.
    ///
    /// # Errors
    ///
    /// [`Error::SessionType`] if the configuration has no temporary sessions.
    pub fn create_media_key_session(&self) -> Result<(MediaKeys, MediaKeySession), Error> {
        let media_keys = self.create_media_keys()?;
        let session = media_keys.create_session(SessionType::Temporary)?;
        Ok((media_keys, session))
    }
}

impl fmt::Debug for MediaKeySystemAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaKeySystemAccess")
            .field("key_system", &self.key_system)
            .field("configuration", &self.configuration)
            .finish_non_exhaustive()
    }
}
