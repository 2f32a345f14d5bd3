//! The interface's values and `cdm`'s.

use cdm::MediaKeyStatus;
use cdm_abi::{Exception, HdcpVersion, InitDataType, KeyStatus, MessageType, SessionType};

pub(crate) fn session_type(session_type: SessionType) -> Option<cdm::SessionType> {
    match session_type {
        SessionType::TEMPORARY => Some(cdm::SessionType::Temporary),
        SessionType::PERSISTENT_LICENSE => Some(cdm::SessionType::PersistentLicense),
        _ => None,
    }
}

/// The name of a format; one that no format has, for a number that means none.
pub(crate) fn init_data_type(init_data_type: InitDataType) -> &'static str {
    match init_data_type {
        InitDataType::CENC => "cenc",
        InitDataType::KEY_IDS => "keyids",
        InitDataType::WEBM => "webm",
        _ => "unknown",
    }
}

/// A version as a page writes it.
pub(crate) fn min_hdcp_version(version: HdcpVersion) -> &'static str {
    match version {
        HdcpVersion::NONE => "",
        HdcpVersion::V1_0 => "1.0",
        HdcpVersion::V1_1 => "1.1",
        HdcpVersion::V1_2 => "1.2",
        HdcpVersion::V1_3 => "1.3",
        HdcpVersion::V1_4 => "1.4",
        HdcpVersion::V2_0 => "2.0",
        HdcpVersion::V2_1 => "2.1",
        HdcpVersion::V2_2 => "2.2",
        HdcpVersion::V2_3 => "2.3",
        _ => "unknown",
    }
}

/// The interface has no other: what concerns access to the key system is the host's business.
pub(crate) fn exception(exception: cdm::Exception) -> Exception {
    match exception {
        cdm::Exception::Type => Exception::TYPE_ERROR,
        cdm::Exception::NotSupported => Exception::NOT_SUPPORTED_ERROR,
        cdm::Exception::QuotaExceeded => Exception::QUOTA_EXCEEDED_ERROR,
        _ => Exception::INVALID_STATE_ERROR,
    }
}

/// `UsableInFuture` is since version 12; ClearKey never says it.
pub(crate) fn key_status(status: MediaKeyStatus) -> KeyStatus {
    match status {
        MediaKeyStatus::Usable => KeyStatus::USABLE,
        MediaKeyStatus::Expired => KeyStatus::EXPIRED,
        MediaKeyStatus::Released => KeyStatus::RELEASED,
        MediaKeyStatus::OutputRestricted => KeyStatus::OUTPUT_RESTRICTED,
        MediaKeyStatus::OutputDownscaled => KeyStatus::OUTPUT_DOWNSCALED,
        MediaKeyStatus::UsableInFuture => KeyStatus::USABLE_IN_FUTURE,
        MediaKeyStatus::StatusPending => KeyStatus::STATUS_PENDING,
        MediaKeyStatus::InternalError => KeyStatus::INTERNAL_ERROR,
    }
}

pub(crate) fn message_type(message_type: cdm::MessageType) -> MessageType {
    match message_type {
        cdm::MessageType::LicenseRequest => MessageType::LICENSE_REQUEST,
        cdm::MessageType::LicenseRenewal => MessageType::LICENSE_RENEWAL,
        cdm::MessageType::LicenseRelease => MessageType::LICENSE_RELEASE,
        cdm::MessageType::IndividualizationRequest => MessageType::INDIVIDUALIZATION_REQUEST,
    }
}
