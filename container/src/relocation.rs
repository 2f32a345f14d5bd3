//! Where bytes go when pieces of an input are taken out, or others put in.

use std::ops::Range;

use crate::{Change, Edit};

/// The pieces that are taken out of an input and those that are put in, and what that does to offsets
/// and lengths.
#[derive(Clone, Debug, Default)]
pub struct Relocation {
    pieces: Vec<Piece>,
}

/// Bytes that go, or that come in before what stands at `old.start`.
#[derive(Clone, Debug)]
struct Piece {
    old: Range<u64>,
    /// Bytes put in, and where the innermost box or element begins that they are a part of.
    new: u64,
    owner: u64,
    /// Bytes taken out and put in by all pieces up to the end of this one.
    removed: u64,
    inserted: u64,
}

impl Relocation {
    /// Nothing moves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out a piece that lies behind all others.
    ///
    /// # Panics
    /// If it does not: plans come in order, and their edits do too.
    pub fn remove(&mut self, piece: Range<u64>) {
        self.push(piece, 0, 0);
    }

    /// Puts `len` bytes in before what stands at `at`, behind all other pieces. They are a part of the box
    /// or element that begins at `owner`, and of all around that one.
    ///
    /// # Panics
    /// If they do not come in order, as [`remove`](Self::remove).
    pub fn insert(&mut self, at: u64, len: u64, owner: u64) {
        self.push(at..at, len, owner);
    }

    fn push(&mut self, old: Range<u64>, new: u64, owner: u64) {
        let (end, removed, inserted) = self
            .pieces
            .last()
            .map_or((0, 0, 0), |last| (last.old.end, last.removed, last.inserted));
        assert!(end <= old.start && old.start <= old.end, "pieces come in order");
        let removed = removed + (old.end - old.start);
        self.pieces.push(Piece { old, new, owner, removed, inserted: inserted + new });
    }

    /// Takes note of all that an edit moves.
    ///
    /// # Panics
    /// As [`remove`](Self::remove).
    pub fn add(&mut self, edit: &Edit) {
        match &edit.change {
            Change::Overwrite(_) => {}
            Change::Discard { .. } | Change::Checksum { .. } => self.remove(edit.range()),
            Change::Shift { filler, .. } => {
                let end = edit.range().end;
                self.remove(end - filler.len() as u64..end);
            }
            Change::Insert { bytes, owner } => self.insert(edit.at, bytes.len() as u64, *owner),
        }
    }

    /// Whether all offsets stay as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The new offset of what was at `at`; of what was taken out, the offset of what followed it.
    #[must_use]
    pub fn moved(&self, at: u64) -> u64 {
        let index = self.pieces.partition_point(|piece| piece.old.end <= at);
        let (removed, inserted) = index
            .checked_sub(1)
            .map_or((0, 0), |last| (self.pieces[last].removed, self.pieces[last].inserted));
        let inside = match self.pieces.get(index) {
            Some(piece) => at.saturating_sub(piece.old.start),
            None => 0,
        };
        (at - removed - inside).saturating_add(inserted)
    }

    /// The new length of what was `range`.
    #[must_use]
    pub fn len(&self, range: Range<u64>) -> u64 {
        self.moved(range.end) - self.moved(range.start)
    }

    /// The new length of the box or element that was `range`. What is put in at its end is a part of it if
    /// it, or something in it, owns that.
    #[must_use]
    pub fn size(&self, range: Range<u64>) -> u64 {
        let first = self.pieces.partition_point(|piece| piece.old.end < range.end);
        let at_end = self.pieces[first..].iter().take_while(|piece| piece.old.start <= range.end);
        let behind = at_end
            .filter(|piece| piece.old.is_empty() && piece.owner < range.start)
            .map(|piece| piece.new);
        self.len(range.clone()) - behind.sum::<u64>()
    }

