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
