//! The messages between a CDM and a license server (EME, "Clear Key"): JSON in UTF-8.

mod cdm_message;
mod jwk;
mod license;
mod release;
mod request;
mod response;

pub use cdm_message::CdmMessage;
pub use jwk::{Jwk, KeyOctets};
pub use license::License;
pub use release::LicenseRelease;
pub use request::{Answer, LicenseRequest};
pub use response::Response;
