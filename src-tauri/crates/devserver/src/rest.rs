//! The REST subset (core reference, chapter 16): the routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post, put};

use crate::app::App;
use crate::{fault, socket};

pub(crate) mod answer;
mod around;
pub(crate) mod auth;
pub(crate) mod avatar;
pub(crate) mod channels;
pub(crate) mod commands;
mod emoji;
pub(crate) mod files;
pub(crate) mod members;
pub(crate) mod plugin;
pub(crate) mod posts;
pub(crate) mod preferences;
pub(crate) mod statuses;
pub(crate) mod system;
pub(crate) mod teams;
pub(crate) mod threads;
pub(crate) mod timeline;
pub(crate) mod users;

use answer::Refusal;
use auth::Caller;

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .merge(system_routes())
        .merge(user_routes())
        .merge(channel_routes())
        .merge(post_routes());
    Router::new()
        .nest("/api/v4", api)
        .route("/plugins/com.mattermost.calls/{*path}", any(plugin::route))
        .route("/oauth/{service}/login", get(auth::sso))
        .route("/login/sso/saml", get(auth::sso))
        .route("/dev/stats", get(stats))
        .route("/dev/calls", get(fault::routes::calls))
        .route(
            "/dev/config",
            get(fault::routes::config).patch(fault::routes::set_config),
        )
        .route("/dev/faults", post(fault::route))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(system::MAX_FILE + 1024 * 1024))
        .layer(from_fn_with_state(app.clone(), around::around))
        .with_state(app)
}

fn system_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/websocket", get(socket::upgrade))
        .route("/system/ping", get(system::ping))
        .route("/config/client", get(system::client_config))
        .route("/license/client", get(system::license))
        .route("/plugins/webapp", get(system::plugins))
        .route("/emoji", get(emoji::list))
        .route("/emoji/names", post(system::empty_list))
        .route("/emoji/search", post(system::empty_list))
        .route("/emoji/autocomplete", get(system::empty_list))
        .route("/emoji/name/{name}", get(system::nothing))
        .route("/emoji/{id}/image", get(emoji::image))
        .route("/roles/names", post(system::empty_list))
        .route("/commands/execute", post(commands::execute))
}

fn user_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/users", get(users::list).post(users::no_sign_up))
        .route("/users/login", post(auth::login))
        .route("/users/login/desktop_token", post(auth::desktop_token))
        .route("/users/logout", post(auth::logout))
        .route("/users/ids", post(users::by_ids))
        .route("/users/usernames", post(users::by_names))
        .route("/users/search", post(users::search))
        .route("/users/autocomplete", get(users::autocomplete))
        .route("/users/known", get(users::known))
        .route("/users/group_channels", post(users::group_channels))
        .route("/users/status/ids", post(statuses::by_ids))
        .route("/users/username/{name}", get(users::by_name))
        .route("/users/{user}", get(users::one))
        .route("/users/{user}/patch", put(users::patch))
        .route("/users/{user}/image", get(users::image))
        .route("/users/{user}/sessions", get(auth::sessions))
        .route("/users/{user}/sessions/revoke", post(auth::revoke))
        .route("/users/{user}/tokens", post(auth::make_token))
        .route("/users/{user}/typing", post(users::typing))
        .route(
            "/users/{user}/status",
            get(statuses::one).put(statuses::set),
        )
        .route(
            "/users/{user}/status/custom",
            put(users::custom_status).delete(users::custom_status),
        )
        .route(
            "/users/{user}/preferences",
            get(preferences::list).put(preferences::put),
        )
        .route(
            "/users/{user}/preferences/delete",
            post(preferences::delete),
        )
        .route(
            "/users/{user}/preferences/{category}",
            get(preferences::list),
        )
        .route(
            "/users/{user}/preferences/{category}/name/{name}",
            get(preferences::list),
        )
        .route("/users/{user}/teams", get(teams::mine))
        .route("/users/{user}/teams/members", get(teams::my_members))
        .route("/users/{user}/teams/unread", get(teams::unread))
        .route("/teams/{team}", get(teams::one))
        .route("/teams/{team}/stats", get(teams::stats))
        .route("/teams/{team}/image", get(system::nothing))
        .route("/teams/{team}/members/{user}", get(teams::member))
        .route("/teams/name/{name}", get(teams::by_name))
        .route(
            "/users/{user}/teams/{team}/channels/categories",
            get(teams::categories)
                .put(teams::put_categories)
                .post(teams::add_category),
        )
        .route(
            "/users/{user}/teams/{team}/channels/categories/order",
            put(teams::order),
        )
        .route(
            "/users/{user}/teams/{team}/channels/categories/{category}",
            delete(teams::delete_category),
        )
}

