//! What a session tells its application without being asked.

use std::fmt;

/// An event of a session.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A status or the set of keys has changed, or was told anew: a license that replaces keys under
    /// known ids is visible by nothing else. Ask
    /// [`key_statuses`](crate::MediaKeySession::key_statuses).
    KeyStatusesChange,
    /// Something for the license server, or for whoever stands in for it.
    Message {
        /// What it is.
        message_type: MessageType,
        /// JSON in UTF-8: a [`LicenseRequest`](clearkey::LicenseRequest) or a
        /// [`LicenseRelease`](clearkey::LicenseRelease).
        message: Vec<u8>,
    },
}

impl SessionEvent {
    /// The kind of the event, which listeners are registered for.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::KeyStatusesChange => EventType::KeyStatusesChange,
            Self::Message { .. } => EventType::Message,
        }
    }
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventType {
    /// `keystatuseschange`
    KeyStatusesChange,
    /// `message`
    Message,
}

impl EventType {
    /// The name, as a page sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyStatusesChange => "keystatuseschange",
            Self::Message => "message",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a message is; EME's `MediaKeyMessageType`, which is complete.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MessageType {
    /// Asks for keys.
    LicenseRequest,
    /// Never sent by ClearKey.
    LicenseRenewal,
    /// Says that keys are destroyed.
    LicenseRelease,
    /// Never sent by ClearKey.
    IndividualizationRequest,
}

impl MessageType {
    /// The name, as a page sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LicenseRequest => "license-request",
            Self::LicenseRenewal => "license-renewal",
            Self::LicenseRelease => "license-release",
            Self::IndividualizationRequest => "individualization-request",
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
