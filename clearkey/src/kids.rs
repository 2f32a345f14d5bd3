//! Lists of key ids, as init data and messages have them.

use std::collections::HashSet;

use crate::json::Node;
use crate::{Error, KeyId, base64url, limits};

/// Reads the elements of a list of base64url texts. All must be key ids.
pub(crate) fn read<'a>(elements: impl Iterator<Item = Node<'a>>) -> Result<Vec<KeyId>, Error> {
    elements.map(|kid| KeyId::new(&*kid.octets("key id", 1..=limits::KEY_ID)?)).collect()
}

/// The member `kids`, without the braces around it.
pub(crate) fn write(kids: &[KeyId]) -> String {
    let texts = kids.iter().map(|kid| format!("\"{}\"", base64url::encode(kid.as_bytes())));
    format!("\"kids\":[{}]", texts.collect::<Vec<_>>().join(","))
}

/// Each key id once, in its first place.
pub(crate) fn once(mut kids: Vec<KeyId>) -> Vec<KeyId> {
    let mut seen = HashSet::new();
    kids.retain(|kid| seen.insert(kid.clone()));
    kids
}

/// The same for a list that one license request has to name: 1 to [`limits::KIDS`], repeated ones
/// counted.
pub(crate) fn requested(kids: Vec<KeyId>) -> Result<Vec<KeyId>, Error> {
    match kids.len() {
        0 => Err(Error::NoKeyId),
        1..=limits::KIDS => Ok(once(kids)),
        count => Err(Error::TooManyKeyIds { count, limit: limits::KIDS }),
    }
}
