//! A JSON message, read once, then walked with the path of every value at hand.
//!
//! Messages are UTF-8 without a byte order mark, one JSON value, nothing but white space after it.
//! Names are compared after their escapes are resolved. Of a repeated member the last one counts.
//! Values nest 127 deep at most: `serde_json` refuses more, so no message can exhaust the stack.

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::{Error, base64url};

/// A message in memory. Its texts may be keys, so each is wiped when it goes, also where the message breaks off
/// behind it. (`serde_json` may leave copies of text with escapes in its scratch buffer.)
pub(crate) struct Document(Value);

/// A value of JSON. Of a repeated member the last one is kept.
enum Value {
    Null,
    Bool,
    Number,
    Text(Zeroizing<String>),
    List(Vec<Value>),
    Object(HashMap<String, Value>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Takes whatever comes.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Bool)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = HashMap::new();
        while let Some((name, value)) = members.next_entry()? {
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

impl Document {
    /// Reads a message whose length has been checked.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Error> {
        let text =
            str::from_utf8(message).map_err(|error| Error::Utf8 { at: error.valid_up_to() })?;
        if text.starts_with('\u{feff}') {
            return Err(Error::Json { reason: "starts with a byte order mark".to_owned() });
        }
        // A syntax error tells a place and a rule, and quotes nothing.
        let value = serde_json::from_str(text)
            .map_err(|error| Error::Json { reason: error.to_string() })?;
        Ok(Self(value))
    }

    /// The top level.
    pub(crate) fn root(&self) -> Node<'_> {
        Node { value: &self.0, path: String::new() }
    }
}

/// A value and the path to it, as in `keys[2].k`; the path of the top level is empty.
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A member of this object, if it is there.
    pub(crate) fn member(&self, name: &str) -> Result<Option<Node<'a>>, Error> {
        let Value::Object(members) = self.value else { return Err(self.not("an object")) };
        Ok(members.get(name).map(|value| Node { value, path: self.path_of(name) }))
    }

    /// A member of this object that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<Node<'a>, Error> {
        self.member(name)?.ok_or_else(|| Error::MemberMissing { path: self.path_of(name) })
    }

    /// The elements of this list, of which there must be one at least.
    pub(crate) fn elements(&self) -> Result<impl ExactSizeIterator<Item = Node<'a>>, Error> {
        let elements = self.any_elements()?;
        if elements.len() == 0 {
            return Err(Error::MemberEmpty { path: self.path.clone() });
        }
        Ok(elements)
    }

    /// The elements of this list.
    pub(crate) fn any_elements(&self) -> Result<impl ExactSizeIterator<Item = Node<'a>>, Error> {
        let Value::List(elements) = self.value else { return Err(self.not("a list")) };
        Ok(elements
            .iter()
            .enumerate()
            .map(|(index, value)| Node { value, path: format!("{}[{index}]", self.path) }))
    }

    /// This text.
    pub(crate) fn text(&self) -> Result<&'a str, Error> {
        match self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.not("text")),
        }
    }

    /// The octets that this text says in base64url. The error says where it goes wrong, not what
    /// stands there: it may be a key.
    pub(crate) fn octets(
        &self,
        what: &'static str,
        allowed: RangeInclusive<usize>,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let path = || self.path.clone();
        let text = self.text()?;
        let octets = base64url::decode(text).map_err(|error| Error::MemberBase64 {
            path: path(),
            at: match error {
                Error::Base64Character { at, .. } => at,
                _ => text.len(),
            },
        })?;
        let octets = Zeroizing::new(octets);
        if allowed.contains(&octets.len()) {
            Ok(octets)
        } else {
            Err(Error::MemberLength { path: path(), what, len: octets.len(), allowed })
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn not(&self, expected: &'static str) -> Error {
        let path = if self.path.is_empty() { "top level" } else { &self.path };
        Error::MemberType { path: path.to_owned(), expected, found: kind(self.value) }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool => "a truth value",
        Value::Number => "a number",
        Value::Text(_) => "text",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf8_without_a_byte_order_mark_is_read() {
        let refused = |message: &[u8]| Document::read(message).err().unwrap();
        assert_eq!(refused(b"{\"a\":\"\xff\"}"), Error::Utf8 { at: 6 });
        assert_eq!(refused(b"\xff\xfe{\0}\0"), Error::Utf8 { at: 0 });
        assert!(refused(b"\xef\xbb\xbf{}").to_string().contains("byte order mark"));
        assert!(refused(b"{\"a\":\"\0\"}").to_string().contains("control character"));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Document::read(nested(127).as_bytes()).is_ok());
        assert!(Document::read(nested(128).as_bytes()).is_err());
        assert!(Document::read("[".repeat(65_536).as_bytes()).is_err());
        assert!(Document::read("{\"a\":".repeat(13_000).as_bytes()).is_err());
    }

    #[test]
    fn of_a_repeated_member_the_last_one_counts() {
        let document = Document::read(br#"{"a":"first","b":1,"a":"last"}"#).unwrap();
        assert_eq!(document.root().required("a").unwrap().text().unwrap(), "last");
    }

    #[test]
    fn the_path_leads_to_the_value() {
        let document = Document::read(br#"{"keys":[{},{"k":7}]}"#).unwrap();
        let keys = document.root().required("keys").unwrap();
        let second = keys.elements().unwrap().nth(1).unwrap();
        assert_eq!(
            second.required("k").unwrap().text().unwrap_err().to_string(),
            "keys[1].k: a number, must be text"
        );
        assert_eq!(second.required("kid").err().unwrap().to_string(), "keys[1].kid: missing");
        assert_eq!(
            document.root().text().unwrap_err().to_string(),
            "top level: an object, must be text"
        );
    }
}
