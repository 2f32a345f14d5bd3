//! Where bytes go when pieces of an input are taken out.

use std::ops::Range;

/// The pieces that are taken out of an input, and what that does to offsets and lengths.
#[derive(Clone, Debug, Default)]
pub struct Relocation {
    /// The pieces in order, each with the number of bytes removed up to its end.
    removed: Vec<(Range<u64>, u64)>,
}

impl Relocation {
    /// Nothing is taken out.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out a piece that lies behind all others.
    ///
    /// # Panics
    /// If it does not: plans come in order, and their edits do too.
    pub fn remove(&mut self, piece: Range<u64>) {
        let (end, before) = self.removed.last().map_or((0, 0), |(last, sum)| (last.end, *sum));
        assert!(end <= piece.start && piece.start <= piece.end, "pieces are taken out in order");
        let sum = before + (piece.end - piece.start);
        self.removed.push((piece, sum));
    }

    /// Whether all offsets stay as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty()
    }

    /// The new offset of what was at `at`; of what was taken out, the offset of what followed it.
    #[must_use]
    pub fn moved(&self, at: u64) -> u64 {
        let index = self.removed.partition_point(|(piece, _)| piece.end <= at);
        let before = index.checked_sub(1).map_or(0, |last| self.removed[last].1);
        let inside = match self.removed.get(index) {
            Some((piece, _)) => at.saturating_sub(piece.start),
            None => 0,
        };
        at - before - inside
    }

    /// The new length of what was `range`.
    #[must_use]
    pub fn len(&self, range: Range<u64>) -> u64 {
        self.moved(range.end) - self.moved(range.start)
    }

    /// What stays of `range`.
    pub fn kept(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> + '_ {
        let first = self.removed.partition_point(|(piece, _)| piece.end <= range.start);
        let pieces = self.removed[first..].iter().map(|(piece, _)| piece.clone());
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
    fn without_pieces_all_stays() {
        let nothing = Relocation::new();
        assert!(nothing.is_empty() && !two_pieces().is_empty());
        assert_eq!(nothing.moved(u64::MAX), u64::MAX);
        let all = 3..9;
        assert_eq!(nothing.kept(3..9).collect::<Vec<_>>(), [all]);
        assert_eq!(nothing.kept(3..3).count(), 0);
    }

    proptest! {
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
