//! One entry of `audioCapabilities` or `videoCapabilities` (EME, "Get Supported Capabilities for
//! Audio/Video Type").

use thiserror::Error as ThisError;

use super::{ContentType, MediaKeySystemMediaCapability, MediaKind, Support};

/// Why a capability is not supported.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[non_exhaustive]
pub enum CapabilityRefusal {
    /// The content type is empty, which fails the whole list.
    #[error("an empty contentType")]
    Empty,

    /// The content type is none, or has a parameter that is not known.
    #[error("\"{content_type}\" is no MIME type with codecs")]
    Malformed {
        /// The text, quoted.
        content_type: String,
    },

    /// The container or a codec is not known, does not go with the other or the list, or no codec is
    /// named.
    #[error("\"{content_type}\" is not supported")]
    ContentType {
        /// The text, quoted.
        content_type: String,
    },

    /// Not one of the schemes that EME names and this project decrypts.
    #[error("encryptionScheme \"{scheme}\" is not supported")]
    EncryptionScheme {
        /// The text, quoted.
        scheme: String,
    },

    /// ClearKey has no levels of robustness.
    #[error("robustness \"{robustness}\" is not supported")]
    Robustness {
        /// The text, quoted.
        robustness: String,
    },
}

/// EME's registry of encryption schemes; `cens` and `cbc1` are not in it.
const SCHEMES: [&str; 3] = ["cenc", "cbcs", "cbcs-1-9"];

/// Whether an entry is supported.
pub(super) fn check(
    asked: &MediaKeySystemMediaCapability,
    kind: MediaKind,
    support: &Support<'_>,
) -> Result<(), CapabilityRefusal> {
    let text = &asked.content_type;
    if text.is_empty() {
        return Err(CapabilityRefusal::Empty);
    }
    let quoted = || clearkey::quote(text);
    let content_type = ContentType::parse(text)
        .ok_or_else(|| CapabilityRefusal::Malformed { content_type: quoted() })?;
    if !(support.content_type)(&content_type, kind) {
        return Err(CapabilityRefusal::ContentType { content_type: quoted() });
    }
    match &asked.encryption_scheme {
        Some(scheme) if !SCHEMES.contains(&&**scheme) => {
            Err(CapabilityRefusal::EncryptionScheme { scheme: clearkey::quote(scheme) })
        }
        _ if !asked.robustness.is_empty() => {
            Err(CapabilityRefusal::Robustness { robustness: clearkey::quote(&asked.robustness) })
        }
        _ => Ok(()),
    }
}
