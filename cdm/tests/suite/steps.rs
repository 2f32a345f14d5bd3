//! Storage that answers when it likes, or fails: every call, closing and dropping in between.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use cdm::{
    CloseReason, Environment, Error, MediaKeySession, MediaKeys, SessionType, StoreOperation,
    StoreRequest,
    store::{LicenseStore, MemoryStore, StoreError},
};
use zeroize::Zeroizing;

use crate::support::{
    KEYIDS, events, exception, key_in_use, keyids, license, media_keys_in, persistent, statuses,
    temporary, with_store,
};

/// A host that performs steps when it is told to.
struct Host {
    environment: Environment,
    media_keys: MediaKeys,
    store: MemoryStore,
}

impl Host {
    fn new() -> Self {
        let environment = Environment::builder().host_storage().build();
        let media_keys = media_keys_in(&environment);
        Self { environment, media_keys, store: MemoryStore::default() }
    }

    fn next(&self) -> Option<StoreRequest> {
        self.environment.next_store_request()
    }

    fn perform(&self, request: StoreRequest) {
        let StoreRequest { token, name, operation } = request;
        let answer = match operation {
            StoreOperation::Get => self.store.get(&name),
            StoreOperation::Put(record) => self.store.put(&name, &record).map(|()| None),
            StoreOperation::Delete => self.store.delete(&name).map(|()| None),
        };
        self.environment.store_completed(token, answer);
    }

    fn fail(&self, request: StoreRequest) {
        self.environment.store_completed(request.token, Err(StoreError::new("on purpose")));
    }

    fn perform_all(&self) {
        while let Some(request) = self.next() {
            self.perform(request);
        }
    }

    /// A persistent session that is callable.
    fn started(&self) -> MediaKeySession {
        let session = persistent(&self.media_keys);
        let operation = session.generate_request_async("keyids", KEYIDS.as_bytes());
        self.perform_all();
        operation.result().unwrap().unwrap();
        events(&session);
        session
    }

    /// One with a key.
    fn licensed(&self) -> MediaKeySession {
        let session = self.started();
        let operation = session.update_async(&stored(&[(1, 0x11)]));
        self.perform_all();
        operation.result().unwrap().unwrap();
        events(&session);
        session
    }

    fn used(&self) -> [Option<u8>; 2] {
        [1, 2].map(|octet| key_in_use(&self.media_keys, &[octet; 16]))
    }
}

fn stored(keys: &[(u8, u8)]) -> Vec<u8> {
    license(SessionType::PersistentLicense, keys)
}

#[test]
fn generate_request_asks_whether_its_id_is_free() {
    let host = Host::new();
    let session = persistent(&host.media_keys);
    let operation = session.generate_request_async("keyids", KEYIDS.as_bytes());
    assert!(operation.result().is_none());
    assert_eq!(session.session_id(), "");
    assert!(session.next_event().is_none());
    // Not callable yet, and not uninitialized any more.
    assert_eq!(session.close(), Err(Error::NotCallable));
    assert_eq!(session.update_async(b"{}").result(), Some(Err(Error::NotCallable)));
    assert_eq!(session.remove_async().result(), Some(Err(Error::NotCallable)));
    assert_eq!(session.load_async("1").result(), Some(Err(Error::AlreadyInitialized)));
    let request = host.next().unwrap();
    assert_eq!(request.operation, StoreOperation::Get);
    let name = request.name.clone();
    assert!(host.next().is_none());
    host.perform(request);
    assert_eq!(operation.result(), Some(Ok(())));
    assert_eq!(session.session_id(), name);
    assert_eq!(events(&session).len(), 1);
}

