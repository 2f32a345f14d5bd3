//! The ceilings of every loop and allocation that a file could push.

/// Boxes within boxes. From `moov` down to `tenc` is ten.
pub(crate) const DEPTH: usize = 16;

/// Bytes of one `moov`, `moof`, `sidx` or `mfra`, which are read whole. The header of a ten-hour
/// progressive film with its `senc` is about 100 MiB.
pub(crate) const HEADER: u64 = 512 << 20;

/// Samples of no bytes in a run that states no sizes. They cost a file nothing, so a file could
/// state four thousand million of them in twenty bytes.
pub(crate) const EMPTY_RUN: u64 = 1024;

/// Protected samples in one unit. Each takes 32 bytes of a plan, and mostly 16 for an IV, but as
/// little as one byte of a file. A ten-hour progressive film has four million.
pub(crate) const SAMPLES: u64 = 1 << 24;
