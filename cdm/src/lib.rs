//! MediaKeySystemAccess, MediaKeys and MediaKeySession.
#![forbid(unsafe_code)]
