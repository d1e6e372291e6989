//! One request in, one reply out, over HTTPS.

use std::sync::{Arc, RwLock};

use bytes::Bytes;
use calls_core::command::HostAction;
use calls_core::id::{ChannelId, SessionId, UserId};
use calls_core::model::IceServer;
use calls_core::port::{Reply, Request, RequestError, Secret};
use calls_core::snapshot::{Way, WayKind};
use calls_core::wire::{self, calls};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::peer::probe;
use crate::tls::Trust;
use crate::translate;
use http::{Http, MAX_JSON, MAX_PICTURE};

mod account;
mod chat;
mod files;
mod http;
mod load;

pub(crate) use account::is_loopback;
pub(crate) use http::site_url;

/// Performs requests for one account. Cheap to clone: clones share connections and the account.
#[derive(Clone, Debug)]
pub struct Rest {
    http: Http,
    account: Arc<RwLock<Account>>,
    user_agent: Arc<str>,
    trust: Trust,
}

#[derive(Clone, Debug, Default)]
struct Account {
    server: String,
    token: Option<Secret>,
}

impl Rest {
    /// A client that calls itself `user_agent`. Mattermost keeps it with the session and sorts by it: the part
    /// that begins with `Mattermost` must come **last** (first would make it a mobile session).
    #[must_use]
    pub fn new(user_agent: &str) -> Self {
        Self::with_trust(user_agent, Trust::default())
    }

    /// As [`Rest::new`], for servers that the person trusts as well.
    #[must_use]
    pub fn with_trust(user_agent: &str, trust: Trust) -> Self {
        Self {
            http: Http::new(user_agent, &trust),
            account: Arc::default(),
            user_agent: user_agent.into(),
            trust,
        }
    }

    /// Whom the person trusts.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What we call ourselves.
    pub(crate) fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// Sets the server (site address without a slash at the end) and the token for everything that follows.
    pub fn set_account(&self, server: String, token: Option<Secret>) {
        let account = Account { server, token };
        match self.account.write() {
            Ok(mut held) => *held = account,
            // Nobody can panic while holding this lock, but a poisoned one would still hold good data.
            Err(poisoned) => *poisoned.into_inner() = account,
        }
    }

    /// A client of its own for one account, which shares the connections.
    pub(crate) fn with_account(&self, server: String, token: Secret) -> Self {
        let rest = Self {
            http: self.http.clone(),
            account: Arc::default(),
            user_agent: Arc::clone(&self.user_agent),
            trust: self.trust.clone(),
        };
        rest.set_account(server, Some(token));
        rest
    }

    /// New requests open new connections: those that are kept lead nowhere any more. What is under way goes on.
    pub(crate) fn forget_connections(&self) {
        self.http.forget_connections();
    }

