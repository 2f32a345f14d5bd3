//! EME's "Get Supported Configuration", for ClearKey.

use clearkey::{InitDataType, SessionType};
use thiserror::Error as ThisError;

use super::{
    CapabilityRefusal, ContentType, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeysRequirement, MediaKind, capability,
};
use crate::Error;

/// What there is to be had.
pub(crate) struct Support<'a> {
    /// Something can be stored.
    pub(crate) persistent: bool,
    /// What can be played.
    pub(crate) content_type: &'a dyn Fn(&ContentType, MediaKind) -> bool,
}

/// Why a configuration is not supported.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[non_exhaustive]
pub enum Refusal {
    /// None of the formats of initialization data is read.
    #[error("initDataTypes: none of them is cenc, keyids or webm")]
    InitDataTypes,

    /// ClearKey has nothing to tell clients apart by.
    #[error("distinctiveIdentifier: required, but there is none")]
    DistinctiveIdentifier,

    /// Nothing can be stored here.
    #[error("persistentState: required, but there is no storage")]
    PersistentState,

    /// A kind of session that is not known, or that cannot be had.
    #[error("sessionTypes: \"{session_type}\", {reason}")]
    SessionType {
        /// The kind, quoted.
        session_type: String,
        /// Why not.
        reason: &'static str,
    },

    /// Neither audio nor video is asked for.
    #[error("neither audioCapabilities nor videoCapabilities")]
    NoCapabilities,

    /// None of the entries of a list is supported.
    #[error("{member}: {}", reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Capabilities {
        /// The list.
        member: &'static str,
        /// Why, for the first entries.
        reasons: Vec<CapabilityRefusal>,
    },
}

/// How many entries of a list are explained.
const EXPLAINED: usize = 8;

const KEY_SYSTEM: &str = "org.w3.clearkey";

/// The first configuration that is supported, as far as it is.
pub(crate) fn select(
    key_system: &str,
    configurations: &[MediaKeySystemConfiguration],
    support: &Support<'_>,
) -> Result<MediaKeySystemConfiguration, Error> {
    let unknown = || Error::KeySystem { found: clearkey::quote(key_system) };
    if key_system.is_empty() {
        return Err(unknown());
    }
    if configurations.is_empty() {
        return Err(Error::NoConfiguration);
    }
    if key_system != KEY_SYSTEM {
        return Err(unknown());
    }
    let mut refusals = Vec::new();
    for configuration in configurations {
        match supported(configuration, support) {
            Ok(supported) => return Ok(supported),
            Err(refusal) if refusals.len() < EXPLAINED => refusals.push(refusal),
            Err(_) => {}
        }
    }
    Err(Error::NotSupported { refusals })
}

/// The steps in EME's order; `asked` itself stays as it is.
fn supported(
    asked: &MediaKeySystemConfiguration,
    support: &Support<'_>,
) -> Result<MediaKeySystemConfiguration, Refusal> {
    let init_data_types: Vec<_> = asked
        .init_data_types
        .iter()
        .filter(|name| name.parse::<InitDataType>().is_ok())
        .cloned()
        .collect();
    if init_data_types.is_empty() && !asked.init_data_types.is_empty() {
        return Err(Refusal::InitDataTypes);
    }
    if asked.distinctive_identifier == MediaKeysRequirement::Required {
        return Err(Refusal::DistinctiveIdentifier);
    }
    if asked.persistent_state == MediaKeysRequirement::Required && !support.persistent {
        return Err(Refusal::PersistentState);
    }
    let mut persistent_state = asked.persistent_state;
    let session_types = match &asked.session_types {
        Some(names) => names.clone(),
        None => vec![SessionType::Temporary.as_str().to_owned()],
    };
    for name in &session_types {
        persistent_state = with_session_type(name, persistent_state, support)?;
    }
    if asked.video_capabilities.is_empty() && asked.audio_capabilities.is_empty() {
        return Err(Refusal::NoCapabilities);
    }
    let video_capabilities =
        capabilities("videoCapabilities", &asked.video_capabilities, MediaKind::Video, support)?;
    let audio_capabilities =
        capabilities("audioCapabilities", &asked.audio_capabilities, MediaKind::Audio, support)?;
    Ok(MediaKeySystemConfiguration {
        label: asked.label.clone(),
        init_data_types,
        audio_capabilities,
        video_capabilities,
        distinctive_identifier: MediaKeysRequirement::NotAllowed,
        persistent_state: match persistent_state {
            MediaKeysRequirement::Optional => MediaKeysRequirement::NotAllowed,
            decided => decided,
        },
        session_types: Some(session_types),
    })
}

/// What a kind of session makes of the persistent state.
fn with_session_type(
    name: &str,
    persistent_state: MediaKeysRequirement,
    support: &Support<'_>,
) -> Result<MediaKeysRequirement, Refusal> {
    let refused = |reason| Refusal::SessionType { session_type: clearkey::quote(name), reason };
    match name.parse() {
        Err(_) => Err(refused("which is not known")),
        Ok(SessionType::Temporary) => Ok(persistent_state),
        Ok(SessionType::PersistentLicense) if !support.persistent => {
            Err(refused("but there is no storage"))
        }
        Ok(SessionType::PersistentLicense)
            if persistent_state == MediaKeysRequirement::NotAllowed =>
        {
            Err(refused("but persistentState is not-allowed"))
        }
        Ok(SessionType::PersistentLicense) => Ok(MediaKeysRequirement::Required),
    }
}

