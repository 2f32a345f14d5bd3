//! `generateRequest()` and `load()`: of the two, a session has one, once.

use clearkey::{InitData, LicenseRequest, SessionType};

use super::{Machine, State, Then, Turn, done};
use crate::{
    Error, MessageType, SessionEvent,
    ids::SessionId,
    record::Record,
    storage::{StoreAnswer, StoreOperation},
};

/// How often an id that is stored is replaced by another. A store that has all of them has none.
const TRIES: u32 = 8;

impl Machine {
    pub(super) fn generate_request(
        &mut self,
        init_data_type: &str,
        init_data: &[u8],
    ) -> Result<Turn, Error> {
        let init_data = InitData::parse(init_data_type, init_data)?;
        self.choose_id(init_data, 0)
    }

    /// Takes an id. A persistent session's must not be that of a stored one either.
    fn choose_id(&mut self, init_data: InitData, tries: u32) -> Result<Turn, Error> {
        self.id = Some(self.ids.new_id()?);
        match self.session_type {
            SessionType::Temporary => self.requested(init_data),
            SessionType::PersistentLicense => Ok(Turn::Ask {
                operation: StoreOperation::Get,
                then: Then::GenerateRequest { init_data, tries },
            }),
        }
    }

    pub(super) fn id_checked(
        &mut self,
        init_data: InitData,
        tries: u32,
        answer: StoreAnswer,
    ) -> Result<Turn, Error> {
        match answer? {
            Some(record) if !record.is_empty() && tries == TRIES => Err(Error::NoSessionId),
            Some(record) if !record.is_empty() => {
                self.id = None;
                self.choose_id(init_data, tries + 1)
            }
            _ => self.requested(init_data),
        }
    }

    fn requested(&mut self, init_data: InitData) -> Result<Turn, Error> {
        let kids = init_data.kids().to_vec();
        let request = LicenseRequest::new(kids.clone(), self.session_type)?;
        self.requested = kids;
        self.state = State::Callable;
        let message_type = MessageType::LicenseRequest;
        Ok(done(vec![SessionEvent::Message { message_type, message: request.to_json() }]))
    }

    pub(super) fn load(&mut self, session_id: &str) -> Result<Turn, Error> {
        let wrong = || Error::SessionId { found: clearkey::quote(session_id) };
        if session_id.is_empty() {
            return Err(wrong());
        }
        if self.session_type == SessionType::Temporary {
            return Err(Error::TemporaryLoad);
        }
        let number = SessionId::parse(session_id).ok_or_else(wrong)?;
        self.id = Some(self.ids.open(number)?);
        Ok(Turn::Ask { operation: StoreOperation::Get, then: Then::Load })
    }

    /// A record of temporary sessions does not exist, so EME's check of the stored session's type
    /// has nothing to find.
    pub(super) fn loaded(&mut self, answer: StoreAnswer) -> Result<Turn, Error> {
        let record = answer?.filter(|record| !record.is_empty());
        let Some(record) = record else {
            self.burn();
            return Ok(Turn::Done { found: false, events: Vec::new() });
        };
        let record = Record::parse(&record).map_err(|reason| Error::DamagedRecord {
            session_id: self.record_name().unwrap_or_default(),
            reason,
        })?;
        let turn = match record {
            Record::License(keys) => self.add_keys(keys),
            Record::Destroyed(kids) => {
                self.released = kids.into_iter().collect();
                self.tell_release()?
            }
        };
        self.state = State::Callable;
        Ok(turn)
    }
}
