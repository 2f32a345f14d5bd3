//! A pointer and a length.

use std::{ffi::c_char, slice::from_raw_parts};

/// What a pointer and a length say: `None` for octets that are nowhere, and no octets whatever the
/// pointer is if the length is 0.
///
/// # Safety
///
/// Unless it is null, `data` points to `len` values that nobody writes as long as the result is used.
#[must_use]
pub unsafe fn slice<'a, T>(data: *const T, len: u32) -> Option<&'a [T]> {
    if len == 0 {
        return Some(&[]);
    }
    if data.is_null() || !data.is_aligned() {
        return None;
    }
    // SAFETY: not null and aligned, as seen above; the rest is the caller's to uphold. A length of 32
    // bits times the small values of this interface is less than `isize::MAX`.
    Some(unsafe { from_raw_parts(data, len as usize) })
}

/// The same for text, which may be none.
///
/// # Safety
///
/// As [`slice()`].
#[must_use]
pub unsafe fn text<'a>(data: *const c_char, len: u32) -> Option<&'a str> {
    // SAFETY: the caller upholds it.
    unsafe { slice(data.cast::<u8>(), len) }.and_then(|octets| str::from_utf8(octets).ok())
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn a_null_pointer_makes_no_slice() {
        let nowhere = ptr::null::<u32>();
        // SAFETY: null pointers are allowed.
        unsafe {
            assert_eq!(slice(nowhere, 0), Some(&[][..]));
            assert_eq!(slice(nowhere, 1), None);
            assert_eq!(text(ptr::null(), 0), Some(""));
            assert_eq!(text(ptr::null(), 7), None);
        }
    }

    #[test]
    fn a_length_counts_and_not_a_nul() {
        let octets = *b"a\0bc";
        // SAFETY: the lengths are not beyond the array.
        unsafe {
            assert_eq!(slice(octets.as_ptr(), 3), Some(&b"a\0b"[..]));
            assert_eq!(text(octets.as_ptr().cast(), 4), Some("a\0bc"));
            assert_eq!(text([0xff_u8].as_ptr().cast(), 1), None);
        }
    }

    #[test]
    fn a_pointer_between_two_values_makes_no_slice() {
        let words = [0_u32; 3];
        let between = words.as_ptr().wrapping_byte_add(1);
        // SAFETY: a pointer that is not aligned is refused before it is used.
        assert_eq!(unsafe { slice(between, 1) }, None);
    }
}
