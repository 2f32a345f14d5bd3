//! What lives as long as what (EME, "MediaKeys" and "MediaKeySession" lifetimes), and the end.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use cdm::{CloseReason, Error, SessionType, Unavailable};

use crate::support::{
    KEYIDS, LICENSE, configuration, events, exception, license, media_keys, media_keys_in, started,
    temporary,
};

const KID: [u8; 4] = [0, 1, 2, 3];

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_session_without_a_handle_lives_while_its_media_keys_do() {
    let media_keys = media_keys();
    let told = Arc::new(Mutex::new(0));
    {
        let session = started(temporary(&media_keys));
        let told = told.clone();
        session.on_key_statuses_change(Some(Box::new(move |_, _| *told.lock().unwrap() += 1)));
        session.update(LICENSE.as_bytes()).unwrap();
    }
    assert!(media_keys.key_store().key(&KID).is_some());
    media_keys.dispatch_events();
    assert_eq!(*told.lock().unwrap(), 1);
}

#[test]
fn a_session_without_its_media_keys_works_on() {
    let media_keys = media_keys();
    let session = started(temporary(&media_keys));
    let store = media_keys.key_store();
    drop(media_keys);
    session.update(LICENSE.as_bytes()).unwrap();
    assert!(store.key(&KID).is_some());
    assert_eq!(events(&session).len(), 2);
    let closed = session.when_closed();
    drop(session);
    assert!(store.key(&KID).is_none(), "nothing can reach the session");
    assert_eq!(closed.reason(), Some(CloseReason::ClosedByApplication));
}

#[test]
fn with_neither_left_everything_goes() {
    let media_keys = media_keys();
    let session = started(temporary(&media_keys));
    session.update(LICENSE.as_bytes()).unwrap();
    let (store, closed) = (media_keys.key_store(), session.when_closed());
    let used = Arc::new(());
    let held = used.clone();
    session.on_message(Some(Box::new(move |_, _| drop(held.clone()))));
    drop(session);
    assert!(store.key(&KID).is_some() && closed.reason().is_none());
    drop(media_keys);
    assert!(store.key(&KID).is_none());
    assert_eq!(closed.reason(), Some(CloseReason::ClosedByApplication));
    assert_eq!(Arc::strong_count(&used), 1, "the handler is gone, too");
}

/// As far as sharing goes: the last share of a key is wiped with it, which `cenc` sees to.
#[test]
fn a_key_goes_with_its_session_even_if_a_store_is_held() {
    let media_keys = media_keys();
    let session = started(temporary(&media_keys));
    session.update(LICENSE.as_bytes()).unwrap();
    let store = media_keys.key_store();
    let key = store.key(&KID).unwrap();
    session.close().unwrap();
    assert!(store.key(&KID).is_none());
    assert_eq!(Arc::strong_count(&key), 1, "whoever decrypts with it ends with it");
}

#[test]
fn closed_sessions_do_not_pile_up() {
    let media_keys = media_keys();
    for _ in 0..100 {
        let session = started(temporary(&media_keys));
        session.close().unwrap();
        events(&session);
    }
    temporary(&media_keys);
    let shown = format!("{media_keys:?}");
    assert_eq!(shown, "MediaKeys { sessions: 1, .. }");
}

#[test]
fn what_a_closed_session_has_to_tell_is_still_told() {
    let media_keys = media_keys();
    let told = Arc::new(Mutex::new(0));
    let into = told.clone();
    let session = started(temporary(&media_keys));
    session.on_key_statuses_change(Some(Box::new(move |_, _| *into.lock().unwrap() += 1)));
    session.close().unwrap();
    drop(session);
    temporary(&media_keys);
    media_keys.dispatch_events();
    assert_eq!(*told.lock().unwrap(), 1);
}

#[test]
fn the_end_can_be_awaited_by_many() {
    let media_keys = media_keys();
    let session = started(temporary(&media_keys));
    let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
    let wakers = counts.each_ref().map(|count| Waker::from(count.clone()));
    let (mut a, mut b) = (pin!(session.when_closed()), pin!(session.when_closed()));
    for _ in 0..2 {
        assert!(a.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_pending());
        assert!(b.as_mut().poll(&mut Context::from_waker(&wakers[1])).is_pending());
    }
    session.close().unwrap();
    assert_eq!(counts.each_ref().map(|count| count.0.load(Ordering::Relaxed)), [1, 1]);
    for _ in 0..2 {
        let reason = Poll::Ready(CloseReason::ClosedByApplication);
        assert_eq!(a.as_mut().poll(&mut Context::from_waker(&wakers[0])), reason);
        assert_eq!(b.as_mut().poll(&mut Context::from_waker(&wakers[1])), reason);
    }
}

#[test]
fn a_cdm_that_is_gone_closes_all_sessions() {
    for (why, reason, may_go_on) in [
        (Unavailable::InternalError, CloseReason::InternalError, false),
        (Unavailable::HardwareContextReset, CloseReason::HardwareContextReset, true),
    ] {
        let media_keys = media_keys();
        let (new, open) = (temporary(&media_keys), started(temporary(&media_keys)));
        open.update(LICENSE.as_bytes()).unwrap();
        events(&open);
        media_keys.cdm_unavailable(why);
        for session in [&new, &open] {
            assert_eq!(session.closed(), Some(reason));
            assert_eq!(events(session), ["keystatuseschange"]);
            // Closed comes before not callable.
            assert_eq!(session.close(), Ok(()));
            assert_eq!(session.update(LICENSE.as_bytes()), Err(Error::Closed));
            assert_eq!(session.generate_request("keyids", KEYIDS.as_bytes()), Err(Error::Closed));
        }
        assert!(media_keys.key_store().key(&KID).is_none());
        let session = media_keys.create_session(SessionType::Temporary);
        assert_eq!(session.is_ok(), may_go_on);
        if let Err(error) = session {
            assert_eq!(
                (error.exception().name(), error),
                ("InvalidStateError", Error::Unavailable)
            );
        }
    }
}

