//! The command as its users run it: the real binary over other tools' files, over files made here,
//! and over wrong ones.
//!
//! `boxes` and `samples` are readers of MP4 that share no code with the command, and `frames` is one of WebM;
//! `make` writes files
//! together with what has to become of them.
#![forbid(unsafe_code)]
// Tests may panic, and their files are far smaller than 4 GiB.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod boxes;
mod frames;
mod make;
mod marks;
mod samples;
mod support;

mod bench;
mod encrypt;
mod encrypt_webm;
mod exchange;
mod faults;
mod fixtures;
mod generated;
mod hostile;
mod inspect;
mod manifests;
mod output;
mod refusals;
mod serve;
mod wrong_input;
mod wrong_key;
