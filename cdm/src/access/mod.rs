//! What the CDM can be asked for: EME's `requestMediaKeySystemAccess()` and what it compares.

mod capability;
mod codecs;
mod configuration;
mod content_type;
mod policy;
mod supported;

#[cfg(test)]
mod vectors;

pub use capability::CapabilityRefusal;
pub use configuration::{
    MediaKeySystemConfiguration, MediaKeySystemMediaCapability, MediaKeysRequirement,
};
pub use content_type::{ContentType, MediaKind};
pub use policy::MediaKeysPolicy;
pub use supported::Refusal;

pub(crate) use policy::check_policy;
pub(crate) use supported::{Support, select};
