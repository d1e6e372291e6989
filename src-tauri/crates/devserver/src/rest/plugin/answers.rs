//! What the plugin's routes answer when they are not about a running call: configuration, channel
//! states, TURN credentials, logs and statistics.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use bytes::Bytes;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::No;
use crate::id::{IdSource, is_id};
use crate::rest::answer::Json;
use crate::world::model::{Channel, Kind, Post};
use crate::world::{World, now_ms};

impl World {
    pub(super) fn calls_config(&self, admin: bool) -> Value {
        let s = &self.switches;
        let ice = if s.ice_servers_null {
            Value::Null
        } else if s.stun_urls.is_empty() {
            json!([])
        } else {
            json!([{"urls": s.stun_urls}])
        };
        let mut config = json!({
            "ICEServers": ice, "ICEServersConfigs": ice, "AllowEnableCalls": true,
            "DefaultEnabled": !s.test_mode, "MaxCallParticipants": s.max_participants,
            "NeedsTURNCredentials": s.turn_secret.is_some(),
            "AllowScreenSharing": s.screen_sharing, "EnableRecordings": s.recordings,
            "EnableTranscriptions": s.transcriptions, "EnableLiveCaptions": s.live_captions,
            "MaxRecordingDuration": s.max_recording_minutes, "EnableSimulcast": s.simulcast,
            "EnableRinging": s.ringing,
            "sku_short_name": if s.host_controls { "enterprise" } else { "starter" },
            "HostControlsAllowed": s.host_controls, "EnableAV1": false,
            "GroupCallsAllowed": s.group_calls, "EnableDCSignaling": s.dc_signaling,
            "EnableVideo": s.video,
        });
        if admin {
            let port = self.sfu.local_addr().port();
            let more = json!({
                "ICEHostOverride": "", "ICEHostPortOverride": null, "UDPServerAddress": "",
                "TCPServerAddress": "", "UDPServerPort": port, "TCPServerPort": port,
                "RTCDServiceURL": "", "TURNStaticAuthSecret": s.turn_secret,
                "TURNCredentialsExpirationMinutes": 240, "ServerSideTURN": false,
                "JobServiceURL": "", "RecordingQuality": "medium", "EnableIPv6": false,
                "TranscribeAPI": "whisper.cpp",
            });
            if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
                config.extend(more);
            }
        }
        config
    }

    /// One entry of `GET /channels`; `None` if there is nothing to say about the channel.
    fn calls_entry(&self, channel: &Channel, user: &str) -> Option<Value> {
        let call = self.calls.active.get(&channel.id);
        if call.is_none() && channel.calls_enabled.is_none() {
            return None;
        }
        let mut entry = json!({"channel_id": channel.id});
        if let Some(enabled) = channel.calls_enabled {
            entry["enabled"] = enabled.into();
        }
        if let Some(call) = call {
            entry["call"] = call.json(user);
        }
        Some(entry)
    }

    pub(super) fn calls_channels(&self, user: &str) -> Value {
        self.channels
            .values()
            .filter(|c| c.members.contains_key(user))
            .filter_map(|c| self.calls_entry(c, user))
            .collect()
    }

    pub(super) fn calls_channel(&self, channel: &str, user: &str) -> Value {
        let explicit = self.channels.get(channel).and_then(|c| c.calls_enabled);
        let enabled = explicit.unwrap_or(!self.switches.test_mode);
        let mut entry = json!({"channel_id": channel, "enabled": enabled});
        if let Some(call) = self.calls.active.get(channel) {
            entry["call"] = call.json(user);
        }
        entry
    }

    /// `POST /{channel}`: a missing `enabled` means false.
    pub(super) fn enable_calls(
        &mut self,
        channel: &str,
        user: &str,
        admin: bool,
        body: &[u8],
    ) -> Result<Response, No> {
        let body: Value =
            serde_json::from_slice(body).map_err(|e| No::Object(400, e.to_string()))?;
        let enabled = body["enabled"].as_bool().unwrap_or(false);
        let test_mode = self.switches.test_mode;
        let place = self.channels.get_mut(channel);
        let place = place.ok_or_else(|| No::Object(403, "channel not found".to_owned()))?;
        let team_admin = self
            .teams
            .get(&place.team_id)
            .and_then(|t| t.members.get(user))
            .copied()
            .unwrap_or(false);
        let member = place.members.get(user);
        let allowed = admin
            || (!test_mode
                && member.is_some_and(|m| {
                    m.admin || team_admin || matches!(place.kind, Kind::Direct | Kind::Group)
                }));
        if !allowed {
            return Err(No::Object(403, "Forbidden".to_owned()));
        }
        place.calls_enabled = Some(enabled);
        let name = if enabled {
            "channel_enable_voice"
        } else {
            "channel_disable_voice"
        };
        self.calls_to_channel(channel, name, json!({}));
        let body = json!({"channel_id": channel, "enabled": enabled});
        let mut response = Json(body).into_response();
        if self.switches.plain_errors {
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        Ok(response)
    }

    pub(super) fn turn_credentials(&self, user: &str) -> Result<Response, No> {
        let (Some(secret), false) = (
            &self.switches.turn_secret,
            self.switches.turn_urls.is_empty(),
        ) else {
            return Err(No::Object(
                403,
                "TURN servers are not configured".to_owned(),
            ));
        };
        let name = self.users.get(user).map_or("", |u| u.username.as_str());
        let username = format!("{}:{name}", now_ms() / 1000 + 240 * 60);
        let mac = hmac_sha1(secret.as_bytes(), username.as_bytes());
        let credential = base64::engine::general_purpose::STANDARD.encode(mac);
        let body = json!([{
            "urls": self.switches.turn_urls, "username": username, "credential": credential,
        }]);
        Ok(Json(body).into_response())
    }

    /// `POST /logs/upload`: a file in the caller's DM with the bot, and a hint in the channel.
    pub(super) fn upload_logs(&mut self, user: &str, body: &[u8]) -> Result<Response, No> {
        let bad = |text: &str| No::Object(400, text.to_owned());
        let body: Value = serde_json::from_slice(body).map_err(|e| bad(&e.to_string()))?;
        let field = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (channel, team) = (field("channel_id"), field("team_id"));
        if !is_id(&channel) || !is_id(&team) {
            return Err(bad("invalid channel or team id"));
        }
        let bot = IdSource::named("user", "calls");
        let (direct, _) = self.direct_channel(&bot, user);
        let name = format!("call_logs_{}.txt", now_ms());
        let bytes = Bytes::from(field("logs"));
        let file = self.store_file(&bot, &direct, &name, "text/plain", bytes);
        let post = Post {
            user_id: bot,
            channel_id: direct,
            file_ids: vec![file],
            ..Post::default()
        };
        let id = self.create_post(post, false).unwrap_or_default();
        let Some(team) = self.teams.get(&team) else {
            return Err(No::Text(500, "Internal Server Error"));
        };
        let text = format!("[Call logs]({}/{}/pl/{id})", self.site_url, team.name);
        self.ephemeral(user, &channel, "", &text);
        Ok(Json(json!({})).into_response())
    }

    pub(super) fn site_stats(&self) -> Value {
        let sessions: usize = self.calls.active.values().map(|c| c.sessions.len()).sum();
        json!({
            "total_calls": self.calls.started, "total_active_calls": self.calls.active.len(),
            "total_active_sessions": sessions, "calls_by_day": {}, "calls_by_month": {},
            "calls_by_channel_type": {}, "avg_duration": 0, "avg_participants": 0,
            "recording_jobs_by_day": {}, "recording_jobs_by_month": {},
        })
    }
}

/// HMAC-SHA1 (RFC 2104), which TURN's long-term credentials use.
fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..20].copy_from_slice(&Sha1::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha1::new()
        .chain_update(block.map(|b| b ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha1::new()
        .chain_update(block.map(|b| b ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::hmac_sha1;

    #[test]
    fn hmac_matches_rfc_2202() {
        let hex = |b: Vec<u8>| b.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(
            hex(hmac_sha1(b"Jefe", b"what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            hex(hmac_sha1(
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        );
    }
}
