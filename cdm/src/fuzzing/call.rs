//! The calls of an application and its embedder, and how they are written down.
//!
//! A script is octets, most of them letters and digits. The first says how the environment is: `0` is one
//! without limits, `1` to `7` how many sessions may be open, `8` one with few ids, a space one with temporary
//! sessions only. After it, each letter of the table begins a call. `S` is a session, by its number; `K` and
//! `V` are octets of which a key id or a key has 16; `N` is a number; `…` goes to the end of the line.
//!
//! ```text
//! ct, cp  creates a temporary, a persistent session
//! gSK     generates a request for a key            iSN…   for any data: 0 cenc, 1 keyids, 2 webm, 3 unknown
//! lSS     loads the other's id                     sS…    loads any id
//! uSNKV…  updates with 1 to 3 keys                 wS     with a license of the other type
//! bS…     with anything                            mS     with half a license
//! aS      acknowledges a release                   rS     removes
//! xS      closes                                   eS     evicts
//! nS, o   takes its next event, that of all        d      dispatches
//! hSNcall listens, to call once: 0 for messages by the attribute, 2 not by it; 1, 3 the same for statuses
//! tSN     sets that attribute to nothing           vS     lets the handle go
//! ySN     sets an expiration, 0 none               zSN    checks it at that time
//! k…      sets a server certificate                p…     asks for a policy's status, - without a member
//! qr, qi  resets the hardware, fails               fN     lets the store fail: 1 before its next step, 2 after
//! ```

use clearkey::SessionType;

use super::made::keyids;
use crate::EventType;

/// How the environment is furnished.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setup {
    /// How many sessions may be open; 0: any number.
    pub(crate) limit: usize,
    /// There are so few session ids that they run out.
    pub(crate) has_few_ids: bool,
    /// The configuration has temporary sessions only.
    pub(crate) is_temporary: bool,
}

/// A call, on a session by its number.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Create {
        session_type: SessionType,
    },
    GenerateRequest {
        session: usize,
        init_data_type: String,
        init_data: Vec<u8>,
    },
    Load {
        session: usize,
        of: usize,
    },
    LoadText {
        session: usize,
        session_id: String,
    },
    Update {
        session: usize,
        response: Vec<u8>,
    },
    /// A license of the other type, which depends on the session.
    UpdateWith {
        session: usize,
        keys: Vec<(u8, u8)>,
        is_wrong_type: bool,
    },
    Remove {
        session: usize,
    },
    Close {
        session: usize,
    },
    Evict {
        session: usize,
    },
    NextEvent {
        session: Option<usize>,
    },
    Dispatch,
    Listen {
        session: usize,
        event_type: EventType,
        is_attribute: bool,
        then: Option<Box<Call>>,
    },
    Unlisten {
        session: usize,
        event_type: EventType,
    },
    LetGo {
        session: usize,
    },
    SetExpiration {
        session: usize,
        at: Option<u8>,
    },
    CheckExpiration {
        session: usize,
        now: u8,
    },
    Certificate {
        certificate: Vec<u8>,
    },
    Policy {
        min_hdcp_version: Option<String>,
    },
    Unavailable {
        is_failure: bool,
    },
    Fault {
        fault: Option<Fault>,
    },
}

/// What goes wrong with the next step of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// It is not done.
    Before,
    /// It is done, and said not to be.
    After,
}

impl Call {
    /// The session that it is made on.
    pub(crate) fn session(&self) -> Option<usize> {
        match self {
            Self::GenerateRequest { session, .. }
            | Self::Load { session, .. }
            | Self::LoadText { session, .. }
            | Self::Update { session, .. }
            | Self::UpdateWith { session, .. }
            | Self::Remove { session }
            | Self::Close { session }
            | Self::Evict { session }
            | Self::NextEvent { session: Some(session) }
            | Self::Listen { session, .. }
            | Self::Unlisten { session, .. }
            | Self::LetGo { session }
            | Self::SetExpiration { session, .. }
            | Self::CheckExpiration { session, .. } => Some(*session),
            _ => None,
        }
    }
}

/// Half of it is a license.
pub(crate) const MALFORMED: &[u8] =
    br#"{"keys":[{"kty":"oct","kid":"AQEBAQEBAQEBAQEBAQEBAQ","k":"AAAAAAAAAAAAAAAAAAAAAA"},
        {"kty":"oct","kid":"AQ","k":"AA"}]}"#;

/// An acknowledgement, of whatever release.
pub(crate) const ACKNOWLEDGEMENT: &[u8] = br#"{"kids":["AQ"]}"#;

