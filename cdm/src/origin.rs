//! What all sessions of an origin share: its ids and its storage.

use std::sync::Arc;

use crate::{
    ids::Ids,
    storage::{Steps, Storage, StoreAnswer, StoreRequest, StoreToken, perform},
    store::StoreError,
};

pub(crate) struct Origin {
    pub(crate) ids: Arc<Ids>,
    pub(crate) storage: Storage,
    pub(crate) steps: Steps,
}

impl Origin {
    /// Performs all steps that can be taken now, if the store is here. No lock is held meanwhile.
    pub(crate) fn drive(&self) {
        let Storage::Here(store) = &self.storage else { return };
        while let Some(request) = self.steps.next() {
            // If the store panics, then the call that waits for it must not wait for ever.
            let mut completion = Completion { origin: self, token: request.token, answer: None };
            completion.answer = Some(perform(store.as_ref(), &request));
        }
    }

    /// The next step for the host.
    pub(crate) fn next_request(&self) -> Option<StoreRequest> {
        match self.storage {
            Storage::Host => self.steps.next(),
            Storage::Here(_) | Storage::None => None,
        }
    }

    /// Lets the session that asked go on.
    pub(crate) fn completed(&self, token: StoreToken, answer: StoreAnswer) {
        if let Some(session) = self.steps.end(token).upgrade() {
            session.go_on(answer);
        }
    }
}

/// Completes its step when it goes, with a failure if there is no answer yet.
struct Completion<'o> {
    origin: &'o Origin,
    token: StoreToken,
    answer: Option<StoreAnswer>,
}

impl Drop for Completion<'_> {
    fn drop(&mut self) {
        let panicked = || Err(StoreError::new("the store panicked"));
        self.origin.completed(self.token, self.answer.take().unwrap_or_else(panicked));
    }
}
