//! clearkey-mp4-update-disallowed-input: a JWK set of more than 64 KiB is refused.

use crate::support::{LICENSE, exception, media_keys, started, temporary};

#[test]
fn a_license_that_is_too_long_is_a_type_error() {
    let session = started(temporary(&media_keys()));
    let key = LICENSE.split_once('[').unwrap().1.split_once(']').unwrap().0;
    let keys = vec![key; 68_000 / key.len() + 1].join(",");
    let long = format!(r#"{{"keys":[{keys}]}}"#);
    assert!(long.len() > 68_000);
    assert_eq!(exception(session.update(long.as_bytes())), "TypeError");
    // Only the length is wrong.
    let keys = vec![key; 60_000 / key.len()].join(",");
    session.update(format!(r#"{{"keys":[{keys}]}}"#).as_bytes()).unwrap();
    assert_eq!(session.key_statuses().size(), 1);
}