/// Reads a script.
pub(crate) fn read(bytes: &[u8]) -> (Setup, Vec<Call>) {
    let mut script = Script { rest: bytes };
    let first = script.octet();
    let setup = Setup {
        limit: usize::from(first & 7),
        has_few_ids: first & 8 != 0,
        is_temporary: first & 16 == 0,
    };
    let mut calls = Vec::new();
    while !script.rest.is_empty() && calls.len() < CALLS {
        calls.extend(script.call(true));
    }
    (setup, calls)
}

/// More say nothing new.
const CALLS: usize = 96;

struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// Digits stand for themselves.
    fn number(&mut self) -> u8 {
        self.octet() & 7
    }

    fn session(&mut self) -> usize {
        self.number().into()
    }

    fn line(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|octet| *octet == b'\n').unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        line
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.line()).into_owned()
    }

    /// And whether it is for the handler attribute.
    fn event_type(&mut self) -> (EventType, bool) {
        let octet = self.octet();
        let event_type =
            if octet & 1 == 0 { EventType::Message } else { EventType::KeyStatusesChange };
        (event_type, octet & 2 == 0)
    }

    /// Nothing for what begins no call. `is_outer`: a listener may be told to call.
    fn call(&mut self, is_outer: bool) -> Option<Call> {
        // Blanks and digits begin nothing; capitals and small letters are the same.
        let octet = Some(self.octet()).filter(|octet| *octet >= b'@')?;
        Some(match octet & 31 | 0x60 {
            b'c' => {
                let is_temporary = self.octet() & 4 != 0;
                let session_type = match is_temporary {
                    true => SessionType::Temporary,
                    false => SessionType::PersistentLicense,
                };
                Call::Create { session_type }
            }
            b'g' => {
                let (session, octet) = (self.session(), self.number());
                let init_data = keyids(&[octet]);
                Call::GenerateRequest { session, init_data_type: "keyids".to_owned(), init_data }
            }
            b'i' => {
                let (session, number) = (self.session(), self.number());
                let init_data_type = ["cenc", "keyids", "webm", "CENC"][usize::from(number & 3)];
                let (init_data_type, init_data) = (init_data_type.to_owned(), self.line().to_vec());
                Call::GenerateRequest { session, init_data_type, init_data }
            }
            b'l' => Call::Load { session: self.session(), of: self.session() },
            b's' => Call::LoadText { session: self.session(), session_id: self.text() },
            b'u' => {
                let (session, count) = (self.session(), (self.octet() & 3).max(1));
                let keys = (0..count).map(|_| (self.number(), self.octet())).collect();
                Call::UpdateWith { session, keys, is_wrong_type: false }
            }
            b'w' => {
                let session = self.session();
                Call::UpdateWith { session, keys: vec![(1, 1)], is_wrong_type: true }
            }
            b'b' => Call::Update { session: self.session(), response: self.line().to_vec() },
            b'm' => Call::Update { session: self.session(), response: MALFORMED.to_vec() },
            b'a' => Call::Update { session: self.session(), response: ACKNOWLEDGEMENT.to_vec() },
            b'r' => Call::Remove { session: self.session() },
            b'x' => Call::Close { session: self.session() },
            b'e' => Call::Evict { session: self.session() },
            b'n' => Call::NextEvent { session: Some(self.session()) },
            b'o' => Call::NextEvent { session: None },
            b'd' => Call::Dispatch,
            b'h' => {
                let (session, (event_type, is_attribute)) = (self.session(), self.event_type());
                let then = if is_outer { self.call(false).map(Box::new) } else { None };
                Call::Listen { session, event_type, is_attribute, then }
            }
            b't' => Call::Unlisten { session: self.session(), event_type: self.event_type().0 },
            b'v' => Call::LetGo { session: self.session() },
            b'y' => {
                let (session, at) = (self.session(), self.number());
                Call::SetExpiration { session, at: (at > 0).then_some(at) }
            }
            b'z' => Call::CheckExpiration { session: self.session(), now: self.number() },
            b'k' => Call::Certificate { certificate: self.line().to_vec() },
            b'p' => {
                let text = self.text();
                Call::Policy { min_hdcp_version: (text != "-").then_some(text) }
            }
            b'q' => Call::Unavailable { is_failure: self.octet() & 1 != 0 },
            b'f' => {
                let fault = match self.number() & 3 {
                    1 => Some(Fault::Before),
                    2 => Some(Fault::After),
                    _ => None,
                };
                Call::Fault { fault }
            }
            _ => return None,
        })
    }
}
