//! clearkey-keystatuses-multiple-sessions: what one session knows is nothing to the other.

use cdm::{MediaKeyStatus, SessionType};

use crate::support::{keyids, license, media_keys, temporary};

#[test]
fn sessions_have_statuses_of_their_own() {
    let media_keys = media_keys();
    let (a, b) = (temporary(&media_keys), temporary(&media_keys));
    a.generate_request("keyids", &keyids(&[1])).unwrap();
    b.generate_request("keyids", &keyids(&[2])).unwrap();
    assert_ne!(a.session_id(), b.session_id());
    assert_eq!((a.key_statuses().size(), b.key_statuses().size()), (0, 0));

    a.update(&license(SessionType::Temporary, &[(1, 0x11)])).unwrap();
    assert_eq!(a.key_statuses().get(&[1; 16]), Some(MediaKeyStatus::Usable));
    assert!(b.key_statuses().is_empty());

    b.update(&license(SessionType::Temporary, &[(2, 0x22)])).unwrap();
    assert!(!a.key_statuses().has(&[2; 16]) && !b.key_statuses().has(&[1; 16]));
    assert_eq!((a.key_statuses().size(), b.key_statuses().size()), (1, 1));

    a.close().unwrap();
    assert!(a.key_statuses().is_empty());
    assert!(b.key_statuses().has(&[2; 16]));
}
