//! What is shown of sessions in words: names as pages see them, and in logs what helps and no key.

use cdm::{CloseReason, MediaKeyStatus};

use crate::support::{LICENSE, media_keys, started, temporary};

#[test]
fn names_are_shown_as_pages_see_them() {
    for (reason, name) in [
        (CloseReason::InternalError, "internal-error"),
        (CloseReason::ClosedByApplication, "closed-by-application"),
        (CloseReason::ReleaseAcknowledged, "release-acknowledged"),
        (CloseReason::HardwareContextReset, "hardware-context-reset"),
        (CloseReason::ResourceEvicted, "resource-evicted"),
    ] {
        assert_eq!((reason.as_str(), reason.to_string()), (name, name.to_owned()));
    }
    for (status, name) in [
        (MediaKeyStatus::Usable, "usable"),
        (MediaKeyStatus::Expired, "expired"),
        (MediaKeyStatus::Released, "released"),
        (MediaKeyStatus::OutputRestricted, "output-restricted"),
        (MediaKeyStatus::OutputDownscaled, "output-downscaled"),
        (MediaKeyStatus::UsableInFuture, "usable-in-future"),
        (MediaKeyStatus::StatusPending, "status-pending"),
        (MediaKeyStatus::InternalError, "internal-error"),
    ] {
        assert_eq!((status.as_str(), status.to_string()), (name, name.to_owned()));
    }
}

#[test]
fn logs_show_sessions_and_no_key() {
    let media_keys = media_keys();
    let session = started(temporary(&media_keys));
    let (id, closed) = (session.session_id(), session.when_closed());
    let shown = |end: &str| {
        format!(
            "MediaKeySession {{ session_id: \"{id}\", session_type: Temporary, closed: {end}, .. }}"
        )
    };
    assert_eq!(format!("{session:?}"), shown("None"));
    assert_eq!(format!("{closed:?}"), "Closed(None)");
    assert_eq!(format!("{:?}", session.key_statuses()), "{}");

    let update = session.update_async(LICENSE.as_bytes());
    assert_eq!(update.result(), Some(Ok(())));
    assert_eq!(format!("{update:?}"), "Operation(Some(Ok(true)))");
    assert_eq!(format!("{:?}", session.key_statuses()), "{KeyId(00010203): Usable}");
    assert_eq!(format!("{:?}", media_keys.key_store()), "KeyStore(..)");

    session.close().unwrap();
    assert_eq!(format!("{session:?}"), shown("Some(ClosedByApplication)"));
    assert_eq!(format!("{closed:?}"), "Closed(Some(ClosedByApplication))");
}
