//! EME's dictionaries.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

/// What an application asks for, and what it gets; EME's `MediaKeySystemConfiguration`. As JSON its
/// members have EME's names and defaults.
///
/// ```
/// use cdm::{MediaKeySystemConfiguration, MediaKeySystemMediaCapability};
///
/// let configuration = MediaKeySystemConfiguration {
///     init_data_types: vec!["cenc".to_owned()],
///     video_capabilities: vec![MediaKeySystemMediaCapability {
///         content_type: r#"video/mp4; codecs="avc1.4d401e""#.to_owned(),
///         ..Default::default()
///     }],
///     ..Default::default()
/// };
/// let access = cdm::request_media_key_system_access("org.w3.clearkey", &[configuration])?;
/// assert_eq!(access.configuration().session_types, Some(vec!["temporary".to_owned()]));
/// # Ok::<(), cdm::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MediaKeySystemConfiguration {
    /// Anything; it comes back as it is.
    pub label: String,
    /// Formats of initialization data: `cenc`, `keyids`, `webm`.
    pub init_data_types: Vec<String>,
    /// Audio that must be playable.
    pub audio_capabilities: Vec<MediaKeySystemMediaCapability>,
    /// Video that must be playable.
    pub video_capabilities: Vec<MediaKeySystemMediaCapability>,
    /// Whether the application wants to be told this client from others. ClearKey never does.
    pub distinctive_identifier: MediaKeysRequirement,
    /// Whether the application wants things to be stored.
    pub persistent_state: MediaKeysRequirement,
    /// Kinds of sessions: `temporary`, `persistent-license`. `None` is `temporary` alone; an empty
    /// list is none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_types: Option<Vec<String>>,
}

/// One kind of audio or video; EME's `MediaKeySystemMediaCapability`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MediaKeySystemMediaCapability {
    /// A MIME type with its codecs, such as `video/mp4; codecs="avc1.4d401e"`.
    pub content_type: String,
    /// `cenc`, `cbcs` or `cbcs-1-9`; `None` is any.
    pub encryption_scheme: Option<String>,
    /// Only the empty text: ClearKey has no levels.
    pub robustness: String,
}

/// EME's `MediaKeysRequirement`, which is complete.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaKeysRequirement {
    /// It must be there.
    Required,
    /// It may be there.
    #[default]
    Optional,
    /// It must not be there.
    NotAllowed,
}

impl MediaKeysRequirement {
    /// The name, as a page sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::NotAllowed => "not-allowed",
        }
    }
}

impl fmt::Display for MediaKeysRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no requirement.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error("\"{0}\" is not required, optional or not-allowed")]
pub struct UnknownRequirement(String);

impl FromStr for MediaKeysRequirement {
    type Err = UnknownRequirement;

    /// Case matters.
    fn from_str(text: &str) -> Result<Self, UnknownRequirement> {
        [Self::Required, Self::Optional, Self::NotAllowed]
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| UnknownRequirement(clearkey::quote(text)))
    }
}
