//! Answers as they come over a connection (RFC 9112), read by a reader of their own.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

/// An answer, all of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Reads the answers to requests of these methods, and whether octets are left that are none: a whole one
/// may be followed by one to what is no request, and the last may break off where the connection did.
pub(crate) fn answers(mut wire: &[u8], methods: &[Method]) -> (Vec<Answer>, bool) {
    let mut answers = Vec::new();
    while !wire.is_empty() {
        let method = methods.get(answers.len());
        let Some((answer, rest)) = answer(wire, method) else { return (answers, true) };
        wire = rest;
        // `100 Continue` is none yet.
        if !answer.status.is_informational() {
            answers.push(answer);
        }
    }
    (answers, false)
}

fn answer<'w>(wire: &'w [u8], method: Option<&Method>) -> Option<(Answer, &'w [u8])> {
    let mut lines = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut lines);
    let httparse::Status::Complete(len) = head.parse(wire).expect("a head of an answer") else {
        return None;
    };
    let status = StatusCode::from_u16(head.code?).expect("a status");
    let mut headers = HeaderMap::new();
    for line in head.headers {
        let name = HeaderName::from_bytes(line.name.as_bytes()).expect("a name of a header");
        headers.append(name, HeaderValue::from_bytes(line.value).expect("a value of a header"));
    }
    let rest = &wire[len..];
    let has_no_body = status.is_informational()
        || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status)
        || method == Some(&Method::HEAD);
    let (body, rest) = if has_no_body {
        (Vec::new(), rest)
    } else if let Some(coding) = headers.get("transfer-encoding") {
        assert_eq!(coding, "chunked");
        assert!(!headers.contains_key("content-length"), "two lengths");
        chunked(rest)?
    } else if let Some(len) = headers.get("content-length") {
        let len = len.to_str().unwrap().parse().expect("a length");
        let (body, rest) = rest.split_at_checked(len)?;
        (body.to_vec(), rest)
    } else {
        (rest.to_vec(), &rest[rest.len()..])
    };
    Some((Answer { status, headers, body }, rest))
}

fn chunked(mut wire: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut body = Vec::new();
    loop {
        let status = httparse::parse_chunk_size(wire).expect("a length of a chunk");
        let httparse::Status::Complete((start, len)) = status else { return None };
        let end = start + usize::try_from(len).unwrap();
        body.extend_from_slice(wire.get(start..end)?);
        let line_end = wire.get(end..end + 2)?;
        assert_eq!(line_end, b"\r\n");
        wire = &wire[end + 2..];
        if len == 0 {
            return Some((body, wire));
        }
    }
}
