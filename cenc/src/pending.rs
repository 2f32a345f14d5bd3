//! Work of several keys that waits until there is more of it.

/// Work of one key.
pub(crate) trait Pending {
    /// Does all that waits.
    fn finish(&mut self);
}

/// The work of the keys that came last. Samples of a few tracks, which come in turns, do not
/// interrupt each other.
pub(crate) struct PerKey<T> {
    slots: [Option<T>; KEYS],
    /// The slot that is given up when a slot is wanted.
    oldest: usize,
}

/// Keys whose work waits at a time.
const KEYS: usize = 4;

impl<T> Default for PerKey<T> {
    fn default() -> Self {
        Self { slots: [const { None }; KEYS], oldest: 0 }
    }
}

impl<T: Pending> PerKey<T> {
    /// The work that is the right one, or else new work.
    #[inline]
    pub(crate) fn find(&mut self, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
        let place = match self.slots.iter().position(|slot| slot.as_ref().is_some_and(&is_it)) {
            Some(place) => place,
            None => self.make_room(),
        };
        self.slots[place].get_or_insert_with(new)
    }

    #[cold]
    fn make_room(&mut self) -> usize {
        let place = self.oldest;
        self.oldest = (place + 1) % KEYS;
        if let Some(mut work) = self.slots[place].take() {
            work.finish();
        }
        place
    }

    /// Does all that waits.
    pub(crate) fn finish(&mut self) {
        self.slots.iter_mut().flatten().for_each(Pending::finish);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Work that writes down whose it was when it is done.
    struct Work<'a> {
        key: u8,
        done: &'a RefCell<Vec<u8>>,
    }

    impl Pending for Work<'_> {
        fn finish(&mut self) {
            self.done.borrow_mut().push(self.key);
        }
    }

    /// Whose work is done by and by when keys come in some order, and whose is done at the end.
    fn done(order: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let done = RefCell::new(Vec::new());
        let mut works = PerKey::default();
        for &key in order {
            let work = works.find(|work: &Work| work.key == key, || Work { key, done: &done });
            assert_eq!(work.key, key);
        }
        let early = done.take();
        works.finish();
        (early, done.into_inner())
    }

    #[test]
    fn work_of_four_keys_waits() {
        assert_eq!(done(&[]), (vec![], vec![]));
        assert_eq!(done(&[1]), (vec![], vec![1]));
        assert_eq!(done(&[1, 2, 3, 4, 1, 3, 4, 2, 2]), (vec![], vec![1, 2, 3, 4]));
    }

    #[test]
    fn the_oldest_makes_room() {
        assert_eq!(done(&[1, 2, 3, 4, 5]), (vec![1], vec![5, 2, 3, 4]));
        assert_eq!(done(&[1, 2, 3, 4, 5, 2, 6, 4, 7]), (vec![1, 2, 3], vec![5, 6, 7, 4]));
        assert_eq!(done(&[1, 2, 3, 4, 5, 1, 2]), (vec![1, 2, 3], vec![5, 1, 2, 4]));
    }
}
