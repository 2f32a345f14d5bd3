//! clearkey-mp4-syntax-mediakeysession: each call with wrong arguments, and on sessions in every state.

use crate::support::{
    KEYIDS, LICENSE, exception, in_memory, media_keys, media_keys_in, persistent, started,
    temporary,
};

#[test]
fn attributes_before_anything() {
    let session = temporary(&media_keys());
    assert_eq!(session.session_id(), "");
    assert!(session.expiration().is_nan());
    assert_eq!(session.closed(), None);
    assert_eq!(session.key_statuses().size(), 0);
    // Handlers are set and taken away.
    session.on_message(Some(Box::new(|_, _| {})));
    session.on_message(None);
    session.on_key_statuses_change(Some(Box::new(|_, _| {})));
    session.on_key_statuses_change(None);
}

#[test]
fn generate_request_with_wrong_arguments() {
    let cases: [(&str, &[u8], &str); 7] = [
        ("", b"", "TypeError"),
        ("", b"data", "TypeError"),
        ("keyids", b"", "TypeError"),
        ("invalid", b"", "TypeError"),
        ("invalid", b"data", "NotSupportedError"),
        ("KEYIDS", KEYIDS.as_bytes(), "NotSupportedError"),
        ("keyids", b"data", "TypeError"),
    ];
    for (init_data_type, init_data, expected) in cases {
        let session = temporary(&media_keys());
        let refused = session.generate_request(init_data_type, init_data);
        assert_eq!(exception(refused), expected, "{init_data_type:?} {init_data:?}");
        let again = session.generate_request("keyids", KEYIDS.as_bytes());
        assert_eq!(exception(again), "InvalidStateError", "the session is burnt");
    }
}

#[test]
fn load_with_wrong_arguments() {
    for id in ["", "1", "!@#$%^&*()", "1234", "undefined"] {
        assert_eq!(exception(temporary(&media_keys()).load(id)), "TypeError", "{id}");
    }
}

#[test]
fn generate_request_for_each_kind_of_session() {
    let media_keys = media_keys_in(&in_memory().0);
    for session in [temporary(&media_keys), persistent(&media_keys)] {
        session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
        assert!(!session.session_id().is_empty());
        let again = session.generate_request("keyids", KEYIDS.as_bytes());
        assert_eq!(exception(again), "InvalidStateError");
        assert_eq!(exception(session.load("1")), "InvalidStateError");
    }
}

#[test]
fn update_with_wrong_arguments() {
    let session = started(temporary(&media_keys()));
    for response in [&b""[..], b"\0", b"null", b"{}", br#"{"keys":[]}"#, br#"{"kids":["AAECAw"]}"#]
    {
        assert_eq!(exception(session.update(response)), "TypeError");
        assert!(session.key_statuses().is_empty());
    }
    session.update(LICENSE.as_bytes()).unwrap();
}

#[test]
fn close_in_each_state() {
    let session = temporary(&media_keys());
    assert_eq!(exception(session.close()), "InvalidStateError");
    let session = started(session);
    assert_eq!(session.close(), Ok(()));
    assert_eq!(session.close(), Ok(()));
    for refused in [
        session.update(LICENSE.as_bytes()),
        session.remove(),
        session.generate_request("keyids", KEYIDS.as_bytes()),
        session.load("1").map(drop),
    ] {
        assert_eq!(exception(refused), "InvalidStateError");
    }
    assert!(!session.session_id().is_empty());
}

#[test]
fn remove_in_each_state() {
    let session = temporary(&media_keys());
    assert_eq!(exception(session.remove()), "InvalidStateError");
    let session = started(session);
    assert_eq!(session.remove(), Ok(()));
    session.update(LICENSE.as_bytes()).unwrap();
    assert_eq!(session.remove(), Ok(()));
    assert_eq!(session.closed(), None);
    session.close().unwrap();
    assert_eq!(exception(session.remove()), "InvalidStateError");
}
