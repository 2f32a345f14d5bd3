//! Order, listeners, and calls from within them.

use std::sync::{Arc, Mutex};

use cdm::{CloseReason, EventType, MediaKeySession, SessionEvent, SessionType};

use crate::support::{KEYIDS, LICENSE, events, license, media_keys, started, temporary, words};

type Log = Arc<Mutex<Vec<String>>>;

fn log(session: &MediaKeySession, name: &'static str, event_type: EventType) -> Log {
    let log = Log::default();
    let into = log.clone();
    session.add_event_listener(event_type, move |_, event| {
        into.lock().unwrap().push(format!("{name} {}", event.event_type()));
    });
    log
}

fn note(log: &Log, text: &str) -> cdm::Handler {
    let (log, text) = (log.clone(), text.to_owned());
    Box::new(move |_, event| log.lock().unwrap().push(format!("{text} {}", event.event_type())))
}

#[test]
fn results_and_attributes_come_before_events() {
    let media_keys = media_keys();
    let session = temporary(&media_keys);
    assert_eq!(session.session_id(), "");
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    assert!(session.session_id().parse::<u32>().is_ok());
    assert!(session.key_statuses().is_empty());
    session.update(LICENSE.as_bytes()).unwrap();
    assert_eq!(session.key_statuses().size(), 1);
    session.close().unwrap();
    assert_eq!(session.closed(), Some(CloseReason::ClosedByApplication));
    assert!(session.key_statuses().is_empty());
    assert_eq!(
        events(&session),
        [
            r#"message license-request {"kids":["AAECAw"],"type":"temporary"}"#,
            "keystatuseschange",
            "keystatuseschange",
        ]
    );
    // Nothing is told after the event of its closing.
    assert!(session.update(LICENSE.as_bytes()).is_err());
    session.close().unwrap();
    session.evict();
    assert!(events(&session).is_empty());
    assert_eq!(session.closed(), Some(CloseReason::ClosedByApplication));
}

#[test]
fn events_of_several_sessions_keep_their_order() {
    let media_keys = media_keys();
    let (a, b) = (temporary(&media_keys), temporary(&media_keys));
    started(b.clone());
    started(a.clone());
    a.update(LICENSE.as_bytes()).unwrap();
    b.close().unwrap();
    let mut told = Vec::new();
    while let Some((session, event)) = media_keys.next_event() {
        let name = if session == a { "a" } else { "b" };
        told.push(format!("{name} {}", event.event_type()));
    }
    assert_eq!(told, ["b message", "a message", "a keystatuseschange", "b keystatuseschange"]);
}

#[test]
fn a_license_sent_again_is_told_again() {
    let session = started(temporary(&media_keys()));
    events(&session);
    for _ in 0..2 {
        session.update(LICENSE.as_bytes()).unwrap();
        assert_eq!(events(&session), ["keystatuseschange"]);
    }
}

#[test]
fn listeners_are_called_in_the_order_of_the_dom() {
    let media_keys = media_keys();
    let session = temporary(&media_keys);
    let log = Log::default();
    let add = |name: &str| session.add_event_listener(EventType::Message, note(&log, name));
    let first = add("first");
    session.on_message(Some(note(&log, "replaced")));
    add("second");
    // The new handler stands where the old one stood.
    session.on_message(Some(note(&log, "attribute")));
    session.on_key_statuses_change(Some(note(&log, "statuses")));
    started(session.clone());
    media_keys.dispatch_events();
    let told = |log: &Log| std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(told(&log), ["first message", "attribute message", "second message"]);

    assert!(session.remove_event_listener(first));
    assert!(!session.remove_event_listener(first));
    session.on_message(None);
    session.on_message(Some(note(&log, "last")));
    session.update(LICENSE.as_bytes()).unwrap();
    session.dispatch_events();
    assert_eq!(told(&log), ["statuses keystatuseschange"]);
    let (other, log) = (temporary(&media_keys), Log::default());
    let of_other = other.add_event_listener(EventType::Message, note(&log, "other"));
    assert!(!other.remove_event_listener(first) && !session.remove_event_listener(of_other));
    started(other);
    media_keys.dispatch_events();
    assert_eq!(told(&log), ["other message"]);
}

#[test]
fn listeners_are_called_for_events_of_their_type_and_session() {
    let media_keys = media_keys();
    let (a, b) = (temporary(&media_keys), temporary(&media_keys));
    let message = log(&a, "a", EventType::Message);
    let statuses = log(&a, "a", EventType::KeyStatusesChange);
    started(a.clone());
    started(b.clone()).update(LICENSE.as_bytes()).unwrap();
    media_keys.dispatch_events();
    assert_eq!(*message.lock().unwrap(), ["a message"]);
    assert!(statuses.lock().unwrap().is_empty());
}

