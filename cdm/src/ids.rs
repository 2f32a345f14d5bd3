//! Session ids: decimal text of an unsigned 32-bit number (EME, "Clear Key", "Session ID").

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::{Arc, Mutex},
};

use crate::{Error, sync::lock};

/// A source of random numbers.
pub(crate) type Random = Box<dyn FnMut() -> u32 + Send>;

/// The ids of an origin that somebody knows.
pub(crate) struct Ids {
    known: Mutex<HashMap<u32, Known>>,
    random: Mutex<Random>,
    /// How many sessions may be open.
    limit: Option<usize>,
}

/// An id is not given to a new session as long as a handle of an old one shows it; but it may be
/// loaded again once the old one is closed.
#[derive(Default)]
struct Known {
    holders: usize,
    open: bool,
}

/// How often a number that is taken is replaced by another. With a million ids known it takes eight
/// in a row once in 10²⁹ calls.
const TRIES: usize = 8;

impl Ids {
    pub(crate) fn new(random: Random, limit: Option<usize>) -> Arc<Self> {
        Arc::new(Self { known: Mutex::default(), random: Mutex::new(random), limit })
    }

    /// An id that no session of the origin has.
    pub(crate) fn new_id(self: &Arc<Self>) -> Result<SessionId, Error> {
        for _ in 0..TRIES {
            let number = lock(&self.random)();
            let mut known = lock(&self.known);
            self.check_limit(&known)?;
            if let Entry::Vacant(vacant) = known.entry(number) {
                vacant.insert(Known { holders: 1, open: true });
                return Ok(SessionId { number, is_open: true, ids: Arc::clone(self) });
            }
        }
        Err(Error::NoSessionId)
    }

    /// The id of a stored session, unless that is open.
    pub(crate) fn open(self: &Arc<Self>, number: u32) -> Result<SessionId, Error> {
        let mut known = lock(&self.known);
        if known.get(&number).is_some_and(|known| known.open) {
            return Err(Error::SessionOpen { session_id: number.to_string() });
        }
        self.check_limit(&known)?;
        let entry = known.entry(number).or_default();
        entry.holders += 1;
        entry.open = true;
        Ok(SessionId { number, is_open: true, ids: Arc::clone(self) })
    }

    fn check_limit(&self, known: &HashMap<u32, Known>) -> Result<(), Error> {
        let open = || known.values().filter(|known| known.open).count();
        match self.limit {
            Some(limit) if open() >= limit => Err(Error::NoSessionId),
            _ => Ok(()),
        }
    }
}

/// The id of one session. It is free again when this goes; it can be loaded again from `close` on.
pub(crate) struct SessionId {
    number: u32,
    is_open: bool,
    ids: Arc<Ids>,
}

impl SessionId {
    /// Reads what `load` is given: digits as [`Display`](fmt::Display) writes them, so without
    /// zeros in front.
    pub(crate) fn parse(text: &str) -> Option<u32> {
        let number: u32 = text.parse().ok()?;
        (number.to_string() == text).then_some(number)
    }

    /// The session is closed.
    pub(crate) fn close(&mut self) {
        if std::mem::take(&mut self.is_open)
            && let Some(known) = lock(&self.ids.known).get_mut(&self.number)
        {
            known.open = false;
        }
    }
}

impl Drop for SessionId {
    fn drop(&mut self) {
        self.close();
        let mut known = lock(&self.ids.known);
        if let Some(entry) = known.get_mut(&self.number) {
            entry.holders -= 1;
            if entry.holders == 0 {
                known.remove(&self.number);
            }
        }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}
