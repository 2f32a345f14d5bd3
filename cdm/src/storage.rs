//! Storage as steps: what sessions ask of their origin's store, and who answers.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Mutex, Weak},
};

use zeroize::Zeroizing;

use crate::{
    session::SessionState,
    store::{LicenseStore, StoreError},
    sync::lock,
};

/// A step that the host performs, and then answers with
/// [`Environment::store_completed`](crate::Environment::store_completed).
#[derive(Debug)]
pub struct StoreRequest {
    /// Names this step in the answer.
    pub token: StoreToken,
    /// The name of the record: a session id, so decimal digits.
    pub name: String,
    /// What is to be done to the record.
    pub operation: StoreOperation,
}

/// What is to be done to a record.
#[derive(Clone, Eq, PartialEq)]
pub enum StoreOperation {
    /// Read it. A record without octets is taken for none.
    Get,
    /// Write it, in place of what is there. It holds keys.
    Put(Zeroizing<Vec<u8>>),
    /// Delete it; what is absent is deleted.
    Delete,
}

/// Shows no record.
impl fmt::Debug for StoreOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => f.write_str("Get"),
            Self::Put(record) => write!(f, "Put({} octets)", record.len()),
            Self::Delete => f.write_str("Delete"),
        }
    }
}

/// Names a step.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StoreToken(u64);

/// What came of a step: the record for [`StoreOperation::Get`], if there is one; else `None`.
pub type StoreAnswer = Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

/// Who performs the steps of an origin.
pub(crate) enum Storage {
    /// Nobody: there are no persistent sessions.
    None,
    /// This, at once.
    Here(Box<dyn LicenseStore>),
    /// The host, when it can.
    Host,
}

/// The steps of an origin. Those on one record are taken one after the other, in the order in which
/// they were asked for; those on different records may overlap.
#[derive(Default)]
pub(crate) struct Steps {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    /// Not handed out yet.
    queue: VecDeque<(StoreRequest, Weak<SessionState>)>,
    /// Handed out and not answered yet.
    under_way: HashMap<StoreToken, (String, Weak<SessionState>)>,
}

impl Steps {
    /// Asks for a step on behalf of a session.
    pub(crate) fn ask(
        &self,
        name: String,
        operation: StoreOperation,
        session: Weak<SessionState>,
    ) -> StoreToken {
        let mut state = lock(&self.state);
        state.last += 1;
        let token = StoreToken(state.last);
        state.queue.push_back((StoreRequest { token, name, operation }, session));
        token
    }

    /// Takes a step back that nobody has begun. One that is under way ends by itself, and its answer
    /// finds no one.
    pub(crate) fn take_back(&self, token: StoreToken) {
        lock(&self.state).queue.retain(|(request, _)| request.token != token);
    }

    /// The next step that can be taken now.
    pub(crate) fn next(&self) -> Option<StoreRequest> {
        let mut state = lock(&self.state);
        let is_free = |request: &StoreRequest| {
            !state.under_way.values().any(|(name, _)| *name == request.name)
        };
        let at = state.queue.iter().position(|(request, _)| is_free(request))?;
        let (request, session) = state.queue.remove(at)?;
        state.under_way.insert(request.token, (request.name.clone(), session));
        Some(request)
    }

    /// Ends a step that was handed out. Yields the session that waits for it, unless that is gone.
    pub(crate) fn end(&self, token: StoreToken) -> Weak<SessionState> {
        let ended = lock(&self.state).under_way.remove(&token);
        ended.map(|(_, session)| session).unwrap_or_default()
    }
}

/// Performs a step.
pub(crate) fn perform(store: &dyn LicenseStore, request: &StoreRequest) -> StoreAnswer {
    match &request.operation {
        StoreOperation::Get => store.get(&request.name),
        StoreOperation::Put(record) => store.put(&request.name, record).map(|()| None),
        StoreOperation::Delete => store.delete(&request.name).map(|()| None),
    }
}