    /// What stays of `range`.
    pub fn kept(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> + '_ {
        let first = self.pieces.partition_point(|piece| piece.old.end <= range.start);
        let removed = self.pieces[first..].iter().map(|piece| piece.old.clone());
        let pieces = removed.filter(|piece| !piece.is_empty());
        let pieces = pieces.take_while(move |piece| piece.start < range.end);
        let mut at = range.start;
        pieces
            .chain(std::iter::once(range.end..range.end))
            .map(move |piece| {
                let kept = at..piece.start.max(at);
                at = piece.end;
                kept
            })
            .filter(|kept| !kept.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn two_pieces() -> Relocation {
        let mut relocation = Relocation::new();
        relocation.remove(10..20);
        relocation.remove(30..35);
        relocation
    }

    #[test]
    fn offsets_move_by_what_is_taken_out_before_them() {
        let cases = [(0, 0), (10, 10), (15, 10), (20, 10), (29, 19), (30, 20), (34, 20), (35, 20)];
        for (old, new) in cases {
            assert_eq!(two_pieces().moved(old), new, "{old}");
        }
        assert_eq!(two_pieces().moved(u64::MAX), u64::MAX - 15);
        assert_eq!(two_pieces().len(5..40), 20);
    }

    #[test]
    fn what_stays_of_a_range_is_what_was_not_taken_out() {
        let kept = |range| two_pieces().kept(range).collect::<Vec<_>>();
        assert_eq!(kept(0..40), [0..10, 20..30, 35..40]);
        let between = 20..30;
        assert_eq!(kept(12..32), [between]);
        assert_eq!(kept(10..20), []);
        let behind = 35..36;
        assert_eq!(kept(35..36), [behind]);
    }

    #[test]
    #[should_panic(expected = "in order")]
    fn pieces_come_in_order() {
        two_pieces().remove(0..1);
    }

    #[test]
    fn what_is_put_in_belongs_to_its_owner_and_all_around_it() {
        // A box at 0..100 with children at 8..40, 40..80 (with one of its own at 60..80) and 80..100.
        let mut relocation = Relocation::new();
        relocation.insert(40, 5, 0);
        relocation.insert(80, 7, 60);
        relocation.remove(80..90);
        let sizes = [(0..100, 102), (8..40, 32), (40..80, 47), (60..80, 27), (80..100, 10)];
        for (range, size) in sizes {
            assert_eq!(relocation.size(range.clone()), size, "{range:?}");
        }
        let offsets = [(39, 39), (40, 45), (79, 84), (80, 92), (90, 92), (100, 102)];
        for (old, new) in offsets {
            assert_eq!(relocation.moved(old), new, "{old}");
        }
        assert_eq!(relocation.kept(30..95).collect::<Vec<_>>(), [30..80, 90..95]);
    }

    #[test]
    fn without_pieces_all_stays() {
        let nothing = Relocation::new();
        assert!(nothing.is_empty() && !two_pieces().is_empty());
        assert_eq!(nothing.moved(u64::MAX), u64::MAX);
        let all = 3..9;
        assert_eq!(nothing.kept(3..9).collect::<Vec<_>>(), [all]);
        assert_eq!(nothing.kept(3..3).count(), 0);
    }

    proptest! {
        /// The oracle copies bytes one by one, without some of them and with others in between.
        #[test]
        fn offsets_keep_their_order_as_bytes_come_and_go(
            pieces in vec((0_usize..20, 0_usize..20, any::<bool>()), 0..8),
            cuts in [0_usize..340, 0..340, 0..340],
        ) {
            let mut relocation = Relocation::new();
            let (mut stays, mut comes) = (vec![true; 340], vec![0; 340]);
            let mut at = 0;
            for (gap, len, is_new) in pieces {
                at += gap;
                if is_new {
                    comes[at] += len;
                    relocation.insert(at as u64, len as u64, 0);
                } else {
                    stays[at..at + len].fill(false);
                    relocation.remove(at as u64..(at + len) as u64);
                    at += len;
                }
            }
            let (mut new, mut last) = (0, 0);
            for at in 0..340 {
                new += comes[at];
                let moved = relocation.moved(at as u64);
                prop_assert_eq!(moved, new as u64, "{}", at);
                prop_assert!(last <= moved);
                last = moved;
                new += usize::from(stays[at]);
            }
            let [a, b, c] = { let mut cuts = cuts; cuts.sort_unstable(); cuts.map(|at| at as u64) };
            prop_assert_eq!(relocation.len(a..b) + relocation.len(b..c), relocation.len(a..c));
        }

        /// The oracle deletes bytes one by one.
        #[test]
        fn offsets_are_those_of_the_bytes_that_stay(
            pieces in vec((0_usize..20, 0_usize..20), 0..8),
            range in (0_usize..330, 0_usize..330),
        ) {
            let mut relocation = Relocation::new();
            let mut stays = vec![true; 340];
            let mut at = 0;
            for (gap, len) in pieces {
                let piece = at + gap..at + gap + len;
                stays[piece.clone()].fill(false);
                at = piece.end;
                relocation.remove(piece.start as u64..piece.end as u64);
            }
            let mut new = 0;
            for (at, &stays) in stays.iter().enumerate() {
                prop_assert_eq!(relocation.moved(at as u64), new, "{}", at);
                new += u64::from(stays);
            }
            let range = range.0.min(range.1)..range.0.max(range.1);
            let kept: Vec<_> = relocation.kept(range.start as u64..range.end as u64).collect();
            prop_assert!(kept.iter().all(|kept| kept.start < kept.end));
            let found: Vec<_> = kept.into_iter().flatten().collect();
            let expected: Vec<_> = range.clone().filter(|&at| stays[at]).map(|at| at as u64).collect();
            let len = relocation.len(range.start as u64..range.end as u64);
            prop_assert_eq!(len, expected.len() as u64);
            prop_assert_eq!(found, expected);
        }
    }
}
