//! What calculations leave behind on the stack.

use std::hint::black_box;

/// Octets: deeper than any call into a kernel goes, with the room where blocks are gathered.
/// The stacks of loom's threads have no room for it.
const DEPTH: usize = if cfg!(loom) { 4 << 10 } else { 32 << 10 };

/// Overwrites what calls that have returned have left on the stack of this thread: registers that held a key, or round
/// keys, may have been put aside there. Whoever calls this must have made those calls from the same place, and they
/// must be calls: what is inlined is not below.
#[inline(never)]
pub(crate) fn wipe_below() {
    black_box(&mut [0_u64; DEPTH / size_of::<u64>()]);
}
