//! The Calls plugin's words.

use calls_core::id::{CallId, ChannelId, PostId, SessionId, UserId};
use calls_core::model::{
    CallState, CallsChannel, CallsConfig, IceServer, Job, JobKind, Participant,
};
use calls_core::wire::calls;

use super::some;

/// A call; `channel` comes from around it, because a call does not say where it is.
pub(crate) fn call_state_of(call: calls::Call, channel: ChannelId) -> CallState {
    CallState {
        id: CallId::new(call.id),
        channel,
        start_at: call.start_at,
        participants: call.sessions.into_iter().map(participant_of).collect(),
        thread: some(call.thread_id, PostId::new),
        post: some(call.post_id, PostId::new),
        sharing: some(call.screen_sharing_session_id, SessionId::new),
        owner: UserId::new(call.owner_id),
        host: some(call.host_id, UserId::new),
        recording: call.recording.map(job_of),
        captions: call.live_captions.map(job_of),
        // The map holds at most the asking user's own entry.
        dismissed: call
            .dismissed_notification
            .values()
            .any(|dismissed| *dismissed),
    }
}

/// A recording, transcription or captioning.
pub(crate) fn job_of(job: calls::Job) -> Job {
    Job {
        init_at: job.init_at,
        start_at: job.start_at,
        end_at: job.end_at,
        error: job.err,
    }
}

/// Which job it is; `None` for one that we do not know.
pub(crate) fn job_kind_of(kind: &str) -> Option<JobKind> {
    match kind {
        "recording" => Some(JobKind::Recording),
        "transcribing" => Some(JobKind::Transcription),
        "captioning" => Some(JobKind::Captions),
        _ => None,
    }
}

fn participant_of(session: calls::Session) -> Participant {
    Participant {
        session: SessionId::new(session.session_id),
        user: UserId::new(session.user_id),
        muted: !session.unmuted,
        hand_raised_at: (session.raised_hand > 0).then_some(session.raised_hand),
    }
}

/// One channel of the plugin's list.
pub(crate) fn calls_channel_of(entry: calls::CallsChannel) -> CallsChannel {
    let channel = ChannelId::new(entry.channel_id);
    CallsChannel {
        call: entry.call.map(|call| call_state_of(call, channel.clone())),
        enabled: entry.enabled,
        channel,
    }
}

/// The plugin's configuration and version.
pub(crate) fn calls_config_of(config: calls::Config, version: calls::Version) -> CallsConfig {
    CallsConfig {
        version: version.version,
        rtcd_version: version.rtcd_version,
        default_enabled: config.default_enabled,
        max_participants: config.max_call_participants,
        needs_turn_credentials: config.needs_turn_credentials,
        allow_screen_sharing: config.allow_screen_sharing,
        simulcast: config.enable_simulcast,
        ringing: config.enable_ringing,
        host_controls: config.host_controls_allowed,
        group_calls: config.group_calls_allowed,
        recordings: config.enable_recordings,
        transcriptions: config.enable_transcriptions,
        max_recording_minutes: config.max_recording_duration,
        dc_signaling: config.enable_dc_signaling,
        ice_servers: config
            .ice_servers_configs
            .into_iter()
            .map(ice_server_of)
            .collect(),
    }
}

/// A STUN or TURN server.
pub(crate) fn ice_server_of(server: calls::IceServer) -> IceServer {
    IceServer {
        urls: server.urls,
        username: server.username,
        credential: server.credential,
    }
}