/// The entries of a list that are supported, unchanged. A list that is not empty must keep one.
fn capabilities(
    member: &'static str,
    asked: &[MediaKeySystemMediaCapability],
    kind: MediaKind,
    support: &Support<'_>,
) -> Result<Vec<MediaKeySystemMediaCapability>, Refusal> {
    let (mut supported, mut reasons) = (Vec::new(), Vec::new());
    for capability in asked {
        match capability::check(capability, kind, support) {
            Ok(()) => supported.push(capability.clone()),
            Err(empty @ CapabilityRefusal::Empty) => {
                return Err(Refusal::Capabilities { member, reasons: vec![empty] });
            }
            Err(reason) if reasons.len() < EXPLAINED => reasons.push(reason),
            Err(_) => {}
        }
    }
    match supported.is_empty() && !asked.is_empty() {
        true => Err(Refusal::Capabilities { member, reasons }),
        false => Ok(supported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> MediaKeySystemConfiguration {
        MediaKeySystemConfiguration {
            audio_capabilities: vec![capability("audio/webm;codecs=opus")],
            ..Default::default()
        }
    }

    fn capability(content_type: &str) -> MediaKeySystemMediaCapability {
        MediaKeySystemMediaCapability {
            content_type: content_type.to_owned(),
            ..Default::default()
        }
    }

    fn with(
        persistent: bool,
        change: impl FnOnce(&mut MediaKeySystemConfiguration),
    ) -> Result<MediaKeySystemConfiguration, String> {
        let mut asked = asked();
        change(&mut asked);
        let support = Support { persistent, content_type: &ContentType::is_supported };
        supported(&asked, &support).map_err(|refusal| refusal.to_string())
    }

    fn types(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_refusal_says_what_is_wrong() {
        let no_storage = "persistentState: required, but there is no storage";
        let refused =
            |change: fn(&mut MediaKeySystemConfiguration)| with(false, change).unwrap_err();
        assert_eq!(
            refused(|asked| asked.init_data_types = vec!["CENC".to_owned(), String::new()]),
            "initDataTypes: none of them is cenc, keyids or webm"
        );
        assert_eq!(
            refused(|asked| asked.distinctive_identifier = MediaKeysRequirement::Required),
            "distinctiveIdentifier: required, but there is none"
        );
        assert_eq!(
            refused(|asked| asked.persistent_state = MediaKeysRequirement::Required),
            no_storage
        );
        assert_eq!(
            refused(|asked| asked.session_types = types(&["temporary", "Temporary"])),
            "sessionTypes: \"Temporary\", which is not known"
        );
        assert_eq!(
            refused(|asked| asked.session_types = types(&["persistent-license"])),
            "sessionTypes: \"persistent-license\", but there is no storage"
        );
        assert_eq!(
            refused(|asked| asked.audio_capabilities.clear()),
            "neither audioCapabilities nor videoCapabilities"
        );
        assert_eq!(
            refused(|asked| {
                asked.video_capabilities = vec![capability("video/x"), capability("?")];
            }),
            "videoCapabilities: \"video/x\" is not supported; \"?\" is no MIME type with codecs"
        );
        let forbidden = with(true, |asked| {
            asked.persistent_state = MediaKeysRequirement::NotAllowed;
            asked.session_types = types(&["persistent-license"]);
        });
        assert_eq!(
            forbidden.unwrap_err(),
            "sessionTypes: \"persistent-license\", but persistentState is not-allowed"
        );
    }

    #[test]
    fn an_empty_content_type_fails_the_list_wherever_it_stands() {
        let refused = with(false, |asked| asked.audio_capabilities.push(capability("")));
        assert_eq!(refused.unwrap_err(), "audioCapabilities: an empty contentType");
        let kept = with(false, |asked| asked.audio_capabilities.push(capability("x")));
        assert_eq!(kept.unwrap().audio_capabilities, [capability("audio/webm;codecs=opus")]);
    }

    #[test]
    fn explanations_are_limited() {
        let refused = with(false, |asked| {
            asked.audio_capabilities = vec![capability(&"x".repeat(10_000)); 1_000];
        });
        assert!(refused.unwrap_err().len() < 1_000);
        let support = Support { persistent: false, content_type: &|_, _| true };
        let many = vec![MediaKeySystemConfiguration::default(); 1_000];
        let Err(Error::NotSupported { refusals }) = select(KEY_SYSTEM, &many, &support) else {
            panic!("none is supported");
        };
        assert_eq!(refusals.len(), EXPLAINED);
    }

    #[test]
    fn what_is_asked_of_state_is_decided() {
        use MediaKeysRequirement::{NotAllowed, Optional, Required};
        for (state, names, expected) in [
            (Optional, None, NotAllowed),
            (NotAllowed, types(&["temporary"]), NotAllowed),
            (Required, None, Required),
            (Optional, types(&[]), NotAllowed),
            (Optional, types(&["persistent-license", "temporary"]), Required),
        ] {
            let got = with(true, |asked| {
                asked.persistent_state = state;
                asked.session_types.clone_from(&names);
            });
            let got = got.unwrap();
            assert_eq!(got.persistent_state, expected, "{state} {names:?}");
            assert_eq!(got.distinctive_identifier, NotAllowed);
            assert_eq!(got.session_types, names.or_else(|| types(&["temporary"])));
        }
    }
}
