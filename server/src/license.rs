//! A message of a CDM in, the answer to it out.

use std::fmt;

use clearkey::{CdmMessage, KeyId};
use thiserror::Error as ThisError;
use zeroize::Zeroizing;

use crate::KeyStore;

/// The answer to a message: what a CDM's session is updated with.
pub struct Reply {
    /// A license, or the acknowledgement of a release. It may hold keys, and is wiped when it goes.
    pub json: Zeroizing<Vec<u8>>,
    /// Key ids that were asked for; 0 for a release.
    pub asked: usize,
    /// Keys in the license; not more than were asked for.
    pub answered: usize,
}

/// Why a message has no answer.
#[derive(Debug, ThisError)]
pub enum Refusal {
    /// It is neither a license request nor a release.
    #[error(transparent)]
    Malformed(clearkey::Error),

    /// None of the keys that it asks for is known.
    #[error("no key for KID {}", some(.0))]
    Unknown(Vec<KeyId>),
}

/// Answers what a CDM says in a `message` event. A license holds those keys that are known, and of a request
/// with none there is no license. A release is acknowledged whatever it names: the server keeps no
/// account of licenses.
///
/// # Errors
///
/// [`Refusal`].
pub fn reply(keys: &KeyStore, message: &[u8]) -> Result<Reply, Refusal> {
    match CdmMessage::parse(message).map_err(Refusal::Malformed)? {
        CdmMessage::Request(request) => {
            let answer = request.answer(|kid| keys.key(kid));
            let license = answer.license.ok_or(Refusal::Unknown(answer.missing))?;
            let (asked, answered) = (request.kids().len(), license.keys.len());
            Ok(Reply { json: license.to_json(), asked, answered })
        }
        CdmMessage::Release(release) => {
            Ok(Reply { json: release.to_json().into(), asked: 0, answered: 0 })
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { json: _, asked, answered } = self;
        f.debug_struct("Reply")
            .field("asked", asked)
            .field("answered", answered)
            .finish_non_exhaustive()
    }
}

/// At most four key ids, and how many more there are.
fn some(kids: &[KeyId]) -> String {
    let named: Vec<_> = kids.iter().take(4).map(ToString::to_string).collect();
    let more = kids.len() - named.len();
    let named = named.join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

#[cfg(test)]
mod tests {
    use clearkey::{Jwk, License, SessionType};

    use super::*;
    use crate::KeySources;

    fn store() -> KeyStore {
        let fixed =
            [1, 2].map(|octet| Jwk::new(KeyId::new([octet]).unwrap(), [octet; 16])).to_vec();
        KeyStore::open(KeySources { fixed, ..KeySources::default() }).unwrap()
    }

    fn refusal(message: &str) -> String {
        reply(&store(), message.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_request_has_the_keys_that_are_known() {
        let message = br#"{"kids":["Ag","Aw","AQ"],"type":"persistent-license"}"#;
        let reply = reply(&store(), message).unwrap();
        assert_eq!((reply.asked, reply.answered), (3, 2));
        let license = License::parse(&reply.json).unwrap();
        assert_eq!(license.license_type, SessionType::PersistentLicense);
        let keys = license.keys.iter().map(|jwk| (jwk.kid().to_string(), jwk.key()[0]));
        assert_eq!(keys.collect::<Vec<_>>(), [("02".to_owned(), 2), ("01".to_owned(), 1)]);
    }

    #[test]
    fn a_release_is_acknowledged() {
        let reply = reply(&store(), br#" {"kids":["Ag","Aw"]} "#).unwrap();
        assert_eq!(*reply.json, br#"{"kids":["Ag","Aw"]}"#);
        assert_eq!((reply.asked, reply.answered), (0, 0));
    }

    #[test]
    fn a_refusal_says_why() {
        let unknown = r#"{"kids":["Aw"],"type":"temporary"}"#;
        assert_eq!(refusal(unknown), "no key for KID 03");
        let many = r#"{"kids":["Aw","BA","BQ","Bg","Bw","CA"],"type":"temporary"}"#;
        assert_eq!(refusal(many), "no key for KID 03, 04, 05, 06 and 2 more");
        assert_eq!(refusal("[]"), "top level: a list, must be an object");
    }

    #[test]
    fn a_reply_does_not_show_its_keys() {
        let reply = reply(&store(), br#"{"kids":["Ag"],"type":"temporary"}"#).unwrap();
        assert_eq!(format!("{reply:?}"), "Reply { asked: 1, answered: 1, .. }");
    }
}
