//! Changes outside of samples.

use std::ops::Range;

/// A change outside of samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Offset of the first byte changed.
    pub at: u64,
    /// What changes.
    pub change: Change,
    /// The scope it goes with: none is for what may only go if nothing of the unit is left encrypted.
    pub scope: Option<u32>,
}

/// The kinds of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These bytes replace as many.
    Overwrite(Vec<u8>),
    /// A piece that has lost its purpose. Its first bytes become `filler`, which makes it padding,
    /// and the rest zero; or all of it is cut out, where lengths may change.
    Discard {
        /// Its length in bytes.
        len: u64,
        /// What makes it padding: the header of a `free` box of that length.
        filler: Vec<u8>,
    },
    /// These bytes go in before what stands at the edit's offset. Only a [`Relocation`] makes room for
    /// them.
    ///
    /// [`Relocation`]: crate::Relocation
    Insert {
        /// What goes in.
        bytes: Vec<u8>,
        /// Where the innermost box or element begins that they are a part of.
        owner: u64,
    },
    /// A sample moves to the left over what protection has put in front of it: these bytes, then the
    /// sample, and behind it what makes the gap padding, or is cut out where lengths may change.
    Shift {
        /// What stands before the sample.
        head: Vec<u8>,
        /// Length of the sample, which is the end of what changes before it moves.
        len: u64,
        /// A whole `Void` element.
        filler: Vec<u8>,
    },
    /// A checksum over what changes, in any scope: it becomes padding.
    Checksum {
        /// A whole `Void` element.
        filler: Vec<u8>,
    },
}

impl Edit {
    /// The bytes it touches: none, where some go in between.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let len = match &self.change {
            Change::Overwrite(bytes) => bytes.len() as u64,
            Change::Discard { len, .. } => *len,
            Change::Insert { .. } => 0,
            Change::Shift { head, len, filler } => (head.len() + filler.len()) as u64 + len,
            Change::Checksum { filler } => filler.len() as u64,
        };
        self.at..self.at + len
    }

    /// Whether it moves a sample.
    #[must_use]
    pub fn is_shift(&self) -> bool {
        matches!(self.change, Change::Shift { .. })
    }

    /// Writes the part of this change that falls into `window`, whose first byte is at `from`. What goes
    /// in between bytes is not in any window, and what moves is in one as a whole or not at all.
    pub fn write(&self, from: u64, window: &mut [u8]) {
        let range = self.range();
        let new = match &self.change {
            Change::Overwrite(bytes) => bytes,
            Change::Discard { filler, .. } | Change::Checksum { filler } => filler,
            Change::Insert { .. } => return,
            Change::Shift { head, len, filler } => {
                let inside = range.start.checked_sub(from).map(index);
                let whole = inside.and_then(|start| {
                    window.get_mut(start..start + index(range.end - range.start))
                });
                return whole.map_or((), |whole| shift(whole, head, index(*len), filler));
            }
        };
        let start = range.start.max(from);
        let end = range.end.min(from + window.len() as u64);
        if start >= end {
            return;
        }
        let [start, end] = [start - from, end - from].map(index);
        let touched = &mut window[start..end];
        let skipped = index(from.saturating_sub(range.start));
        let new = new.get(skipped..).unwrap_or_default();
        let (written, zeroed) = touched.split_at_mut(new.len().min(touched.len()));
        written.copy_from_slice(&new[..written.len()]);
        zeroed.fill(0);
    }
}

/// Moves the last `len` bytes of what changes to behind the new head, and fills the rest.
fn shift(bytes: &mut [u8], head: &[u8], len: usize, filler: &[u8]) {
    let end = bytes.len();
    bytes.copy_within(end - len.., head.len());
    bytes[..head.len()].copy_from_slice(head);
    bytes[end - filler.len()..].copy_from_slice(filler);
}

/// A distance inside of a slice.
fn index(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn an_edit_in_pieces_is_the_edit_at_once(
            edit in any_edit(),
            cuts in vec(0_u64..80, 0..6),
        ) {
            let from = 990;
            let mut whole = vec![0xaa; 80];
            edit.write(from, &mut whole);

            let mut cuts = [cuts, vec![0, 80]].concat();
            cuts.sort_unstable();
            let mut pieces = vec![0xaa; 80];
            for cut in cuts.windows(2) {
                let piece = &mut pieces[usize::try_from(cut[0]).unwrap()..usize::try_from(cut[1]).unwrap()];
                edit.write(from + cut[0], piece);
            }
            prop_assert_eq!(&pieces, &whole);

            let range = edit.range();
            for (at, byte) in (from..).zip(&whole) {
                if !range.contains(&at) {
                    prop_assert_eq!(*byte, 0xaa, "byte {}", at);
                }
            }
            let start = usize::try_from(range.start - from).unwrap();
            let (written, zeroed) = match &edit.change {
                Change::Overwrite(bytes) => (bytes, 0),
                Change::Discard { len, filler } => (filler, usize::try_from(*len).unwrap() - filler.len()),
                Change::Insert { .. } | Change::Shift { .. } | Change::Checksum { .. } => {
                    unreachable!("not one of these")
                }
            };
            let (new, rest) = whole[start..].split_at(written.len());
            prop_assert_eq!(new, written.as_slice());
            prop_assert_eq!(&rest[..zeroed], vec![0; zeroed]);
        }
    }

    /// An edit within bytes 990 to 1070.
    fn any_edit() -> impl Strategy<Value = Edit> {
        let overwrite = vec(any::<u8>(), 0..20).prop_map(Change::Overwrite);
        let discard = (vec(any::<u8>(), 0..20), 0_u64..20)
            .prop_map(|(filler, more)| Change::Discard { len: filler.len() as u64 + more, filler });
        (990_u64..1030, prop_oneof![overwrite, discard]).prop_map(|(at, change)| Edit {
            at,
            change,
            scope: None,
        })
    }

    /// A sample of five bytes that ends at 1020 and moves from 1015 to 1012.
    fn shift() -> Edit {
        let change = Change::Shift { head: vec![1, 2], len: 5, filler: vec![0xEC, 0x81, 0] };
        Edit { at: 1010, change, scope: None }
    }

    #[test]
    fn a_shift_moves_a_sample_to_behind_the_new_head() {
        let edit = shift();
        assert_eq!(edit.range(), 1010..1020);
        let mut window: Vec<u8> = (0..14).collect();
        edit.write(1008, &mut window);
        assert_eq!(window, [0, 1, 1, 2, 7, 8, 9, 10, 11, 0xEC, 0x81, 0, 12, 13]);
        // Whole or not at all.
        for (from, len) in [(1011, 20), (1008, 11), (900, 50), (1020, 5)] {
            let mut window = vec![7; len];
            edit.write(from, &mut window);
            assert_eq!(window, vec![7; len]);
        }
    }

    #[test]
    fn an_edit_elsewhere_changes_nothing() {
        let edit = Edit { at: 100, change: Change::Overwrite(vec![1, 2, 3]), scope: None };
        assert_eq!(edit.range(), 100..103);
        for from in [0, 95, 103, 104, u64::MAX - 5] {
            let mut window = [0xaa; 5];
            edit.write(from, &mut window);
            assert_eq!(window, [0xaa; 5], "{from}");
        }
        let mut window = [0xaa; 5];
        edit.write(99, &mut window);
        assert_eq!(window, [0xaa, 1, 2, 3, 0xaa]);
        edit.write(102, &mut window);
        assert_eq!(window, [3, 1, 2, 3, 0xaa]);
    }
}
