//! How a development server is set up, and what can be switched while it runs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where HTTP and the WebSocket listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The UDP and ICE-TCP port of the SFU, on the same address; 0 takes any free one.
    pub media_port: u16,
    /// What clients are told instead of the real media address: a relay that forwards to it. Candidates of clients are
    /// then ignored, so that no packet goes past the relay. `None` tells the truth.
    pub media_announce: Option<SocketAddr>,
    /// The control address of an SFU in another process, used instead of our own.
    pub foreign_sfu: Option<SocketAddr>,
    /// Which world is made.
    pub seed: Seed,
    /// What can be changed later through `PATCH /dev/config`.
    pub switches: Switches,
    /// The server's time limits. Tests shorten them; a person never needs to.
    pub timings: Timings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            media_port: 0,
            media_announce: None,
            foreign_sfu: None,
            seed: Seed::Small,
            switches: Switches::default(),
            timings: Timings::default(),
        }
    }
}

/// The world a server starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    /// alice, bob, carol and dave in team "halloo", with a few channels and lifelike posts.
    Small,
    /// The small world and `user01` … `user60`, 60 more channels, thousands of posts, and the
    /// channel "Archive" with ten thousand of every kind.
    Large,
}

/// What the administrator of a real server would switch, and what a test wants to provoke.
///
/// The defaults are a friendly server: live mode, ringing, group calls and host controls on; the
/// media options (data-channel signaling, simulcast) off, as on a freshly installed real one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// `EnableDCSignaling`.
    pub dc_signaling: bool,
    /// `EnableSimulcast`. Changing it restarts the SFU.
    pub simulcast: bool,
    /// `EnableRinging`.
    pub ringing: bool,
    /// The opposite of `DefaultEnabled`: only system administrators may start calls.
    pub test_mode: bool,
    /// `GroupCallsAllowed`.
    pub group_calls: bool,
    /// `HostControlsAllowed`.
    pub host_controls: bool,
    /// `MaxCallParticipants`; 0 means no limit.
    pub max_participants: usize,
    /// `AllowScreenSharing`.
    pub screen_sharing: bool,
    /// `EnableVideo`.
    pub video: bool,
    /// `EnableRecordings`.
    pub recordings: bool,
    /// `EnableTranscriptions`.
    pub transcriptions: bool,
    /// `EnableLiveCaptions`.
    pub live_captions: bool,
    /// `MaxRecordingDuration`, minutes.
    pub max_recording_minutes: u32,
    /// What becomes of a recording: see [`Recorder`].
    pub recorder: Recorder,
    /// `ICEServersConfigs`: STUN servers.
    pub stun_urls: Vec<String>,
    /// The secret of `/turn-credentials`; without one the route answers 403.
    pub turn_secret: Option<String>,
    /// URLs that `/turn-credentials` hands out.
    pub turn_urls: Vec<String>,
    /// `ICEServersConfigs` is `null` instead of an empty array.
    pub ice_servers_null: bool,
    /// The plugin's version as `/version` and the plugin list tell it.
    pub plugin_version: String,
    /// The media server's version; `None` leaves both keys out.
    pub rtcd_version: Option<String>,
    /// The Calls plugin is not there: 404 on its routes, its messages fall silent.
    pub plugin_missing: bool,
    /// Rate limit of the Calls REST routes: 1/s, burst 10, per user.
    pub rest_limit: bool,
    /// Rate limit of Calls WebSocket messages: 10/s, burst 100, per session.
    pub socket_limit: bool,
    /// Error bodies of the Calls plugin leave as `text/plain`, as on real servers.
    pub plain_errors: bool,
    /// From this many members on, joins of a channel are worked off in batches: 100.
    pub join_batch_members: usize,
    /// The newer DM behaviour: no answer after 30 s, decline, automatic end, `call_status`.
    pub dm_calls: bool,
    /// Accounts without a second factor get 403 `api.context.mfa_required.app_error` everywhere but on
    /// `users/me`.
    pub enforce_mfa: bool,
    /// Single sign-on is offered, with an imagined GitLab that agrees at once.
    pub sso: bool,
    /// `CollapsedThreads` of the client configuration.
    pub collapsed_threads: String,
    /// `TeammateNameDisplay` of the client configuration.
    pub teammate_name_display: String,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            dc_signaling: false,
            simulcast: false,
            ringing: true,
            test_mode: false,
            group_calls: true,
            host_controls: true,
            max_participants: 0,
            screen_sharing: true,
            video: false,
            recordings: true,
            transcriptions: false,
            live_captions: false,
            max_recording_minutes: 60,
            recorder: Recorder::Works,
            stun_urls: Vec::new(),
            turn_secret: None,
            turn_urls: Vec::new(),
            ice_servers_null: false,
            plugin_version: "1.12.2".to_owned(),
            rtcd_version: Some("v1.2.6".to_owned()),
            plugin_missing: false,
            rest_limit: true,
            socket_limit: true,
            plain_errors: true,
            join_batch_members: 100,
            dm_calls: false,
            enforce_mfa: false,
            sso: false,
            collapsed_threads: "always_on".to_owned(),
            teammate_name_display: "full_name".to_owned(),
        }
    }
}

/// How the simulated recorder behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorder {
    /// Starts after a moment and delivers a file.
    #[default]
    Works,
    /// Fails with this text instead of starting.
    Fails(String),
    /// Never starts; the 60 s limit fails the job.
    NeverStarts,
}

/// The server's time limits (signaling reference, chapter 12).
#[derive(Clone, Debug)]
pub struct Timings {
    /// WebSocket ping frames: 60 s.
    pub ping: Duration,
    /// A socket without a pong for this long is dropped: 100 s.
    pub pong: Duration,
    /// A socket that has not shown who it is: 5 s.
    pub auth: Duration,
    /// How long a call session waits for its socket to come back: 10 s.
    pub grace: Duration,
    /// How long a batch of joins gathers in a big channel: 1 s.
    pub join_batch: Duration,
    /// How often call sessions are checked against the login session: 10 s.
    pub session_check: Duration,
    /// `host_removed` is enforced after this: 3 s.
    pub force_remove: Duration,
    /// `call_end` is enforced after this: 5 s.
    pub force_end: Duration,
    /// An unanswered DM call ends (newer DM behaviour): 30 s.
    pub no_answer: Duration,
    /// The simulated recorder needs this to start: 1.5 s.
    pub recorder_start: Duration,
    /// … and this to deliver its file: 2 s.
    pub recorder_post: Duration,
    /// A recorder that did not start by now has failed: 60 s.
    pub recorder_timeout: Duration,
    /// Closed connections are forgotten after this: 5 min.
    pub reap: Duration,
    /// A desktop token of a single sign-on is good for this long: 3 min.
    pub desktop_token: Duration,
    /// The same `pending_post_id` gives the same post for this long: 30 s.
    pub dedupe: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            ping: s(60),
            pong: s(100),
            auth: s(5),
            grace: s(10),
            join_batch: s(1),
            session_check: s(10),
            force_remove: s(3),
            force_end: s(5),
            no_answer: s(30),
            recorder_start: Duration::from_millis(1500),
            recorder_post: s(2),
            recorder_timeout: s(60),
            reap: s(300),
            desktop_token: s(180),
            dedupe: s(30),
        }
    }
}
