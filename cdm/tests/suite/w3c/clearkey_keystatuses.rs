//! clearkey-keystatuses: the map before a license, with it, and after the end.

use cdm::{MediaKeyStatus, SessionType};

use crate::support::{keyids, license, media_keys, temporary};

#[test]
fn the_map_shows_the_keys_sorted_and_nothing_after_the_end() {
    let session = temporary(&media_keys());
    let map = session.key_statuses();
    assert_eq!(map.size(), 0);
    session.generate_request("keyids", &keyids(&[9, 3])).unwrap();
    assert_eq!(map.size(), 0, "no key is known before there is a license");

    session.update(&license(SessionType::Temporary, &[(9, 1), (3, 2)])).unwrap();
    assert_eq!((map.size(), map.len(), map.is_empty()), (2, 2, false));
    let usable = MediaKeyStatus::Usable;
    let entries: Vec<_> = map.iter().map(|(kid, status)| (kid.as_bytes()[0], status)).collect();
    assert_eq!(entries, [(3, usable), (9, usable)]);
    assert_eq!(map.keys().map(|kid| kid.as_bytes()[15]).collect::<Vec<_>>(), [3, 9]);
    assert_eq!(map.values().collect::<Vec<_>>(), [usable; 2]);
    assert_eq!((&map).into_iter().count(), 2);
    for name in [3, 9] {
        assert!(map.has(&[name; 16]));
        assert_eq!(map.get(&[name; 16]), Some(usable));
    }
    for other in [&[3; 15][..], &[3; 17], &[4; 16], &[]] {
        assert!(!map.has(other));
        assert_eq!(map.get(other), None);
    }
    // One that was begun does not see what comes later.
    let begun = map.iter();
    session.update(&license(SessionType::Temporary, &[(5, 3)])).unwrap();
    assert_eq!((begun.count(), map.size()), (2, 3));

    session.close().unwrap();
    assert_eq!((map.size(), map.iter().count()), (0, 0));
    assert!(!map.has(&[3; 16]) && session.key_statuses().is_empty());
}
