//! Answers as the server shapes them (core reference 1.5).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// JSON in and out. Unlike axum's, it does not ask for a content type: the server never does, and its
/// own JavaScript client sends none. No body reads as `null`.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|e| Refusal::new(413, "api.context.request_body_too_large", e.to_string()))?;
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        let value = serde_json::from_slice(text).map_err(|e| Refusal::bad(e.to_string()))?;
        Ok(Self(value))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A refusal: status, stable id, English text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) id: &'static str,
    pub(crate) message: String,
}

/// What a handler answers.
pub(crate) type Reply = Result<Response, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, id: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            id,
            message: message.into(),
        }
    }

    pub(crate) fn session() -> Self {
        Self::new(
            401,
            "api.context.session_expired.app_error",
            "Invalid or expired session, please login again.",
        )
    }

    pub(crate) fn permission() -> Self {
        Self::new(
            403,
            "api.context.permissions.app_error",
            "You do not have the appropriate permissions.",
        )
    }

    pub(crate) fn not_found(what: &'static str) -> Self {
        Self::new(404, what, "Unable to find the existing object.")
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "api.context.invalid_body_param.app_error", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "id": self.id, "message": self.message, "detailed_error": "",
            "request_id": "devserverxxxxxxxxxxxxxxxxx", "status_code": self.status.as_u16(),
        });
        (self.status, Json(body)).into_response()
    }
}

/// 200 with JSON.
pub(crate) fn ok(value: Value) -> Reply {
    Ok(Json(value).into_response())
}

/// 201 with JSON.
pub(crate) fn created(value: Value) -> Reply {
    Ok((StatusCode::CREATED, Json(value)).into_response())
}

/// `{"status":"OK"}`.
pub(crate) fn done() -> Reply {
    ok(json!({"status": "OK"}))
}
