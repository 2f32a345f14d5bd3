//! Boxes with wrong sizes.

use crate::{
    boxes::{BoxAt, walk},
    wrong_input::{Victim, decrypt, has_clear_samples},
};

/// A file with one wrong size: what is wrong, and the file.
pub(super) type Wrong = (String, Vec<u8>);

/// Every box with sizes that no box has, or that lead elsewhere.
pub(super) fn wrong_sizes(file: &[u8]) -> impl Iterator<Item = Wrong> + '_ {
    walk(file).into_iter().flat_map(|boxed| {
        let mut wrong: Vec<_> =
            [0, 1, 7, 1 << 31].into_iter().map(|size| overwritten(file, &boxed, size)).collect();
        wrong.extend(boxed.is_top().then(|| endless(file, &boxed)));
        wrong
    })
}

/// Sets the size of a box: in 64 bits where it stands there. Where it does not, a size of 1 makes a
/// 64-bit size of what follows.
fn overwritten(file: &[u8], boxed: &BoxAt, size: u32) -> Wrong {
    let mut wrong = file.to_vec();
    if file[boxed.at..boxed.at + 4] == [0, 0, 0, 1] {
        wrong[boxed.at + 8..boxed.at + 16].copy_from_slice(&u64::from(size).to_be_bytes());
    } else {
        wrong[boxed.at..boxed.at + 4].copy_from_slice(&size.to_be_bytes());
    }
    (format!("{} at byte {} with size {size}", boxed.path, boxed.at), wrong)
}

/// Gives a box a 64-bit size of 2^64 - 1.
fn endless(file: &[u8], boxed: &BoxAt) -> Wrong {
    let header = [&[0, 0, 0, 1], boxed.kind.as_slice(), &[0xff; 8]].concat();
    let wrong = [&file[..boxed.at], &header, &file[boxed.at + 8..]].concat();
    (format!("{} at byte {} without an end", boxed.path, boxed.at), wrong)
}

#[test]
fn all_samples_are_decrypted_or_all_is_refused() {
    let mut failures = Vec::new();
    for victim in Victim::all() {
        let (mut refused, mut harmless) = (0, 0);
        for (what, wrong) in wrong_sizes(&victim.protected) {
            match decrypt(&wrong, &victim.keys) {
                Err(_) => refused += 1,
                Ok(output) => {
                    let is_endless = what.ends_with("without an end");
                    let all = output.len() == wrong.len() && has_clear_samples(&victim, &output);
                    if is_endless || !all {
                        failures.push(format!("{}: {what}", victim.name));
                    }
                    harmless += 1;
                }
            }
        }
        assert!(refused > harmless, "{}: {refused} are refused, {harmless} not", victim.name);
    }
    assert!(failures.is_empty(), "not refused, and not decrypted: {failures:#?}");
}
