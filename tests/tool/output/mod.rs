//! Where output goes, and what is said of it.

mod messages;
mod targets;
mod threads;
