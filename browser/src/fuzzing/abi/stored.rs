//! The account of what lies on the disk of all hosts.

use super::{Instance, Pending, World};

impl World {
    /// What is stored is found again, as long as the disk keeps what it is given.
    pub(super) fn remember(&self, instance: &Instance, call: &cdm_host::Call) {
        let account = instance.account.borrow();
        let mut stored = self.stored.borrow_mut();
        match call {
            cdm_host::Call::Resolve { promise } => {
                let is_persistent =
                    |id: &String| account.sessions.get(id).is_some_and(|it| it.is_persistent);
                if let Some(Pending::Update { id, new }) = account.pending.get(promise)
                    && is_persistent(id)
                {
                    match new.is_empty() {
                        true => stored.remove(id),
                        false => stored.insert(id.clone()),
                    };
                }
            }
            // A session that is closed while its release is acknowledged: the license may be gone already.
            cdm_host::Call::Reject { promise, .. } => match account.pending.get(promise) {
                Some(Pending::Update { id, new }) if new.is_empty() => drop(stored.remove(id)),
                _ => {}
            },
            cdm_host::Call::ResolveNewSession { promise, session_id: None } => {
                let Some(Pending::Load { id }) = account.pending.get(promise) else { return };
                let instances = self.instances.borrow();
                let is_alone = instances.iter().all(|instance| {
                    let account = instance.account.borrow();
                    account.pending.values().filter(|pending| pending.is_of(id)).count()
                        == usize::from(account.pending.contains_key(promise))
                });
                let is_lost = is_alone && self.is_faithful.get() && stored.contains(id);
                assert!(!is_lost, "{id} was stored");
            }
            _ => {}
        }
    }
}
