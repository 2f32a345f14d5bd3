//! What the CDM finds around it: an origin, its storage, and an embedder's rules.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use crate::{
    Error, MediaKeySystemAccess, MediaKeySystemConfiguration, StoreAnswer, StoreRequest,
    StoreToken,
    access::{self, ContentType, MediaKind, Support},
    ids::{Ids, Random},
    origin::Origin,
    storage::{Steps, Storage},
    store::LicenseStore,
};

/// One origin and what the embedder grants it. Sessions of one environment share ids and storage, and
/// nothing else.
///
/// A handle is cheap to clone. The default has no storage, and so no persistent sessions.
#[derive(Clone)]
pub struct Environment {
    shared: Arc<Shared>,
}

struct Shared {
    origin: Arc<Origin>,
    is_allowed: Allowed,
    is_supported: Supported,
}

type Allowed = Box<dyn Fn() -> bool + Send + Sync>;
type Supported = Box<dyn Fn(&ContentType, MediaKind) -> bool + Send + Sync>;

impl Environment {
    /// An environment to be furnished.
    pub fn builder() -> EnvironmentBuilder {
        EnvironmentBuilder {
            storage: Storage::None,
            random: Box::new(random),
            session_limit: None,
            is_allowed: Box::new(|| true),
            is_supported: Box::new(ContentType::is_supported),
        }
    }

    /// EME's `navigator.requestMediaKeySystemAccess()`: the first of the configurations that is
    /// supported, as far as it is supported.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] (`SecurityError`); [`Error::KeySystem`] and [`Error::NoConfiguration`]
    /// (`TypeError` for an empty name or list); [`Error::KeySystem`] and [`Error::NotSupported`]
    /// (`NotSupportedError`), the latter with the reason for each configuration.
    pub fn request_media_key_system_access(
        &self,
        key_system: &str,
        supported_configurations: &[MediaKeySystemConfiguration],
    ) -> Result<MediaKeySystemAccess, Error> {
        if !(self.shared.is_allowed)() {
            return Err(Error::Policy);
        }
        let origin = &self.shared.origin;
        let support = Support {
            persistent: !matches!(origin.storage, Storage::None),
            content_type: &self.shared.is_supported,
        };
        let configuration = access::select(key_system, supported_configurations, &support)?;
        Ok(MediaKeySystemAccess::new(key_system, configuration, Arc::clone(origin)))
    }

    /// The next step that the host's storage can take now. Only with
    /// [`host_storage`](EnvironmentBuilder::host_storage).
    ///
    /// Steps on one record come one after the other, each when the one before is answered. A host asks
    /// after every call into this crate until there is none. A step must be answered, whatever has
    /// become of its session meanwhile.
    #[must_use]
    pub fn next_store_request(&self) -> Option<StoreRequest> {
        self.shared.origin.next_request()
    }

    /// Answers a step. The operation that waits for it goes on, at best to its end; then the host
    /// tells its result, and after that the events. An answer that nobody waits for is ignored.
    pub fn store_completed(&self, token: StoreToken, answer: StoreAnswer) {
        self.shared.origin.completed(token, answer);
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// Furnishes an [`Environment`].
#[must_use]
pub struct EnvironmentBuilder {
    storage: Storage,
    random: Random,
    session_limit: Option<usize>,
    is_allowed: Allowed,
    is_supported: Supported,
}

impl EnvironmentBuilder {
    /// Keeps the licenses of persistent sessions in `store`, which must be the origin's alone. Its
    /// steps are taken within the calls that need them.
    pub fn store(self, store: impl LicenseStore + 'static) -> Self {
        Self { storage: Storage::Here(Box::new(store)), ..self }
    }

    /// Leaves storage to the host, who takes the steps that
    /// [`next_store_request`](Environment::next_store_request) yields. Persistent sessions then have
    /// the asynchronous calls only.
    pub fn host_storage(self) -> Self {
        Self { storage: Storage::Host, ..self }
    }

    /// Refuses `generate_request` and `load` with `QuotaExceededError` while so many sessions of the
    /// origin are open. The default is no limit.
    pub fn session_limit(self, limit: usize) -> Self {
        Self { session_limit: Some(limit), ..self }
    }

    /// Takes session ids from `random` instead of the system's source of random numbers.
    pub fn random(self, random: impl FnMut() -> u32 + Send + 'static) -> Self {
        Self { random: Box::new(random), ..self }
    }

    /// Asks `is_allowed` before every access; `false` is EME's `SecurityError`.
    pub fn policy(self, is_allowed: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { is_allowed: Box::new(is_allowed), ..self }
    }

    /// Asks `is_supported` which content types can be played, in place of
    /// [`ContentType::is_supported`].
    pub fn content_types(
        self,
        is_supported: impl Fn(&ContentType, MediaKind) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { is_supported: Box::new(is_supported), ..self }
    }

    /// The environment.
    #[must_use]
    pub fn build(self) -> Environment {
        let origin = Origin {
            ids: Ids::new(self.random, self.session_limit),
            storage: self.storage,
            steps: Steps::default(),
        };
        let Self { is_allowed, is_supported, .. } = self;
        let shared = Shared { origin: Arc::new(origin), is_allowed, is_supported };
        Environment { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for EnvironmentBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentBuilder").finish_non_exhaustive()
    }
}

/// [`Environment::request_media_key_system_access`] in the default environment: no storage, and all
/// that this crate can decrypt is supported.
///
/// # Errors
///
/// The same.
pub fn request_media_key_system_access(
    key_system: &str,
    supported_configurations: &[MediaKeySystemConfiguration],
) -> Result<MediaKeySystemAccess, Error> {
    Environment::default().request_media_key_system_access(key_system, supported_configurations)
}

/// A number of the system's. Without its source any that changes will do: ids need not be secret, only
/// different.
fn random() -> u32 {
    getrandom::u32().unwrap_or_else(|_| {
        let [.., a, b, c, d] = RandomState::new().hash_one(0).to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    })
}
