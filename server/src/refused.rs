//! Answers that say no: a status, and JSON with the reason.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::json::json;

/// A request that is refused. The text is for the one who sent it, and holds nothing that others sent.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    reason: String,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    /// There is nothing of that name, or nothing that is shown.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found")
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        json(self.status, serde_json::json!({ "error": self.reason }).to_string())
    }
}
