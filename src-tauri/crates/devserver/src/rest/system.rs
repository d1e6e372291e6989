//! Discovery: what the server is and what it can do (core reference, chapter 2).

use std::sync::Arc;

use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, Reply, ok};
use super::auth::PluginCaller;
use crate::app::App;
use crate::socket::actions::VERSION;
use crate::world::World;
use crate::world::posts::MAX_POST;

/// `MaxFileSize`, bytes.
pub(crate) const MAX_FILE: usize = 100 * 1024 * 1024;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct PingQuery {
    get_server_status: Option<bool>,
}

/// `GET /system/ping`.
pub(crate) async fn ping(Query(query): Query<PingQuery>) -> Reply {
    let mut body = json!({
        "status": "OK", "AndroidLatestVersion": "", "AndroidMinVersion": "", "IosLatestVersion": "",
        "IosMinVersion": "", "ActiveSearchBackend": "database",
    });
    if query.get_server_status == Some(true) {
        body["database_status"] = "OK".into();
        body["filestore_status"] = "OK".into();
    }
    ok(body)
}

/// `GET /config/client`: a short map for strangers, a long one for users.
pub(crate) async fn client_config(State(app): State<Arc<App>>, caller: PluginCaller) -> Reply {
    let world = app.lock();
    ok(world.client_config(caller.0.is_some()))
}

impl World {
    /// The client configuration; every value is a string.
    pub(crate) fn client_config(&self, full: bool) -> Value {
        let mut map = json!({
            "Version": VERSION, "BuildNumber": "dev", "BuildDate": "", "BuildHash": "dev",
            "BuildEnterpriseReady": "false", "SiteURL": self.site_url,
            "SiteName": "Halloo Dev", "WebsocketURL": "", "WebsocketPort": "80",
            "WebsocketSecurePort": "443", "EnableSignInWithEmail": "true",
            "EnableSignInWithUsername": "true", "EnableLdap": "false", "EnableSaml": "false",
            "EnableSignUpWithEmail": "true", "EnableSignUpWithGitLab": self.switches.sso.to_string(), "GitLabButtonText": "",
            "EnableSignUpWithGoogle": "false", "EnableSignUpWithOffice365": "false",
            "EnableSignUpWithOpenId": "false", "EnableMultifactorAuthentication": "true",
            "EnforceMultifactorAuthentication": self.switches.enforce_mfa.to_string(), "EnableGuestAccounts": "false",
            "PluginsEnabled": "true", "EnableCustomEmoji": "false", "EnableUserStatuses": "true",
            "DefaultClientLocale": "en", "ForgotPasswordLink": "", "CustomDescriptionText": "",
            "EnableCustomBrand": "false", "HasImageProxy": "false", "DiagnosticId": "",
            "TelemetryId": "", "NoAccounts": "false",
        });
        if full {
            let more = json!({
                "TeammateNameDisplay": self.switches.teammate_name_display,
                "LockTeammateNameDisplay": "false",
                "CollapsedThreads": self.switches.collapsed_threads, "PostEditTimeLimit": "-1",
                "MaxPostSize": MAX_POST.to_string(), "MaxFileSize": MAX_FILE.to_string(),
                "EnableFileAttachments": "true", "EnableLinkPreviews": "false",
                "EnablePermalinkPreviews": "true", "EnableSVGs": "false", "EnableLatex": "false",
                "EnableInlineLatex": "false", "EnableUserTypingMessages": "true",
                "TimeBetweenUserTypingUpdatesMilliseconds": "5000",
                "EnableChannelViewedMessages": "true", "RestrictDirectMessage": "any",
                "ShowEmailAddress": "true", "ShowFullName": "true",
                "EnableUserAccessTokens": "true", "ExtendSessionLengthWithActivity": "true",
                "EnablePostUsernameOverride": "false", "EnablePostIconOverride": "false",
                "EnableCommands": "true", "EnableCustomUserStatuses": "true",
                "EnableLastActiveTime": "true", "MaxNotificationsPerChannel": "1000",
                "UniqueEmojiReactionLimitPerPost": "50", "PostPriority": "true",
                "CustomUrlSchemes": "", "MaxMarkdownNodes": "0", "AllowSyncedDrafts": "false",
                "UsersStatusAndProfileFetchingPollIntervalMilliseconds": "3000",
                "MinimumHashtagLength": "3", "EnableTesting": "false",
                "EnableDeveloper": "true", "DefaultTheme": "denim",
                "ExperimentalViewArchivedChannels": "true",
            });
            if let (Some(map), Value::Object(more)) = (map.as_object_mut(), more) {
                map.extend(more);
            }
        }
        map
    }

    /// The manifest of the Calls plugin.
    pub(crate) fn calls_manifest(&self) -> Value {
        json!({
            "id": "com.mattermost.calls", "name": "Calls",
            "version": self.switches.plugin_version, "min_server_version": "10.0.0",
            "webapp": {"bundle_path": "/static/com.mattermost.calls/main_bundle.js"},
        })
    }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Format {
    format: Option<String>,
}

/// `GET /license/client?format=old`.
pub(crate) async fn license(Query(query): Query<Format>) -> Reply {
    if query.format.as_deref() != Some("old") {
        let id = "api.license.client.old_format.app_error";
        return Err(Refusal::new(
            400,
            id,
            "New format for the client license is not supported.",
        ));
    }
    ok(json!({"IsLicensed": "false"}))
}

/// `GET /plugins/webapp`.
pub(crate) async fn plugins(State(app): State<Arc<App>>) -> Reply {
    let world = app.lock();
    let list = if world.switches.plugin_missing {
        json!([])
    } else {
        json!([world.calls_manifest()])
    };
    ok(list)
}

/// Answers `[]`: things this server has none of.
pub(crate) async fn empty_list() -> Reply {
    ok(json!([]))
}

/// Answers 404: things this server has none of.
pub(crate) async fn nothing() -> Reply {
    Err(Refusal::not_found("store.sql.not_found.app_error"))
}
