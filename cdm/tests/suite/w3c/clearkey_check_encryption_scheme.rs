//! clearkey-check-encryption-scheme: a scheme that is asked for comes back.

use cdm::{MediaKeySystemConfiguration, MediaKeySystemMediaCapability};

use crate::support::KEY_SYSTEM;

#[test]
fn each_scheme_comes_back() {
    for scheme in ["cenc", "cbcs", "cbcs-1-9"] {
        let capability = |content_type: &str| MediaKeySystemMediaCapability {
            content_type: content_type.to_owned(),
            encryption_scheme: Some(scheme.to_owned()),
            ..Default::default()
        };
        let configuration = MediaKeySystemConfiguration {
            audio_capabilities: vec![capability("audio/mp4; codecs=\"mp4a.40.2\"")],
            video_capabilities: vec![capability("video/mp4; codecs=\"avc1.4d401e\"")],
            ..Default::default()
        };
        let access = cdm::request_media_key_system_access(KEY_SYSTEM, &[configuration]).unwrap();
        let got = access.configuration();
        for capability in [&got.audio_capabilities[0], &got.video_capabilities[0]] {
            assert_eq!(capability.encryption_scheme.as_deref(), Some(scheme));
        }
    }
}