#[test]
fn a_store_that_fails_burns_or_changes_nothing() {
    let host = Host::new();
    let failed = |operation: &str| Some(Err(Error::Store(StoreError::new(operation))));
    let session = persistent(&host.media_keys);
    let generate = session.generate_request_async("keyids", KEYIDS.as_bytes());
    host.fail(host.next().unwrap());
    assert_eq!(generate.result(), failed("on purpose"));
    assert_eq!(exception(generate.result().unwrap()), "QuotaExceededError");
    assert_eq!(session.close(), Err(Error::NotCallable));
    let session = persistent(&host.media_keys);
    let load = session.load_async("12");
    host.fail(host.next().unwrap());
    assert!(matches!(load.result(), Some(Err(Error::Store(_)))));
    assert_eq!(session.session_id(), "");
    // The id is free again.
    let load = persistent(&host.media_keys).load_async("12");
    host.perform_all();
    assert_eq!(load.result(), Some(Ok(false)), "the media keys hold the session");

    let session = host.licensed();
    let before = statuses(&session);
    let update = session.update_async(&stored(&[(1, 0x44), (2, 0x22)]));
    host.fail(host.next().unwrap());
    assert_eq!(update.result(), failed("on purpose"));
    assert_eq!((statuses(&session), host.used()), (before.clone(), [Some(0x11), None]));
    let remove = session.remove_async();
    host.fail(host.next().unwrap());
    assert_eq!(remove.result(), failed("on purpose"));
    assert_eq!((statuses(&session), host.used()), (before, [Some(0x11), None]));
    assert!(events(&session).is_empty());

    let remove = session.remove_async();
    host.perform_all();
    assert_eq!(remove.result(), Some(Ok(())));
    events(&session);
    let acknowledge = session.update_async(br#"{"kids":[]}"#);
    host.fail(host.next().unwrap());
    assert_eq!(acknowledge.result(), failed("on purpose"));
    assert!(session.closed().is_none() && host.store.names().len() == 1);
    let acknowledge = session.update_async(br#"{"kids":[]}"#);
    host.perform_all();
    assert_eq!(acknowledge.result(), Some(Ok(())));
    assert_eq!(session.closed(), Some(CloseReason::ReleaseAcknowledged));
}

#[test]
fn a_key_is_used_when_it_is_stored_and_not_before() {
    let host = Host::new();
    let session = host.licensed();
    let update = session.update_async(&stored(&[(2, 0x22)]));
    let request = host.next().unwrap();
    assert!(matches!(request.operation, StoreOperation::Put(_)));
    assert_eq!(format!("{:?}", request.operation), "Put(84 octets)");
    assert_eq!(host.used(), [Some(0x11), None]);
    assert!(update.result().is_none() && session.next_event().is_none());
    host.perform(request);
    assert_eq!(host.used(), [Some(0x11), Some(0x22)]);
    assert_eq!(events(&session), ["keystatuseschange"]);

    let remove = session.remove_async();
    let request = host.next().unwrap();
    assert_eq!(host.used(), [Some(0x11), Some(0x22)], "destroyed when that is on record");
    host.perform(request);
    assert_eq!((remove.result(), host.used()), (Some(Ok(())), [None, None]));
}

#[test]
fn calls_take_effect_in_the_order_in_which_they_were_made() {
    let host = Host::new();
    let session = host.started();
    let first = session.update_async(&stored(&[(1, 0x11)]));
    let second = session.update_async(&stored(&[(2, 0x22), (1, 0x33)]));
    let wrong = session.update_async(b"{}");
    let remove = session.remove_async();
    let late = session.update_async(&stored(&[(2, 0x44)]));
    let request = host.next().unwrap();
    assert!(host.next().is_none(), "one step on a record at a time");
    host.perform(request);
    assert_eq!((first.result(), second.result()), (Some(Ok(())), None));
    assert_eq!(host.used(), [Some(0x11), None]);
    host.perform(host.next().unwrap());
    assert_eq!(host.used(), [Some(0x33), Some(0x22)]);
    assert_eq!(exception(wrong.result().unwrap()), "TypeError");
    assert!(remove.result().is_none());
    host.perform(host.next().unwrap());
    assert_eq!((second.result(), remove.result()), (Some(Ok(())), Some(Ok(()))));
    assert_eq!(late.result(), Some(Err(Error::ReleasePending)));
    assert!(host.next().is_none());
}

#[test]
fn sessions_do_not_wait_for_each_other() {
    let host = Host::new();
    let (a, b) = (host.started(), host.started());
    let of_a = a.update_async(&stored(&[(1, 0x11)]));
    let of_b = b.update_async(&stored(&[(2, 0x22)]));
    let (first, second) = (host.next().unwrap(), host.next().unwrap());
    assert_ne!(first.name, second.name);
    host.perform(second);
    assert_eq!((of_a.result(), of_b.result()), (None, Some(Ok(()))));
    host.perform(first);
    assert_eq!(of_a.result(), Some(Ok(())));
}

/// Closing is at once; what waited ends with it, and the answer finds no one.
#[test]
fn close_waits_for_nothing() {
    for is_under_way in [false, true] {
        let host = Host::new();
        let session = host.licensed();
        let id = session.session_id();
        let update = session.update_async(&stored(&[(2, 0x22)]));
        let remove = session.remove_async();
        let request = is_under_way.then(|| host.next().unwrap());
        assert_eq!(session.close(), Ok(()));
        assert_eq!(session.closed(), Some(CloseReason::ClosedByApplication));
        assert_eq!(update.result(), Some(Err(Error::Closed)));
        assert_eq!(remove.result(), Some(Err(Error::Closed)));
        assert_eq!(exception(update.result().unwrap()), "InvalidStateError");
        assert_eq!(host.used(), [None, None]);
        assert_eq!(events(&session), ["keystatuseschange"]);

        // The record stays in order: a load comes behind the write that is under way.
        let again = persistent(&host.media_keys);
        let load = again.load_async(&id);
        if let Some(request) = request {
            assert!(host.next().is_none());
            host.perform(request);
            assert!(load.result().is_none());
        }
        host.perform_all();
        assert_eq!(load.result(), Some(Ok(true)));
        let expected = if is_under_way { Some(0x22) } else { None };
        assert_eq!(host.used(), [Some(0x11), expected]);
        assert!(events(&session).is_empty());
    }
}

#[test]
fn a_cdm_that_is_gone_ends_what_waits() {
    let host = Host::new();
    let (new, session) = (persistent(&host.media_keys), host.licensed());
    let generate = new.generate_request_async("keyids", KEYIDS.as_bytes());
    let remove = session.remove_async();
    let requests = [host.next().unwrap(), host.next().unwrap()];
    host.media_keys.cdm_unavailable(cdm::Unavailable::InternalError);
    assert_eq!(generate.result(), Some(Err(Error::Closed)));
    assert_eq!(remove.result(), Some(Err(Error::Closed)));
    let told = [events(&new), events(&session)];
    requests.into_iter().for_each(|request| host.perform(request));
    assert_eq!(told, [["keystatuseschange"], ["keystatuseschange"]]);
    assert!(events(&new).is_empty() && events(&session).is_empty());
    assert_eq!(new.session_id(), "");
}

#[test]
fn dropping_everything_ends_what_waits() {
    for is_under_way in [false, true] {
        let host = Host::new();
        let session = host.licensed();
        let closed = session.when_closed();
        let update = session.update_async(&stored(&[(2, 0x22)]));
        let request = is_under_way.then(|| host.next().unwrap());
        let Host { environment, media_keys, store } = host;
        drop((session, media_keys));
        assert_eq!(update.result(), Some(Err(Error::Closed)));
        assert_eq!(closed.reason(), Some(CloseReason::ClosedByApplication));
        match request {
            Some(request) => environment.store_completed(request.token, Ok(None)),
            None => assert!(environment.next_store_request().is_none()),
        }
        assert_eq!(store.names().len(), 1);
        // An answer twice, or to nobody, is nothing.
        let other = persistent(&media_keys_in(&environment));
        let load = other.load_async("1");
        let request = environment.next_store_request().unwrap();
        environment.store_completed(request.token, Ok(None));
        environment.store_completed(request.token, Err(StoreError::new("again")));
        assert_eq!(load.result(), Some(Ok(false)));
    }
}

#[test]
fn two_loads_of_one_license_are_one_too_many() {
    let host = Host::new();
    let session = host.licensed();
    let id = session.session_id();
    session.close().unwrap();
    let (a, b) = (persistent(&host.media_keys), persistent(&host.media_keys));
    let (first, second) = (a.load_async(&id), b.load_async(&id));
    assert_eq!(second.result(), Some(Err(Error::SessionOpen { session_id: id })));
    host.perform_all();
    assert_eq!(first.result(), Some(Ok(true)));
}

#[test]
fn operations_are_futures_and_wake() {
    struct Flag(AtomicBool);
    impl std::task::Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let host = Host::new();
    let session = host.started();
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(flag.clone());
    let mut context = Context::from_waker(&waker);
    let mut update = pin!(session.update_async(&stored(&[(1, 0x11)])));
    assert!(update.as_mut().poll(&mut context).is_pending());
    assert!(!flag.0.load(Ordering::Relaxed));
    host.perform_all();
    assert!(flag.0.load(Ordering::Relaxed));
    assert_eq!(update.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    // Temporary sessions never wait.
    let session = temporary(&host.media_keys);
    let mut generate = pin!(session.generate_request_async("keyids", KEYIDS.as_bytes()));
    assert_eq!(generate.as_mut().poll(&mut context), Poll::Ready(Ok(())));
}

/// A call that returns its result cannot wait for the host that called it.
#[test]
fn with_host_storage_persistent_sessions_have_asynchronous_calls_only() {
    let host = Host::new();
    let session = host.started();
    assert_eq!(session.update(&stored(&[(1, 0x11)])), Err(Error::HostStorage));
    assert_eq!(session.remove(), Err(Error::HostStorage));
    let new = persistent(&host.media_keys);
    assert_eq!(new.load("1"), Err(Error::HostStorage));
    let refused = new.generate_request("keyids", KEYIDS.as_bytes());
    assert_eq!(exception(refused), "InvalidStateError");
    assert!(host.next().is_none(), "nothing was begun");
    let other = temporary(&host.media_keys);
    other.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    other.update(&license(SessionType::Temporary, &[(1, 0x11)])).unwrap();
}

/// A store that does as it is told.
#[derive(Default)]
struct Moody {
    memory: MemoryStore,
    mood: Mutex<Mood>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mood {
    #[default]
    Good,
    Failing,
    Panicking,
}

impl Moody {
    fn try_it(&self) -> Result<(), StoreError> {
        let mood = *self.mood.lock().unwrap();
        assert!(mood != Mood::Panicking, "on purpose");
        if mood == Mood::Failing { Err(StoreError::new("disk full")) } else { Ok(()) }
    }
}

impl LicenseStore for Moody {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.try_it().and_then(|()| self.memory.get(name))
    }

    fn put(&self, name: &str, record: &[u8]) -> Result<(), StoreError> {
        self.try_it().and_then(|()| self.memory.put(name, record))
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.try_it().and_then(|()| self.memory.delete(name))
    }
}

#[test]
fn a_store_in_process_that_fails_or_panics_changes_nothing() {
    let store = Arc::new(Moody::default());
    let media_keys = media_keys_in(&with_store(store.clone()));
    let session = persistent(&media_keys);
    session.generate_request("keyids", &keyids(&[1])).unwrap();
    session.update(&stored(&[(1, 0x11)])).unwrap();
    events(&session);
    *store.mood.lock().unwrap() = Mood::Failing;
    let refused = session.update(&stored(&[(1, 0x22)]));
    assert_eq!(refused, Err(Error::Store(StoreError::new("disk full"))));
    assert_eq!(refused.unwrap_err().to_string(), "storage: disk full");
    *store.mood.lock().unwrap() = Mood::Panicking;
    let of_thread = session.clone();
    let panicked = std::thread::spawn(move || of_thread.update(&stored(&[(1, 0x22)])));
    assert!(panicked.join().is_err());
    *store.mood.lock().unwrap() = Mood::Good;
    assert!(events(&session).is_empty());
    assert_eq!(key_in_use(&media_keys, &[1; 16]), Some(0x11));
    session.update(&stored(&[(1, 0x22)])).unwrap();
    assert_eq!(key_in_use(&media_keys, &[1; 16]), Some(0x22));
}

/// Everything is there already, whatever it is asked for.
struct Full(&'static [u8]);

impl LicenseStore for Full {
    fn get(&self, _: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(Some(Zeroizing::new(self.0.to_vec())))
    }

    fn put(&self, _: &str, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn delete(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn a_store_that_has_every_id_is_not_asked_for_ever() {
    let session = persistent(&media_keys_in(&with_store(Full(&[1]))));
    let refused = session.generate_request("keyids", KEYIDS.as_bytes());
    assert_eq!(refused, Err(Error::NoSessionId));
}

/// Hosts that cannot tell an empty file from none say that there is one.
#[test]
fn an_id_whose_record_is_empty_is_free() {
    let media_keys = media_keys_in(&with_store(Full(&[])));
    let session = persistent(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    assert!(!persistent(&media_keys).load("7").unwrap());
}

/// The first write takes its time, and then dies.
#[derive(Default)]
struct Dying {
    writes: Mutex<u32>,
    memory: MemoryStore,
}

impl LicenseStore for Dying {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.memory.get(name)
    }

    fn put(&self, name: &str, record: &[u8]) -> Result<(), StoreError> {
        let writes = {
            let mut writes = self.writes.lock().unwrap();
            *writes += 1;
            *writes
        };
        if writes == 1 {
            std::thread::sleep(std::time::Duration::from_millis(100));
            panic!("on purpose");
        }
        self.memory.put(name, record)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.memory.delete(name)
    }
}

#[test]
fn who_waits_behind_a_store_that_panics_goes_on() {
    let store = Arc::new(Dying::default());
    let media_keys = media_keys_in(&with_store(store.clone()));
    let session = persistent(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    let first = session.clone();
    let first = std::thread::spawn(move || first.update(&stored(&[(1, 0x11)])));
    while *store.writes.lock().unwrap() == 0 {
        std::thread::yield_now();
    }
    session.update(&stored(&[(2, 0x22)])).unwrap();
    assert!(first.join().is_err());
    let used = [1, 2].map(|octet| key_in_use(&media_keys, &[octet; 16]));
    assert_eq!(used, [None, Some(0x22)]);
}
