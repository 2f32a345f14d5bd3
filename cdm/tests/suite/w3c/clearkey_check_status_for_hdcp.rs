//! clearkey-check-status-for-hdcp: ClearKey has a key for any output.

use cdm::{MediaKeyStatus, MediaKeysPolicy};

use crate::support::media_keys;

#[test]
fn any_version_is_usable() {
    for version in ["", "1.0"] {
        let policy = MediaKeysPolicy { min_hdcp_version: Some(version.to_owned()) };
        let status = media_keys().get_status_for_policy(&policy);
        assert_eq!(status, Ok(MediaKeyStatus::Usable), "{version:?}");
    }
}
