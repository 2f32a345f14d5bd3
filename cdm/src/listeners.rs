//! Who is told about the events of one session.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{EventType, MediaKeySession, SessionEvent, sync::lock};

/// What is called with an event. It gets the session, so that it needs no handle of its own: a
/// session that holds a handler that holds the session would never go.
pub type Handler = Box<dyn FnMut(&MediaKeySession, &SessionEvent) + Send>;

/// Names a listener.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ListenerId(u64);

#[derive(Default)]
pub(crate) struct Listeners {
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    /// In the order in which they are called.
    entries: Vec<Arc<Entry>>,
}

struct Entry {
    id: ListenerId,
    event_type: EventType,
    /// The one handler attribute of its event type, rather than one of many listeners.
    is_attribute: bool,
    handler: Mutex<Handler>,
    is_removed: AtomicBool,
}

impl Listeners {
    pub(crate) fn add(&self, event_type: EventType, handler: Handler) -> ListenerId {
        let mut list = lock(&self.list);
        let entry = Entry::new(event_type, false, handler);
        let id = entry.id;
        list.entries.push(entry);
        id
    }

    pub(crate) fn remove(&self, id: ListenerId) -> bool {
        let is_it = |entry: &Arc<Entry>| entry.id == id;
        let mut list = lock(&self.list);
        let at = list.entries.iter().position(is_it);
        let removed = at.map(|at| list.entries.remove(at));
        // What a handler has captured may call back when it goes, so the lock goes first.
        drop(list);
        removed.inspect(|entry| entry.is_removed.store(true, Ordering::Relaxed)).is_some()
    }

    /// Sets the handler attribute. A new handler takes the place of the old one in the order; one
    /// that is set when there was none comes last, as in the DOM.
    pub(crate) fn set(&self, event_type: EventType, handler: Option<Handler>) {
        let is_it = |entry: &Arc<Entry>| entry.is_attribute && entry.event_type == event_type;
        let mut list = lock(&self.list);
        let at = list.entries.iter().position(is_it);
        let new = handler.map(|handler| Entry::new(event_type, true, handler));
        let old = match (at, new) {
            (Some(at), Some(new)) => Some(std::mem::replace(&mut list.entries[at], new)),
            (Some(at), None) => Some(list.entries.remove(at)),
            (None, Some(new)) => {
                list.entries.push(new);
                None
            }
            (None, None) => None,
        };
        drop(list);
        if let Some(old) = old {
            old.is_removed.store(true, Ordering::Relaxed);
        }
    }

    /// Calls those that are registered now. Who is added meanwhile hears of the next event; who is
    /// removed meanwhile hears of nothing more. The caller sees to it that only one event is
    /// delivered at a time.
    pub(crate) fn call(&self, session: &MediaKeySession, event: &SessionEvent) {
        let entries = lock(&self.list).entries.clone();
        for entry in entries.iter().filter(|entry| entry.event_type == event.event_type()) {
            if !entry.is_removed.load(Ordering::Relaxed) {
                lock(&entry.handler)(session, event);
            }
        }
    }
}

/// No two listeners have the same, of whatever session.
static LAST: AtomicU64 = AtomicU64::new(0);

impl Entry {
    fn new(event_type: EventType, is_attribute: bool, handler: Handler) -> Arc<Self> {
        Arc::new(Self {
            id: ListenerId(LAST.fetch_add(1, Ordering::Relaxed)),
            event_type,
            is_attribute,
            handler: Mutex::new(handler),
            is_removed: AtomicBool::new(false),
        })
    }
}
