//! Custom emoji: one, drawn here, so that a client has something to show.

use axum::extract::{Path, Query};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, Reply, ok};
use super::auth::Caller;
use super::avatar;

/// Identity of the only one.
const ID: &str = "emojihalloo000000000000000";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    page: usize,
}

/// `GET /emoji`.
pub(crate) async fn list(_caller: Caller, Query(query): Query<ListQuery>) -> Reply {
    if query.page > 0 {
        return ok(json!([]));
    }
    ok(json!([{
        "id": ID, "name": "halloo", "creator_id": "", "create_at": 1, "update_at": 1, "delete_at": 0,
    }]))
}

/// `GET /emoji/{id}/image`.
pub(crate) async fn image(_caller: Caller, Path(id): Path<String>) -> Reply {
    if id != ID {
        return Err(Refusal::not_found("store.sql.not_found.app_error"));
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("image/png"))];
    Ok((kind, avatar::draw("halloo", "H")).into_response())
}
