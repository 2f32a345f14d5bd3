//! Finds what Common Encryption protects in a media file, decrypts it, and restores the file.
//!
//! ```text
//! bytes ── Planner ──▶ Plan ── resolve(keys) ──▶ ReadyPlan ── apply(window) ──▶ bytes
//! ```
//! A [`Planner`] cuts an input into units and turns each into a [`Plan`], which is a
//! pure function of the bytes. With keys it becomes a [`ReadyPlan`], which is the only thing here
//! that writes. Nothing here opens a file: inputs are [`ReadAt`], outputs are slices.
//!
//! An [`encrypt::Encryptor`] goes the other way: its plans come with their keys, say what goes into the
//! file, and are applied by [`ReadyPlan::encrypt`] and [`ReadyPlan::pieces`].
//!
//! A [`Verifier`] looks at samples between the two halves of `apply`, `decrypt` and `edit`, and tells which
//! keys look wrong.
//!
//! A [`Description`] is what a player is told of a file, and a [`SegmentIndex`] where its segments lie.
//!
//! Lengths stay: what protection leaves behind becomes padding, so that every offset in the file
//! still holds. Who wants it out instead takes [`ReadyPlan::discards`] out, and lets [`Relocation`]
//! and [`Planner::relocate`] correct the offsets.
//!
//! ```
//! use std::{collections::BTreeSet, sync::Arc};
//! use container::{Planner, Step, Window};
//!
//! # fn main() -> Result<(), container::Error> {
//! # let mut file = include_bytes!("../../fixtures/media/shaka_cenc_avc_aac_audio.mp4").to_vec();
//! let key = Arc::new(cenc::Key::new(b"\x55\x07\x27\xde\x4c\x96\xef\x1e\xcf\xf8\x74\x90\x54\x93\x58\x0f"));
//! let mut planner = Planner::new();
//! let mut samples = 0;
//! while let Step::Unit(plan) = planner.next_unit(&Window::new(0, &file), true)? {
//!     let plan = plan.resolve(&|_, _: &_| Some(key.clone()), &BTreeSet::new())?;
//!     let unit = plan.plan().range();
//!     plan.apply(unit.start, &mut file[unit.start as usize..unit.end as usize])?;
//!     samples += plan.plan().samples().len();
//! }
//! assert_eq!(samples, 189);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

// Tests in `tests/` share files with the fuzzers.
#[cfg(any(test, fuzzing))]
extern crate self as container;

mod apply;
mod demand;
mod description;
mod edit;
pub mod encrypt;
mod error;
mod fourcc;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
pub mod mp4;
mod near;
mod plan;
mod planner;
mod relocation;
mod source;
mod stop;
mod verify;
pub mod webm;

pub use codec::{Named, Sound, Verdict};

pub use {
    apply::{KeySource, ReadyPlan},
    demand::KeyDemand,
    description::{
        Description, EntryDescription, FileFormat, Segment, SegmentIndex, TrackDescription,
    },
    edit::{Change, Edit},
    error::{Error, Place},
    fourcc::FourCc,
    plan::{
        AuxInfo, EntryProtection, EntrySummary, InitData, Plan, Protection, Sample, Scope, Track,
    },
    planner::{Planner, Step},
    relocation::Relocation,
    source::{ReadAt, Window},
    verify::{Finding, Verifier},
};
