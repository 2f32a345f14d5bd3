//! EME's `getStatusForPolicy()`.

use crate::Error;

/// What an application would want of the output; EME's `MediaKeysPolicy`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MediaKeysPolicy {
    /// The lowest version of HDCP: `1.0` to `1.4`, `2.0` to `2.3`, or empty for none.
    pub min_hdcp_version: Option<String>,
}

/// The registry of HDCP versions.
const HDCP: [&str; 9] = ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1", "2.2", "2.3"];

/// Whether a policy can be answered.
pub(crate) fn check_policy(policy: &MediaKeysPolicy) -> Result<(), Error> {
    match policy.min_hdcp_version.as_deref() {
        None => Err(Error::PolicyEmpty),
        Some(version) if version.is_empty() || HDCP.contains(&version) => Ok(()),
        Some(version) => Err(Error::PolicyHdcp { found: clearkey::quote(version) }),
    }
}
