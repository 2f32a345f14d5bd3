//! clearkey-invalid-license: octets that are no JSON are refused, and a license works afterwards.

use crate::support::{LICENSE, exception, media_keys, started, temporary};

#[test]
fn octets_that_are_no_license_are_a_type_error() {
    let session = started(temporary(&media_keys()));
    let refused = session.update(&[0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77]);
    assert_eq!(exception(refused), "TypeError");
    assert!(session.key_statuses().is_empty());
    session.update(LICENSE.as_bytes()).unwrap();
    assert_eq!(session.key_statuses().size(), 1);
}
