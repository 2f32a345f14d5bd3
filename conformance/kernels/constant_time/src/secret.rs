//! Octets that nothing may depend on.

use crabgrind::memcheck::{self, MemState};

/// From here on these are secret: unset, as valgrind sees it.
pub(crate) fn hide(octets: &mut [u8]) {
    mark(octets, MemState::Undefined);
}

/// The same of a text, which stays as it is.
#[cfg(feature = "texts")]
pub(crate) fn hide_text(text: &str) {
    let _ = memcheck::mark_mem(text.as_ptr().cast_mut().cast(), text.len(), MemState::Undefined);
}

/// These may be looked at again.
pub(crate) fn show(octets: &mut [u8]) {
    mark(octets, MemState::Defined);
}

fn mark(octets: &mut [u8], state: MemState) {
    // An empty slice has no address that valgrind could know.
    if !octets.is_empty() {
        // Its answer takes valgrind's yes for a no. What came of it, `hidden` asks.
        let _ = memcheck::mark_mem(octets.as_mut_ptr().cast(), octets.len(), state);
    }
}

/// Of each octet, whether all of its bits are secret, or none is.
pub(crate) fn hidden(octets: &mut [u8]) -> Result<Vec<bool>, String> {
    let mut bits = vec![0_u8; octets.len()];
    if !octets.is_empty() {
        memcheck::vbits(octets.as_mut_ptr().cast(), bits.as_mut_ptr(), octets.len())
            .map_err(|error| format!("valgrind does not say what is secret: {error:?}"))?;
    }
    let is_hidden = |(at, bits)| match bits {
        0 => Ok(false),
        0xff => Ok(true),
        bits => Err(format!("octet {at} is secret in part: {bits:#010b}")),
    };
    bits.into_iter().enumerate().map(is_hidden).collect()
}
