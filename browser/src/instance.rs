//! One CDM instance: EME's `MediaKeys` for one host object.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::{Rc, Weak},
};

use cdm::{
    Environment, MediaKeySession, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeys, MediaKeysPolicy, MediaKeysRequirement, SessionType, Unavailable,
};
use cdm_abi::{HdcpVersion, InitDataType, Status};
use cenc::Subsample;
use zeroize::Zeroizing;

use crate::{
    buffer::Output,
    convert,
    decrypt::{self, Input},
    files::Files,
    host::Host,
    outcome::{Outcome, Refusal, tell},
    slots,
    tasks::Tasks,
};

pub(crate) struct Instance {
    this: Weak<Self>,
    host: Rc<Host>,
    files: Files,
    tasks: Tasks,
    /// From `Initialize` on.
    keys: OnceCell<Keys>,
    /// Those that the host knows and that are not closed.
    sessions: RefCell<HashMap<String, MediaKeySession>>,
    /// The promises that are not settled.
    promises: RefCell<BTreeSet<u32>>,
    /// The table of the last sample: its memory serves the next one.
    subsamples: Cell<Vec<Subsample>>,
}

struct Keys {
    environment: Environment,
    media_keys: MediaKeys,
}

/// Octets and text of the host's, copied since they are the host's again when the call is over; `None`
/// where they are nowhere.
pub(crate) type Octets = Option<Zeroizing<Vec<u8>>>;
pub(crate) type SessionId = Option<String>;

impl Instance {
    pub(crate) fn new(host: Host) -> Rc<Self> {
        let host = Rc::new(host);
        Rc::new_cyclic(|this: &Weak<Self>| {
            let resumed = Weak::clone(this);
            let resume = move || {
                if let Some(instance) = resumed.upgrade() {
                    instance.run();
                }
            };
            Self {
                this: Weak::clone(this),
                files: Files::new(Rc::clone(&host), resume),
                host,
                tasks: Tasks::default(),
                keys: OnceCell::new(),
                sessions: RefCell::default(),
                promises: RefCell::default(),
                subsamples: Cell::default(),
            }
        })
    }

    /// Furnishes the instance. Persistent sessions are stored in the host's files, if it lets us.
    pub(crate) fn initialize(&self, allow_persistent_state: bool) {
        let builder = Environment::builder().content_types(|_, _| true);
        let builder = if allow_persistent_state { builder.host_storage() } else { builder };
        let is_new = media_keys(builder.build(), allow_persistent_state)
            .is_ok_and(|keys| self.keys.set(keys).is_ok());
        self.host.on_initialized(is_new);
    }

    pub(crate) fn get_status_for_policy(&self, promise: u32, min_hdcp_version: HdcpVersion) {
        let version = convert::min_hdcp_version(min_hdcp_version);
        let policy = MediaKeysPolicy { min_hdcp_version: Some(version.to_owned()) };
        self.promise(promise, async move |this| {
            Ok(Outcome::Status(this.keys()?.media_keys.get_status_for_policy(&policy)?))
        });
    }

    pub(crate) fn set_server_certificate(&self, promise: u32, certificate: Octets) {
        self.promise(promise, async move |this| {
            let certificate = certificate.ok_or(Refusal::Argument { what: "certificate" })?;
            match this.keys()?.media_keys.set_server_certificate(&certificate)? {
                true => Ok(Outcome::Nothing),
                false => Err(Refusal::ServerCertificate),
            }
        });
    }

    pub(crate) fn create_session_and_generate_request(
        &self,
        promise: u32,
        session_type: cdm_abi::SessionType,
        init_data_type: InitDataType,
        init_data: Octets,
    ) {
        self.promise(promise, async move |this| {
            let init_data = init_data.ok_or(Refusal::Argument { what: "init data" })?;
            let session = this.create_session(session_type)?;
            let init_data_type = convert::init_data_type(init_data_type);
            session.generate_request_async(init_data_type, &init_data).await?;
            Ok(this.know(session))
        });
    }

    pub(crate) fn load_session(
        &self,
        promise: u32,
        session_type: cdm_abi::SessionType,
        session_id: SessionId,
    ) {
        self.promise(promise, async move |this| {
            let session_id = session_id.ok_or(Refusal::Argument { what: "session id" })?;
            let session = this.create_session(session_type)?;
            let found = session.load_async(&session_id).await?;
            Ok(if found { this.know(session) } else { Outcome::NotFound })
        });
    }

    pub(crate) fn update_session(&self, promise: u32, session_id: SessionId, response: Octets) {
        self.promise(promise, async move |this| {
            let response = response.ok_or(Refusal::Argument { what: "response" })?;
            let session = this.session(session_id)?;
            session.update_async(&response).await?;
            Ok(this.changed(session))
        });
    }

    /// A session that is not known is closed.
    pub(crate) fn close_session(&self, promise: u32, session_id: SessionId) {
        self.promise(promise, async move |this| {
            let Ok(session) = this.session(session_id) else { return Ok(Outcome::Nothing) };
            session.close()?;
            Ok(this.changed(session))
        });
    }

