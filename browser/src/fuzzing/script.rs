//! The calls of a host, and how they are written down.
//!
//! A script is octets, most of them letters and digits; each letter of the table begins a call, and what is
//! none of them begins nothing. `I` is an instance and `S` a session, by their number; `T` is `t` or `p` for a
//! temporary or persistent session, and anything else for a type that there is not; `K` and `V` are octets of
//! which a key id or a key has 16; `N` is a number; `…` goes to the end of the line.
//!
//! ```text
//! cIN     creates an instance of version 10 + N, and initializes it: with storage, unless I is odd
//! iI      initializes it once more           qIN     asks for the status of a policy    kI…  a certificate
//! gITK    creates a session for a key        jITN…   for any data of type N
//! lITS    loads it by its id                 sIT…    by any text
//! uISNKV… updates with 1 to 3 keys           bIS…    with anything                      aIS  acknowledges
//! rIS     removes                            xIS     closes
//! dI…     decrypts: see `sample`             nIN     calls method N with pointers to nowhere
//! hIcall  has the host call that back, once, within the next call of the instance
//! zI      destroys the instance              mIN     gives it less memory: 1 little, 2 less, 3 full buffers
//! t       answers the file that has waited longest       e       all of them
//! oN      answers at once from now on, 0 later           fNN     something goes wrong with a file
//! vNNN    changes an octet of a file, or its length
//! ```

/// A call, on an instance by its number.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Create { version: i32, is_persistent: bool },
    Initialize { at: usize },
    Policy { at: usize, version: u32 },
    Certificate { at: usize, certificate: Vec<u8> },
    Generate { at: usize, kind: u32, data_type: u32, data: Vec<u8> },
    Load { at: usize, kind: u32, id: Id },
    Update { at: usize, id: usize, response: Response },
    Remove { at: usize, id: usize },
    Close { at: usize, id: usize },
    Decrypt { at: usize, what: Vec<u8> },
    Nowhere { at: usize, method: u8 },
    React { at: usize, then: Option<Box<Call>> },
    Destroy { at: usize },
    Memory { at: usize, kind: u8 },
    Turn,
    Settle,
    AnswerAtOnce(bool),
    Fault { kind: u8, len: usize },
    Damage { file: usize, at: usize, change: u8 },
}

#[derive(Clone, Debug)]
pub(crate) enum Id {
    Of(usize),
    Text(String),
}

#[derive(Clone, Debug)]
pub(crate) enum Response {
    /// Pairs of key id and key.
    License(Vec<(u8, u8)>),
    Octets(Vec<u8>),
}

/// Initialization data for a key id.
pub(crate) fn keyids(octet: u8) -> Vec<u8> {
    let kid = clearkey::base64url::encode(&[octet; 16]);
    format!(r#"{{"kids":["{kid}"]}}"#).into_bytes()
}

const ACKNOWLEDGEMENT: &[u8] = br#"{"kids":["AQ"]}"#;

/// More say nothing new.
const CALLS: usize = 96;

/// Reads a script.
pub(crate) fn read(bytes: &[u8]) -> Vec<Call> {
    let mut script = Script { rest: bytes };
    let mut calls = Vec::new();
    while !script.rest.is_empty() && calls.len() < CALLS {
        calls.extend(script.call(true));
    }
    calls
}

/// Reads octets and numbers, of which zeros follow the last.
pub(crate) struct Script<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub(crate) fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// Digits stand for themselves.
    pub(crate) fn number(&mut self) -> u8 {
        self.octet() & 7
    }

    fn instance(&mut self) -> usize {
        usize::from(self.number() & 3)
    }

    fn kind(&mut self) -> u32 {
        match self.octet() {
            b't' => 0,
            b'p' => 1,
            other => other.into(),
        }
    }

    fn line(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|octet| *octet == b'\n').unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        line
    }

    /// Nothing for what begins no call. `is_outer`: a host may be told to call back.
    fn call(&mut self, is_outer: bool) -> Option<Call> {
        // Blanks and digits begin nothing; capitals and small letters are the same.
        let octet = Some(self.octet()).filter(|octet| *octet >= b'@')?;
        Some(match octet & 31 | 0x60 {
            b'c' => {
                let (at, version) = (self.number(), self.number());
                Call::Create { version: 10 + i32::from(version), is_persistent: at & 1 == 0 }
            }
            b'i' => Call::Initialize { at: self.instance() },
            b'q' => {
                let (at, octet) = (self.instance(), self.octet());
                Call::Policy { at, version: u32::from(octet & 15) }
            }
            b'k' => Call::Certificate { at: self.instance(), certificate: self.line().to_vec() },
            b'g' => {
                let (at, kind, octet) = (self.instance(), self.kind(), self.number());
                Call::Generate { at, kind, data_type: 1, data: keyids(octet) }
            }
            b'j' => {
                let (at, kind, data_type) = (self.instance(), self.kind(), self.number().into());
                Call::Generate { at, kind, data_type, data: self.line().to_vec() }
            }
            b'l' => {
                let (at, kind) = (self.instance(), self.kind());
                Call::Load { at, kind, id: Id::Of(self.number().into()) }
            }
            b's' => {
                let (at, kind) = (self.instance(), self.kind());
                let text = String::from_utf8_lossy(self.line()).into_owned();
                Call::Load { at, kind, id: Id::Text(text) }
            }
            b'u' => {
                let (at, id, count) =
                    (self.instance(), self.number().into(), (self.octet() & 3).max(1));
                let keys = (0..count).map(|_| (self.number(), self.octet())).collect();
                Call::Update { at, id, response: Response::License(keys) }
            }
            b'b' => {
                let (at, id) = (self.instance(), self.number().into());
                Call::Update { at, id, response: Response::Octets(self.line().to_vec()) }
            }
            b'a' => {
                let (at, id) = (self.instance(), self.number().into());
                Call::Update { at, id, response: Response::Octets(ACKNOWLEDGEMENT.to_vec()) }
            }
            b'r' => Call::Remove { at: self.instance(), id: self.number().into() },
            b'x' => Call::Close { at: self.instance(), id: self.number().into() },
            b'd' => Call::Decrypt { at: self.instance(), what: self.line().to_vec() },
            b'n' => Call::Nowhere { at: self.instance(), method: self.number() },
            b'h' => {
                let at = self.instance();
                let then = if is_outer { self.call(false).map(Box::new) } else { None };
                Call::React { at, then }
            }
            b'z' => Call::Destroy { at: self.instance() },
            b'm' => Call::Memory { at: self.instance(), kind: self.number() & 3 },
            b't' => Call::Turn,
            b'e' => Call::Settle,
            b'o' => Call::AnswerAtOnce(self.number() & 1 != 0),
            b'f' => Call::Fault { kind: self.number(), len: self.octet().into() },
            b'v' => {
                let (file, at) = (self.number().into(), self.octet().into());
                Call::Damage { file, at, change: self.octet() }
            }
            _ => return None,
        })
    }
}
