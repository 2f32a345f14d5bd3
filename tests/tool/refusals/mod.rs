//! What is refused: with which exit code, with what message, and that nothing is left behind.

mod boxes;
mod missing_keys;
mod usage;
