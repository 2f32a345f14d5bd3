//! What no fixture has, in files made here. Each is decrypted in every way, and has to become exactly
//! the file that the generator writes without protection.

mod aux_info;
mod entries;
mod groups;
mod layout;
mod schemes;