#[test]
fn an_evicted_session_says_so() {
    let media_keys = media_keys();
    let (a, b) = (started(temporary(&media_keys)), started(temporary(&media_keys)));
    for session in [&a, &b] {
        session.update(LICENSE.as_bytes()).unwrap();
    }
    a.evict();
    assert_eq!(a.closed(), Some(CloseReason::ResourceEvicted));
    assert!(b.closed().is_none() && media_keys.key_store().key(&KID).is_some());
}

#[test]
fn ids_are_numbers_that_no_known_session_has() {
    let numbers =
        Arc::new(Mutex::new(vec![7, 7, 9, 7, 8, 7].into_iter().rev().collect::<Vec<_>>()));
    let take = numbers.clone();
    let environment =
        cdm::Environment::builder().random(move || take.lock().unwrap().pop().unwrap_or(7)).build();
    let access = environment
        .request_media_key_system_access("org.w3.clearkey", &[configuration(false)])
        .unwrap();
    let (one, other) = (access.create_media_keys().unwrap(), access.create_media_keys().unwrap());
    let a = started(temporary(&one));
    let b = started(temporary(&other));
    assert_eq!([a.session_id(), b.session_id()], ["7", "9"]);
    // 7 is closed, but its handle still shows it.
    a.close().unwrap();
    let c = started(temporary(&one));
    assert_eq!(c.session_id(), "8");
    let d = temporary(&one);
    let refused = d.generate_request("keyids", KEYIDS.as_bytes());
    assert_eq!(exception(refused), "QuotaExceededError");
    assert_eq!(d.session_id(), "");
    drop((a, one, c, d));
    let e = started(temporary(&other));
    assert_eq!(e.session_id(), "7");
}

#[test]
fn open_sessions_can_be_limited() {
    let environment = cdm::Environment::builder().session_limit(2).build();
    let access = environment
        .request_media_key_system_access("org.w3.clearkey", &[configuration(false)])
        .unwrap();
    let keys = access.create_media_keys().unwrap();
    let (a, _b) = (started(temporary(&keys)), started(temporary(&keys)));
    let c = temporary(&keys);
    let refused = c.generate_request("keyids", KEYIDS.as_bytes());
    assert_eq!(exception(refused), "QuotaExceededError");
    a.close().unwrap();
    started(temporary(&keys));
}

#[test]
fn media_keys_do_not_see_each_other() {
    let environment = cdm::Environment::default();
    let access = environment
        .request_media_key_system_access("org.w3.clearkey", &[configuration(false)])
        .unwrap();
    let (one, other) = (access.create_media_keys().unwrap(), access.create_media_keys().unwrap());
    started(temporary(&one)).update(LICENSE.as_bytes()).unwrap();
    assert!(one.key_store().key(&KID).is_some() && other.key_store().key(&KID).is_none());
}

#[test]
fn nothing_prints_a_key() {
    let environment = crate::support::in_memory().0;
    let keys = media_keys_in(&environment);
    let session = started(crate::support::persistent(&keys));
    let secret = license(SessionType::PersistentLicense, &[(1, 0xab)]);
    session.update(&secret).unwrap();
    let shown = format!(
        "{keys:?} {session:?} {:?} {:?} {:?} {environment:?}",
        keys.key_store(),
        keys.key_store().key(&[1; 16]),
        session.update_async(&secret),
    );
    for form in ["abab", "ABAB", "171, 171", "q6ur", "\\xab"] {
        assert!(!shown.contains(form), "{shown}");
    }
}

#[test]
fn the_names_of_tutorials_are_there() {
    let access = cdm::request_media_key_system_access("org.w3.clearkey", &[configuration(false)]);
    let (keys, session) = access.unwrap().create_media_key_session().unwrap();
    assert_eq!(session.key_id(), None);
    session.generate_request("keyids", br#"{"kids":["Ag","AQ"]}"#).unwrap();
    assert_eq!(session.key_id().unwrap().as_bytes(), [2], "the first requested");
    let update = |kid: &str| {
        let k = "AAAAAAAAAAAAAAAAAAAAAA";
        session
            .update(format!(r#"{{"keys":[{{"kty":"oct","kid":"{kid}","k":"{k}"}}]}}"#).as_bytes())
    };
    update("Ag").unwrap();
    update("AQ").unwrap();
    assert_eq!(session.key_id().unwrap().as_bytes(), [1], "the first of the statuses");
    assert!(keys.key_store().key(&[1]).is_some());
}

#[test]
fn handles_go_to_any_thread() {
    fn shareable<T: Send + Sync + Clone>(_: &T) {}
    let media_keys = media_keys();
    shareable(&media_keys);
    shareable(&media_keys.key_store());
    let session = temporary(&media_keys);
    shareable(&session);
    shareable(&session.key_statuses());
    shareable(&session.when_closed());
    shareable(&cdm::Environment::default());
}

#[test]
fn sessions_that_are_over_go_also_among_many() {
    let media_keys = media_keys();
    let held = || format!("{media_keys:?}");
    let open: Vec<_> = (0..100).map(|_| started(temporary(&media_keys))).collect();
    assert!(held().contains("sessions: 100"), "{}", held());
    for session in &open[3..] {
        session.close().unwrap();
    }
    while media_keys.next_event().is_some() {}
    // Not all at once, so that each new session need not look at all others.
    let more: Vec<_> = (0..100).map(|_| temporary(&media_keys)).collect();
    assert!(held().contains("sessions: 103"), "{}", held());
    drop(more);
}