    pub(crate) fn remove_session(&self, promise: u32, session_id: SessionId) {
        self.promise(promise, async move |this| {
            let session = this.session(session_id)?;
            session.remove_async().await?;
            Ok(this.changed(session))
        });
    }

    pub(crate) fn decrypt(&self, input: &Input<'_>, output: Output) -> Status {
        let Some(Keys { media_keys, .. }) = self.keys.get() else { return Status::DECRYPT_ERROR };
        let mut subsamples = self.subsamples.take();
        let status =
            decrypt::decrypt(&self.host, &media_keys.key_store(), input, &mut subsamples, output);
        self.subsamples.set(subsamples);
        status
    }

    /// After a panic: everything is closed, and nothing is waited for.
    pub(crate) fn fail(&self) {
        if let Some(Keys { media_keys, .. }) = self.keys.get() {
            media_keys.cdm_unavailable(Unavailable::InternalError);
        }
        self.tasks.clear();
        for session_id in self.sessions.take().into_keys() {
            self.host.on_session_closed(&session_id);
        }
        for promise in self.promises.take() {
            tell(&self.host, promise, Err(Refusal::Failed));
        }
    }

    /// The host takes its objects back: none of them is called any more.
    pub(crate) fn end(&self) {
        self.files.close_all();
        self.host.forget();
        self.tasks.clear();
        drop(self.sessions.take());
    }

    /// Begins to work for a promise, which is settled when `work` is over: now, or when the host's
    /// files have answered.
    fn promise<W>(&self, promise: u32, work: W)
    where
        W: AsyncFnOnce(Rc<Self>) -> Result<Outcome, Refusal> + 'static,
    {
        let Some(this) = self.this.upgrade() else { return };
        self.promises.borrow_mut().insert(promise);
        self.tasks.spawn(async move {
            let outcome = work(Rc::clone(&this)).await;
            let is_open = this.promises.borrow_mut().remove(&promise);
            if is_open {
                tell(&this.host, promise, outcome);
            }
        });
        self.run();
    }

    /// Lets everything go on that can.
    fn run(&self) {
        self.tasks.run();
        if let Some(Keys { environment, .. }) = self.keys.get() {
            while let Some(request) = environment.next_store_request() {
                let Some(this) = self.this.upgrade() else { return };
                let environment = environment.clone();
                self.tasks.spawn(async move {
                    let answer =
                        slots::perform(&this.files, &request.name, request.operation).await;
                    environment.store_completed(request.token, answer);
                });
                self.tasks.run();
            }
        }
        if self.host.is_gone() {
            self.tasks.clear();
        }
    }

    fn keys(&self) -> Result<&Keys, Refusal> {
        self.keys.get().ok_or(Refusal::NotInitialized)
    }

    fn create_session(
        &self,
        session_type: cdm_abi::SessionType,
    ) -> Result<MediaKeySession, Refusal> {
        let unknown = Refusal::SessionType { number: session_type.0 };
        let session_type = convert::session_type(session_type).ok_or(unknown)?;
        Ok(self.keys()?.media_keys.create_session(session_type)?)
    }

    fn session(&self, session_id: SessionId) -> Result<MediaKeySession, Refusal> {
        let session_id = session_id.ok_or(Refusal::Argument { what: "session id" })?;
        self.sessions.borrow().get(&session_id).cloned().ok_or(Refusal::NoSession)
    }

    /// From now on the host may name the session.
    fn know(&self, session: MediaKeySession) -> Outcome {
        self.sessions.borrow_mut().insert(session.session_id(), session.clone());
        Outcome::New(session)
    }

    fn changed(&self, session: MediaKeySession) -> Outcome {
        if session.closed().is_some() {
            self.sessions.borrow_mut().remove(&session.session_id());
        }
        Outcome::Changed(session)
    }
}

/// Access has been decided on by the host; so all is supported here.
fn media_keys(environment: Environment, allow_persistent_state: bool) -> Result<Keys, cdm::Error> {
    let mut session_types = vec![SessionType::Temporary.to_string()];
    let mut persistent_state = MediaKeysRequirement::Optional;
    if allow_persistent_state {
        session_types.push(SessionType::PersistentLicense.to_string());
        persistent_state = MediaKeysRequirement::Required;
    }
    let configuration = MediaKeySystemConfiguration {
        init_data_types: ["cenc", "keyids", "webm"].map(str::to_owned).to_vec(),
        video_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: r#"video/mp4; codecs="avc1.4d401e""#.to_owned(),
            ..Default::default()
        }],
        persistent_state,
        session_types: Some(session_types),
        ..Default::default()
    };
    let access =
        environment.request_media_key_system_access("org.w3.clearkey", &[configuration])?;
    let media_keys = access.create_media_keys()?;
    Ok(Keys { environment, media_keys })
}
