//! Files cut off: everywhere, and around the borders of each box.

use std::collections::BTreeSet;

use crate::{
    boxes::walk,
    wrong_input::{Victim, decrypt},
};

/// 200 places over the file, and each border of a box with its neighbours.
pub(super) fn places(file: &[u8]) -> BTreeSet<usize> {
    let even = (0..200).map(|place| file.len() * place / 200);
    let borders = walk(file).into_iter().flat_map(|boxed| [boxed.at, boxed.body, boxed.end]);
    let around = borders.flat_map(|at| [at.saturating_sub(1), at, at + 1]);
    even.chain(around).filter(|&at| at < file.len()).collect()
}

/// A file cut behind a fragment is a shorter film. Anywhere else it is refused.
#[test]
fn what_is_whole_is_decrypted_or_all_is_refused() {
    for victim in Victim::all() {
        let Victim { name, protected, clear, keys } = &victim;
        let (mut refused, mut shorter) = (0, 0);
        for cut in places(protected) {
            match decrypt(&protected[..cut], keys) {
                Err(_) => refused += 1,
                Ok(output) => {
                    assert!(output == clear[..cut], "{name}, cut at {cut}");
                    shorter += 1;
                }
            }
        }
        assert!(refused >= 200 - shorter, "{name}: {refused} cuts are refused, {shorter} are not");
        let has_fragments = walk(protected).iter().any(|boxed| boxed.is(b"moof"));
        assert_eq!(shorter > 0, has_fragments, "{name}: {shorter} cuts are not refused");
    }
}
