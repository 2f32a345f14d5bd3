//! What a host keeps account of: its promises, its sessions, and the keys that should serve.

use std::collections::{BTreeMap, BTreeSet};

use cdm_abi::{Exception, KeyStatus};
use cdm_host::Call;

/// A promise that is to be settled: what it was made for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pending {
    Policy,
    Certificate,
    Generate {
        kind: u32,
    },
    Load {
        id: String,
    },
    Update {
        id: String,
        new: Keys,
    },
    Remove {
        id: String,
    },
    Close {
        id: String,
    },
    /// It cannot end well.
    Refused,
}

/// Keys by key ids of 16 times the same octet.
pub(crate) type Keys = BTreeMap<u8, [u8; 16]>;

/// The keys that each session may have, by its id: those of all licenses that it was updated with, here or
/// in other instances.
pub(crate) type Licenses = BTreeMap<String, BTreeMap<u8, BTreeSet<[u8; 16]>>>;

/// The account of one instance.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) is_initialized: bool,
    pub(crate) is_destroyed: bool,
    pub(crate) pending: BTreeMap<u32, Pending>,
    pub(crate) sessions: BTreeMap<String, Session>,
}

#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) is_closed: bool,
    pub(crate) is_persistent: bool,
    /// As they were told last.
    usable: BTreeSet<Vec<u8>>,
}

impl Account {
    /// Takes down what the instance says. It may say it only if it is true.
    pub(crate) fn hear(&mut self, call: &Call, licenses: &mut Licenses) {
        assert!(!self.is_destroyed, "{call:?} after Destroy");
        match call {
            Call::Initialized { success } => {
                let was_initialized = std::mem::replace(&mut self.is_initialized, true);
                assert_eq!(*success, !was_initialized);
            }
            Call::ResolveKeyStatus { promise, status } => {
                assert_eq!(self.settle(*promise), Pending::Policy);
                assert_eq!(*status, KeyStatus::USABLE);
            }
            Call::ResolveNewSession { promise, session_id } => {
                let pending = self.settle(*promise);
                let is_persistent = match (&pending, session_id) {
                    (Pending::Generate { kind }, Some(_)) => *kind == 1,
                    (Pending::Load { .. }, None) => true,
                    (Pending::Load { id }, Some(session_id)) => {
                        assert_eq!(id, session_id);
                        true
                    }
                    _ => panic!("{pending:?}: {call:?}"),
                };
                if let Some(session_id) = session_id {
                    let new = Session { is_persistent, ..Session::default() };
                    let before = self.sessions.insert(session_id.clone(), new);
                    assert!(before.is_none_or(|session| session.is_closed), "{session_id} is open");
                }
            }
            Call::Resolve { promise } => match self.settle(*promise) {
                Pending::Update { id, new } => {
                    // No other session has the id, and nothing else is under way: these are its keys now.
                    let is_known = !self.pending.values().any(|pending| pending.is_of(&id))
                        && self.sessions.get(&id).is_some_and(|session| !session.is_persistent);
                    let keys = licenses.entry(id).or_default();
                    for (kid, key) in new.into_iter().filter(|_| is_known) {
                        keys.insert(kid, BTreeSet::from([key]));
                    }
                }
                Pending::Remove { .. } => {}
                // A session that is not known is closed.
                Pending::Close { id } => {
                    let session = self.sessions.get(&id);
                    assert!(session.is_none_or(|session| session.is_closed), "{id} is open");
                }
                other => panic!("{other:?}: {call:?}"),
            },
            Call::Reject { promise, exception, message } => {
                let pending = self.settle(*promise);
                assert!(!message.is_empty() && message.len() < 4096, "{message}");
                assert!(exception.0 <= Exception::QUOTA_EXCEEDED_ERROR.0, "{exception:?}");
                assert!(!matches!(pending, Pending::Close { .. }), "{call:?}");
            }
            Call::Message { session_id, message, .. } => {
                let session = self.sessions.get(session_id).expect("a session that is known");
                assert!(!session.is_closed, "{call:?} of a closed session");
                assert!(message.starts_with(b"{"));
            }
            Call::KeysChange { session_id, has_additional_usable_key, keys } => {
                let session = self.sessions.get_mut(session_id).expect("a session that is known");
                assert!(!session.is_closed, "{call:?} of a closed session");
                let usable = keys.iter().filter(|(_, status)| *status == KeyStatus::USABLE);
                session.usable = usable.map(|(kid, _)| kid.clone()).collect();
                assert_eq!(*has_additional_usable_key, !session.usable.is_empty());
            }
            Call::Closed { session_id } => {
                let session = self.sessions.get_mut(session_id).expect("a session that is known");
                assert!(!session.is_closed, "{session_id} is closed twice");
                (session.is_closed, session.usable) = (true, BTreeSet::new());
            }
            Call::ExpirationChange { .. } | Call::Other(_) => panic!("{call:?}"),
        }
    }

    fn settle(&mut self, promise: u32) -> Pending {
        self.pending
            .remove(&promise)
            .unwrap_or_else(|| panic!("promise {promise} is settled twice"))
    }

    pub(crate) fn is_open(&self, id: &str) -> bool {
        self.sessions.get(id).is_some_and(|session| !session.is_closed)
    }

    /// Whether a session has said that it has the key.
    pub(crate) fn has(&self, kid: &[u8]) -> bool {
        self.sessions.values().any(|session| session.usable.contains(kid))
    }

    /// Ids of sessions that may have keys: the open ones, and those that are being loaded.
    pub(crate) fn may_have_keys(&self) -> impl Iterator<Item = &String> {
        let open = self.sessions.iter().filter(|(_, session)| !session.is_closed);
        let loading = self.pending.values().filter_map(|pending| match pending {
            Pending::Load { id } => Some(id),
            _ => None,
        });
        open.map(|(id, _)| id).chain(loading)
    }
}

impl Pending {
    pub(crate) fn is_of(&self, session_id: &str) -> bool {
        match self {
            Self::Load { id }
            | Self::Update { id, .. }
            | Self::Remove { id }
            | Self::Close { id } => id == session_id,
            _ => false,
        }
    }
}
