//! Panics stop here: one that left for C++ would end the browser's process.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` yields, or `fallback` if it panics.
///
/// What a panic leaves half done is this instance's own, and the caller's to give up.
pub(crate) fn or<T>(fallback: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(fallback)
}

#[cfg(test)]
mod tests {
    use super::or;

    #[test]
    fn a_panic_ends_here() {
        assert_eq!(or(1, || 2), 2);
        assert_eq!(or(1, || panic!("a panic that a test wants")), 1);
    }
}
