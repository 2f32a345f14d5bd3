//! clearkey-events: first the message, then the change of statuses, from within the first.

use std::sync::{Arc, Mutex};

use cdm::{EventType, MessageType, SessionEvent};

use crate::support::{KEYIDS, LICENSE, media_keys, temporary};

#[test]
fn a_message_then_a_change_of_statuses() {
    let media_keys = media_keys();
    let session = temporary(&media_keys);
    let told = Arc::new(Mutex::new(Vec::new()));
    let into = told.clone();
    session.add_event_listener(EventType::Message, move |session, event| {
        let SessionEvent::Message { message_type, message } = event else { panic!("{event:?}") };
        assert_eq!(*message_type, MessageType::LicenseRequest);
        assert!(!message.is_empty());
        into.lock().unwrap().push((event.event_type().as_str(), session.session_id()));
        session.update(LICENSE.as_bytes()).unwrap();
    });
    let into = told.clone();
    session.add_event_listener(EventType::KeyStatusesChange, move |session, event| {
        into.lock().unwrap().push((event.event_type().as_str(), session.session_id()));
        assert_eq!(session.key_statuses().size(), 1);
    });
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    media_keys.dispatch_events();
    let id = session.session_id();
    assert_eq!(*told.lock().unwrap(), [("message", id.clone()), ("keystatuseschange", id)]);
}