/// The way that pages take: each answer is given from within the event that asks for it.
#[test]
fn a_listener_may_call_everything() {
    let media_keys = media_keys();
    let session = temporary(&media_keys);
    let log = Log::default();
    let into = log.clone();
    let keys = media_keys.clone();
    session.on_message(Some(Box::new(move |session, event| {
        into.lock().unwrap().push(words(event));
        session.update(LICENSE.as_bytes()).unwrap();
        // What happens now is told after this event, by who is telling.
        keys.dispatch_events();
        session.dispatch_events();
        into.lock().unwrap().push(format!("{} keys", session.key_statuses().size()));
        session.on_message(None);
    })));
    let into = log.clone();
    let keys = media_keys.clone();
    session.add_event_listener(EventType::KeyStatusesChange, move |session, event| {
        into.lock().unwrap().push(words(event));
        if session.closed().is_none() {
            session.close().unwrap();
            assert!(keys.create_session(SessionType::Temporary).is_ok());
        }
    });
    started(session.clone());
    media_keys.dispatch_events();
    assert_eq!(
        *log.lock().unwrap(),
        [
            r#"message license-request {"kids":["AAECAw"],"type":"temporary"}"#,
            "1 keys",
            "keystatuseschange",
            "keystatuseschange",
        ]
    );
}

#[test]
fn who_is_removed_meanwhile_hears_nothing_and_who_is_added_hears_the_next() {
    let media_keys = media_keys();
    let session = temporary(&media_keys);
    let log = Log::default();
    let victim = Arc::new(Mutex::new(None));
    let (of, into) = (victim.clone(), log.clone());
    session.add_event_listener(EventType::Message, move |session, _| {
        session.remove_event_listener(of.lock().unwrap().unwrap());
        session.add_event_listener(EventType::Message, note(&into, "added"));
        session.add_event_listener(EventType::KeyStatusesChange, note(&into, "added"));
    });
    let id = session.add_event_listener(EventType::Message, note(&log, "removed"));
    *victim.lock().unwrap() = Some(id);
    started(session.clone()).update(LICENSE.as_bytes()).unwrap();
    media_keys.dispatch_events();
    assert_eq!(*log.lock().unwrap(), ["added keystatuseschange"]);
}

#[test]
fn a_listener_that_panics_stops_no_other_event() {
    let media_keys = media_keys();
    let session = temporary(&media_keys);
    session.on_message(Some(Box::new(|_, _| panic!("on purpose"))));
    let log = log(&session, "told", EventType::KeyStatusesChange);
    started(session.clone()).update(LICENSE.as_bytes()).unwrap();
    let keys = media_keys.clone();
    assert!(std::thread::spawn(move || keys.dispatch_events()).join().is_err());
    assert!(log.lock().unwrap().is_empty());
    media_keys.dispatch_events();
    assert_eq!(*log.lock().unwrap(), ["told keystatuseschange"]);
}

#[test]
fn polling_passes_listeners_by() {
    let session = temporary(&media_keys());
    let log = log(&session, "told", EventType::Message);
    started(session.clone());
    assert!(matches!(session.next_event(), Some(SessionEvent::Message { .. })));
    session.dispatch_events();
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn expiration_concerns_all_keys_of_a_session() {
    use std::time::{Duration, UNIX_EPOCH};
    let media_keys = media_keys();
    let session = started(temporary(&media_keys));
    let two = license(SessionType::Temporary, &[(1, 0x11), (2, 0x22)]);
    session.update(&two).unwrap();
    events(&session);
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    assert!(session.expiration().is_nan());
    session.check_expiration(at(5_000));
    session.set_expiration(Some(at(1_000))).unwrap();
    assert!((session.expiration() - 1e6).abs() < 1e-9);
    session.check_expiration(at(1_000));
    assert!(events(&session).is_empty());

    session.check_expiration(at(1_001));
    assert_eq!(events(&session), ["keystatuseschange"]);
    session.check_expiration(at(1_002));
    assert!(events(&session).is_empty());
    let all = |session: &MediaKeySession| -> Vec<_> {
        session.key_statuses().values().map(|status| status.as_str()).collect()
    };
    assert_eq!(all(&session), ["expired", "expired"]);
    let used = |octet| crate::support::key_in_use(&media_keys, &[octet; 16]);
    assert_eq!([used(1), used(2)], [None, None]);

    // A later expiration brings all of them back, and so does a license.
    session.set_expiration(Some(at(2_000))).unwrap();
    session.check_expiration(at(1_500));
    assert_eq!(all(&session), ["usable", "usable"]);
    assert_eq!([used(1), used(2)], [Some(0x11), Some(0x22)]);
    session.check_expiration(at(2_001));
    session.update(&license(SessionType::Temporary, &[(2, 0x33)])).unwrap();
    assert_eq!(all(&session), ["usable", "usable"]);
    assert_eq!([used(1), used(2)], [Some(0x11), Some(0x33)]);
    assert!(session.expiration().is_nan());

    session.close().unwrap();
    assert!(session.set_expiration(None).is_err());
    assert!(temporary(&media_keys).set_expiration(None).is_err());
}