    fn account(&self) -> Account {
        match self.account.read() {
            Ok(held) => held.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    /// Performs a request.
    ///
    /// # Errors
    /// See [`RequestError`]: each variant says what can be done.
    pub async fn perform(&self, request: Request) -> Result<Reply, RequestError> {
        match request {
            Request::TestWays {
                servers,
                credentials,
            } => Ok(Reply::Ways(self.ways(servers, credentials).await)),
            Request::FindServer { address } => account::find(&self.http, &address).await,
            Request::SignIn {
                server,
                login,
                password,
                code,
            } => account::sign_in(&self.http, &server, login, &password, code.as_ref()).await,
            Request::CheckToken { server, token } => {
                account::check_token(&self.http, &server, token).await
            }
            Request::SignInOutside { server, token } => {
                account::sign_in_outside(&self.http, &server, &token).await
            }
            Request::SignOut => {
                self.post_only(&["api", "v4", "users", "logout"], &serde_json::json!({}))
                    .await?;
                Ok(Reply::Done)
            }
            Request::LoadDirectory => load::directory(self).await,
            Request::LoadCalls => load::calls(self).await,
            Request::LoadChannel(channel) => load::channel(self, &channel).await,
            Request::LoadUsers(users) => load::users(self, users).await.map(Reply::Users),
            Request::LoadPresences(users) => {
                load::presences(self, users).await.map(Reply::Presences)
            }
            Request::SetPresence {
                user,
                presence,
                until,
            } => {
                let body = serde_json::json!({
                    "user_id": user.as_str(),
                    "status": translate::status_of(presence),
                    // Seconds; 0 is without an end.
                    "dnd_end_time": until.unwrap_or(0) / 1000,
                });
                self.put_only(&["api", "v4", "users", "me", "status"], &body)
                    .await?;
                Ok(Reply::Done)
            }
            Request::LoadPosts { channel, page } => load::posts(self, &channel, page).await,
            Request::CreatePost {
                channel,
                root,
                message,
                files,
                pending,
            } => {
                let body = wire::rest::NewPost {
                    channel_id: channel.as_str().to_owned(),
                    root_id: root
                        .map(|root| root.as_str().to_owned())
                        .unwrap_or_default(),
                    message,
                    file_ids: files
                        .into_iter()
                        .map(|file| file.as_str().to_owned())
                        .collect(),
                    pending_post_id: pending.as_str().to_owned(),
                };
                let post: wire::rest::Post = self.post(&["api", "v4", "posts"], &body).await?;
                Ok(Reply::Post(Box::new(translate::post_of(post))))
            }
            Request::Execute {
                channel,
                team,
                root,
                command,
            } => {
                let body = wire::rest::ExecuteCommand {
                    channel_id: channel.as_str().to_owned(),
                    team_id: team
                        .map(|team| team.as_str().to_owned())
                        .unwrap_or_default(),
                    root_id: root
                        .map(|root| root.as_str().to_owned())
                        .unwrap_or_default(),
                    command,
                };
                self.post_only(&["api", "v4", "commands", "execute"], &body)
                    .await?;
                Ok(Reply::Done)
            }
            Request::ViewChannel(channel) => {
                let body = wire::rest::ViewChannel {
                    channel_id: channel.as_str().to_owned(),
                    collapsed_threads_supported: true,
                };
                self.post_only(&["api", "v4", "channels", "members", "me", "view"], &body)
                    .await?;
                Ok(Reply::Done)
            }
            Request::DismissCall(channel) => {
                self.calls_only(&channel, "dismiss-notification").await
            }
            Request::DeclineCall(channel) => self.calls_only(&channel, "decline").await,
            Request::SetNotify(props) => {
                let body = serde_json::json!({ "notify_props": props.0 });
                self.put_only(&["api", "v4", "users", "me", "patch"], &body)
                    .await?;
                Ok(Reply::Done)
            }
            Request::FindChannel { team, name } => {
                let path = [
                    "api", "v4", "teams", "name", &team, "channels", "name", &name,
                ];
                let channel: wire::rest::Channel = self.get(&path, &[]).await?;
                load::with_membership(self, channel).await
            }
            Request::Moderate { channel, action } => {
                let (word, body) = host_control(&action);
                let path = calls_path(&channel, &["host", word]);
                self.post_only(&path, &body).await?;
                Ok(Reply::Done)
            }
            Request::EndCall(channel) => {
                let path = calls_path(&channel, &["host", "end"]);
                self.post_only(&path, &serde_json::json!({})).await?;
                Ok(Reply::Done)
            }
            Request::Record { channel, on } => {
                let word = if on { "start" } else { "stop" };
                let path = calls_path(&channel, &["recording", word]);
                self.post_only(&path, &serde_json::json!({})).await?;
                Ok(Reply::Done)
            }
            Request::UploadLogs {
                channel,
                team,
                logs,
            } => {
                let body = serde_json::json!({
                    "logs": logs, "channel_id": channel.as_str(), "team_id": team.as_str(),
                });
                let path = ["plugins", calls::PLUGIN_ID, "logs", "upload"];
                self.post_only(&path, &body).await?;
                Ok(Reply::Done)
            }
            Request::OpenDirect { me, user } => {
                let ids = [me.as_str(), user.as_str()];
                let channel: wire::rest::Channel = self
                    .post(&["api", "v4", "channels", "direct"], &ids)
                    .await?;
                load::with_membership(self, channel).await
            }
            request => chat::perform(self, request).await,
        }
    }

    /// The portrait of a user, as the server's image bytes (PNG or JPEG, at most 4 MiB). `version` makes the
    /// address unique, so that a cache may keep it for ever.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn picture(&self, user: &UserId, version: i64) -> Result<Bytes, RequestError> {
        let account = self.account();
        let url = http::address(
            &account.server,
            &["api", "v4", "users", user.as_str(), "image"],
            &[("_", &version.to_string())],
        )?;
        let request = self.http.get(url, account.token.as_ref());
        Ok(self.http.send(request, MAX_PICTURE).await?.body)
    }

    /// Which ways there are (see `peer/probe.rs`). What fails is part of the answer.
    async fn ways(&self, mut servers: Vec<IceServer>, credentials: bool) -> Vec<Way> {
        let place = http::site_url(&self.account().server);
        let host = place.as_ref().and_then(|url| url.host_str()).unwrap_or("");
        // An address in brackets is none for a socket.
        let host = host.trim_matches(['[', ']']);
        let ping = async {
            let path = ["api", "v4", "system", "ping"];
            let ping = self.bytes(&path, &[]).await;
            ping.map(drop).map_err(std::io::Error::other)
        };
        let site = probe::judged(WayKind::Site, host.to_owned(), ping).await;
        if credentials {
            match self.turn_credentials().await {
                Ok(more) => servers.extend(more),
                Err(error) => tracing::warn!(%error, "no TURN credentials"),
            }
        }
        let mut ways = vec![site];
        ways.extend(probe::ways(&servers, host).await);
        ways
    }

    /// Short-lived TURN credentials.
    pub(crate) async fn turn_credentials(&self) -> Result<Vec<IceServer>, RequestError> {
        let servers: Vec<calls::IceServer> = self
            .get(&["plugins", calls::PLUGIN_ID, "turn-credentials"], &[])
            .await?;
        Ok(servers.into_iter().map(translate::ice_server_of).collect())
    }

    /// Whether the session still lives.
    pub(crate) async fn session_lives(&self) -> Result<(), RequestError> {
        let _: wire::rest::User = self.get(&["api", "v4", "users", "me"], &[]).await?;
        Ok(())
    }

    async fn bytes(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Bytes, RequestError> {
        let account = self.account();
        let url = http::address(&account.server, path, query)?;
        let request = self.http.get(url, account.token.as_ref());
        Ok(self.http.send(request, MAX_JSON).await?.body)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, RequestError> {
        http::json(&self.bytes(path, query).await?)
    }

    /// Asks something of a channel's call that has no answer.
    async fn calls_only(
        &self,
        channel: &calls_core::id::ChannelId,
        what: &str,
    ) -> Result<Reply, RequestError> {
        let path = ["plugins", calls::PLUGIN_ID, "calls", channel.as_str(), what];
        self.post_only(&path, &serde_json::json!({})).await?;
        Ok(Reply::Done)
    }

    async fn put_only<B: Serialize + Sync + ?Sized>(
        &self,
        path: &[&str],
        body: &B,
    ) -> Result<Bytes, RequestError> {
        let account = self.account();
        let url = http::address(&account.server, path, &[])?;
        let request = self.http.put(url, account.token.as_ref(), body);
        Ok(self.http.send(request, MAX_JSON).await?.body)
    }

    async fn post_only<B: Serialize + Sync + ?Sized>(
        &self,
        path: &[&str],
        body: &B,
    ) -> Result<Bytes, RequestError> {
        let account = self.account();
        let url = http::address(&account.server, path, &[])?;
        let request = self.http.post(url, account.token.as_ref(), body);
        Ok(self.http.send(request, MAX_JSON).await?.body)
    }

    async fn delete(&self, path: &[&str]) -> Result<(), RequestError> {
        let account = self.account();
        let url = http::address(&account.server, path, &[])?;
        let request = self.http.delete(url, account.token.as_ref());
        self.http.send(request, MAX_JSON).await?;
        Ok(())
    }

    async fn post<T: DeserializeOwned, B: Serialize + Sync + ?Sized>(
        &self,
        path: &[&str],
        body: &B,
    ) -> Result<T, RequestError> {
        http::json(&self.post_only(path, body).await?)
    }
}

/// Below `/calls/{channel}/`: the path's call is named by its channel.
fn calls_path<'a>(channel: &'a ChannelId, rest: &[&'a str]) -> Vec<&'a str> {
    let mut path = vec!["plugins", calls::PLUGIN_ID, "calls", channel.as_str()];
    path.extend(rest);
    path
}

/// Last part of the path, and the body (calls-v1-rest §3.10).
fn host_control(action: &HostAction) -> (&'static str, Value) {
    let of = |session: &SessionId| serde_json::json!({"session_id": session.as_str()});
    match action {
        HostAction::MakeHost { user } => {
            ("make", serde_json::json!({"new_host_id": user.as_str()}))
        }
        HostAction::Mute { session } => ("mute", of(session)),
        HostAction::MuteOthers => ("mute-others", serde_json::json!({})),
        HostAction::StopShare { session } => ("screen-off", of(session)),
        HostAction::LowerHand { session } => ("lower-hand", of(session)),
        HostAction::Remove { session } => ("remove", of(session)),
    }
}
