//! A CDM instance, from its host's side.

use std::{
    cell::Cell,
    fmt,
    ptr::{self, NonNull},
    rc::Rc,
};

use cdm_abi::{
    ContentDecryptionModule, EncryptionScheme, HdcpVersion, InitDataType, InputBuffer2, Pattern,
    Policy, SessionType, Status, SubsampleEntry,
};

use crate::{Host, buffer::Block};

/// An instance, until [`destroy`](Self::destroy) or until the last handle goes. Handles are cheap to
/// clone. After `destroy` calls do nothing.
#[derive(Clone)]
pub struct Cdm {
    shared: Rc<Shared>,
}

struct Shared {
    object: Cell<Option<NonNull<ContentDecryptionModule>>>,
    /// Lives as long as the object.
    _host: Host,
}

/// A sample as a host passes it.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// The sample.
    pub data: &'a [u8],
    /// How it is encrypted.
    pub scheme: EncryptionScheme,
    /// With which key.
    pub kid: &'a [u8],
    /// From which IV on.
    pub iv: &'a [u8],
    /// What of it is; none is all.
    pub subsamples: &'a [SubsampleEntry],
    /// Which blocks of that.
    pub pattern: Pattern,
    /// In microseconds.
    pub timestamp: i64,
}

/// Calls a method, if the instance is there.
macro_rules! call {
    ($cdm:ident.$method:ident($($argument:expr),*)) => {
        $cdm.shared.object.get().map(|object| {
            let this = object.as_ptr();
            // SAFETY: `Cdm::new`'s caller upholds that this is a CDM, and it is not destroyed. The
            // arguments are values, or pointers and lengths of what is borrowed during the call.
            unsafe { ((*(*this).vtable).$method)(this, $($argument),*) }
        })
    };
}

impl Cdm {
    /// # Safety
    ///
    /// `object` is a CDM that has `host`, and is not destroyed but by this.
    pub(crate) unsafe fn new(object: NonNull<ContentDecryptionModule>, host: &Host) -> Self {
        let shared = Shared { object: Cell::new(Some(object)), _host: host.clone() };
        Self { shared: Rc::new(shared) }
    }

    /// `Initialize`
    pub fn initialize(&self, distinctive_id: bool, persistent_state: bool, hw_secure_codecs: bool) {
        call!(self.initialize(distinctive_id, persistent_state, hw_secure_codecs));
    }

    /// `GetStatusForPolicy`
    pub fn get_status_for_policy(&self, promise: u32, min_hdcp_version: HdcpVersion) {
        let policy = Policy { min_hdcp_version };
        call!(self.get_status_for_policy(promise, &raw const policy));
    }

    /// `SetServerCertificate`
    pub fn set_server_certificate(&self, promise: u32, certificate: &[u8]) {
        let (data, len) = pair(certificate);
        call!(self.set_server_certificate(promise, data, len));
    }

    /// `CreateSessionAndGenerateRequest`
    pub fn create_session_and_generate_request(
        &self,
        promise: u32,
        session_type: SessionType,
        init_data_type: InitDataType,
        init_data: &[u8],
    ) {
        let (data, len) = pair(init_data);
        call!(self.create_session_and_generate_request(
            promise,
            session_type,
            init_data_type,
            data,
            len
        ));
    }

    /// `LoadSession`
    pub fn load_session(&self, promise: u32, session_type: SessionType, session_id: &str) {
        let (id, len) = pair(session_id.as_bytes());
        call!(self.load_session(promise, session_type, id.cast(), len));
    }

    /// `UpdateSession`
    pub fn update_session(&self, promise: u32, session_id: &str, response: &[u8]) {
        let (id, id_len) = pair(session_id.as_bytes());
        let (data, len) = pair(response);
        call!(self.update_session(promise, id.cast(), id_len, data, len));
    }

    /// `CloseSession`
    pub fn close_session(&self, promise: u32, session_id: &str) {
        let (id, len) = pair(session_id.as_bytes());
        call!(self.close_session(promise, id.cast(), len));
    }

    /// `RemoveSession`
    pub fn remove_session(&self, promise: u32, session_id: &str) {
        let (id, len) = pair(session_id.as_bytes());
        call!(self.remove_session(promise, id.cast(), len));
    }

    /// `Decrypt`. Calls `with` with the clear sample and its time, if it was decrypted.
    ///
    /// # Errors
    ///
    /// What the CDM answers; `SUCCESS` if it says so and yields nothing, `INITIALIZATION_ERROR` if there
    /// is no CDM any more.
    pub fn decrypt<T>(
        &self,
        sample: &Sample<'_>,
        with: impl FnOnce(&[u8], i64) -> T,
    ) -> Result<T, Status> {
        let (data, data_size) = pair(sample.data);
        let (key_id, key_id_size) = pair(sample.kid);
        let (iv, iv_size) = pair(sample.iv);
        let (subsamples, num_subsamples) = pair(sample.subsamples);
        let input = InputBuffer2 {
            data,
            data_size,
            encryption_scheme: sample.scheme,
            key_id,
            key_id_size,
            iv,
            iv_size,
            subsamples,
            num_subsamples,
            padding: 0,
            pattern: sample.pattern,
            timestamp: sample.timestamp,
        };
        let mut block = Block::new();
        let output = (&raw mut block).cast();
        match call!(self.decrypt(&raw const input, output)) {
            Some(Status::SUCCESS) => block.take(with).ok_or(Status::SUCCESS),
            Some(status) => Err(status),
            None => Err(Status::INITIALIZATION_ERROR),
        }
    }

    /// The object itself, for calls that no host should make.
    #[must_use]
    pub fn object(&self) -> Option<NonNull<ContentDecryptionModule>> {
        self.shared.object.get()
    }

    /// `Destroy`
    pub fn destroy(&self) {
        self.shared.destroy();
    }
}

impl fmt::Debug for Cdm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cdm").field(&self.shared.object).finish()
    }
}

impl Shared {
    fn destroy(&self) {
        if let Some(object) = self.object.take() {
            let this = object.as_ptr();
            // SAFETY: as in `call`; it is not used after this.
            unsafe { ((*(*this).vtable).destroy)(this) };
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.destroy();
    }
}

/// No octets are a null pointer, as browsers pass it.
fn pair<T>(values: &[T]) -> (*const T, u32) {
    let len = u32::try_from(values.len()).expect("less than 4 GiB");
    (if values.is_empty() { ptr::null() } else { values.as_ptr() }, len)
}
