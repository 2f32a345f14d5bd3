//! clearkey-mp4-syntax-mediakeys: what media keys have, and server certificates.

use cdm::{Error, MediaKeysPolicy, SessionType};

use crate::support::{exception, media_keys};

#[test]
fn sessions_are_made() {
    let media_keys = media_keys();
    let session = media_keys.create_session(SessionType::Temporary).unwrap();
    assert_eq!(session.session_type(), SessionType::Temporary);
    // What WPT hands in as text that is no type is an error of reading it here.
    for text in ["", "TEMPORARY", "persistent-usage-record", "null"] {
        let unknown = text.parse::<SessionType>().unwrap_err();
        assert_eq!(unknown.exception().name(), "TypeError", "{text}");
    }
}

#[test]
fn an_empty_certificate_is_refused() {
    let refused = media_keys().set_server_certificate(&[]);
    assert_eq!(refused, Err(Error::ServerCertificateEmpty));
    assert_eq!(exception(refused), "TypeError");
}

#[test]
fn no_certificate_is_taken() {
    assert_eq!(media_keys().set_server_certificate(&[0; 200]), Ok(false));
    let refused = media_keys().get_status_for_policy(&MediaKeysPolicy::default());
    assert_eq!(exception(refused), "TypeError");
}