fn channel_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/users/{user}/channels", get(channels::mine))
        .route("/users/{user}/channel_members", get(members::mine))
        .route(
            "/users/{user}/teams/{team}/channels",
            get(channels::mine_in_team),
        )
        .route(
            "/users/{user}/teams/{team}/channels/members",
            get(members::mine_in_team),
        )
        .route(
            "/users/{user}/channels/{channel}/unread",
            get(members::unread),
        )
        .route(
            "/users/{user}/channels/{channel}/posts/unread",
            get(timeline::around_unread),
        )
        .route("/channels", post(channels::create))
        .route("/channels/direct", post(channels::direct))
        .route("/channels/group", post(channels::group))
        .route("/channels/members/{user}/view", post(members::view))
        .route(
            "/channels/members/{user}/mark_read",
            post(members::mark_read),
        )
        .route(
            "/channels/{channel}",
            get(channels::one).delete(channels::archive),
        )
        .route("/channels/{channel}/patch", put(channels::patch))
        .route("/channels/{channel}/restore", post(channels::restore))
        .route("/channels/{channel}/stats", get(channels::stats))
        .route("/channels/{channel}/posts", get(timeline::list))
        .route("/channels/{channel}/pinned", get(timeline::pinned))
        .route(
            "/channels/{channel}/members",
            get(members::list).post(members::add),
        )
        .route("/channels/{channel}/members/ids", post(members::by_ids))
        .route(
            "/channels/{channel}/members/{user}",
            get(members::one).delete(members::remove),
        )
        .route(
            "/channels/{channel}/members/{user}/notify_props",
            put(members::notify_props),
        )
        .route("/teams/{team}/channels", get(channels::public))
        .route("/teams/{team}/channels/autocomplete", get(channels::public))
        .route("/teams/{team}/channels/search", post(channels::search))
        .route("/teams/{team}/channels/name/{name}", get(channels::by_name))
        .route(
            "/teams/name/{team}/channels/name/{name}",
            get(channels::by_names),
        )
}

fn post_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/posts", post(posts::create))
        .route("/posts/ids", post(posts::by_ids))
        .route(
            "/posts/{post}",
            get(posts::one).put(posts::patch).delete(posts::delete),
        )
        .route("/posts/{post}/patch", put(posts::patch))
        .route("/posts/{post}/thread", get(timeline::thread))
        .route("/posts/{post}/reactions", get(posts::reactions))
        .route("/posts/{post}/files/info", get(files::of_post))
        .route("/posts/{post}/{action}", post(posts::pin))
        .route("/reactions", post(posts::react))
        .route(
            "/users/{user}/posts/{post}/reactions/{emoji}",
            delete(posts::unreact),
        )
        .route(
            "/users/{user}/posts/{post}/set_unread",
            post(posts::set_unread),
        )
        .route("/teams/{team}/posts/search", post(timeline::search))
        .route(
            "/teams/{team}/commands/autocomplete",
            get(commands::autocomplete),
        )
        .route(
            "/teams/{team}/commands/autocomplete_suggestions",
            get(commands::suggestions),
        )
        .route("/users/{user}/teams/{team}/threads", get(threads::list))
        .route(
            "/users/{user}/teams/{team}/threads/read",
            put(threads::read_all),
        )
        .route(
            "/users/{user}/teams/{team}/threads/{thread}",
            get(threads::one),
        )
        .route(
            "/users/{user}/teams/{team}/threads/{thread}/following",
            put(threads::follow).delete(threads::follow),
        )
        .route(
            "/users/{user}/teams/{team}/threads/{thread}/read/{at}",
            put(threads::read),
        )
        .route(
            "/users/{user}/teams/{team}/threads/{thread}/set_unread/{post}",
            post(threads::set_unread),
        )
        .route("/files", post(files::upload))
        .route("/files/{file}", get(files::download))
        .route("/files/{file}/info", get(files::info))
        .route("/files/{file}/thumbnail", get(files::preview))
        .route("/files/{file}/preview", get(files::preview))
        .route("/uploads", post(files::begin_upload))
        .route("/uploads/{file}", post(files::continue_upload))
}

/// `me` is the caller.
pub(crate) fn resolve(id: &str, caller: &Caller) -> String {
    if id == "me" {
        caller.id.clone()
    } else {
        id.to_owned()
    }
}

/// A page of a list: 60 by default, 200 at most.
pub(crate) fn page<T>(all: &[T], page: Option<usize>, per_page: Option<usize>) -> &[T] {
    let size = per_page.unwrap_or(60).min(200);
    let start = page.unwrap_or(0).saturating_mul(size).min(all.len());
    &all[start..(start + size).min(all.len())]
}

async fn stats(State(app): State<Arc<App>>) -> Response {
    let (mut value, sfu) = {
        let world = app.lock();
        (world.stats(), world.sfu.clone())
    };
    value["sockets"] = app.sockets.count().into();
    let media = sfu.stats().await;
    value["sfu"] = serde_json::json!({
        "peers": media.peers, "connected": media.connected, "tracks_in": media.tracks_in,
        "tracks_out": media.tracks_out, "packets_in": media.packets_in, "tcp_in": media.tcp_in,
        "packets_out": media.packets_out, "packets_dropped": media.packets_dropped,
        "overflows": media.overflows, "packet_at": media.packet_at, "spurt_at": media.spurt_at,
    });
    answer::Json(value).into_response()
}

async fn unknown() -> Refusal {
    Refusal::new(
        404,
        "api.context.404.app_error",
        "Sorry, we could not find the page.",
    )
}
