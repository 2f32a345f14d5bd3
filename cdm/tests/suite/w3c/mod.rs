//! Those of W3C's web-platform-tests for ClearKey that need no media element, told again: one file for
//! each of theirs, under its name.

mod clearkey_check_encryption_scheme;
mod clearkey_check_initdata_type;
mod clearkey_check_status_for_hdcp;
mod clearkey_events;
mod clearkey_events_session_closed_event;
mod clearkey_generate_request_disallowed_input;
mod clearkey_invalid_license;
mod clearkey_keystatuses;
mod clearkey_keystatuses_multiple_sessions;
mod clearkey_mp4_requestmediakeysystemaccess;
mod clearkey_mp4_syntax_mediakeys;
mod clearkey_mp4_syntax_mediakeysession;
mod clearkey_mp4_syntax_mediakeysystemaccess;
mod clearkey_mp4_update_disallowed_input;
mod clearkey_not_callable_after_createsession;
mod clearkey_update_non_ascii_input;
