//! Everything a person can ask for. The interface, the command line and links all speak these.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::alert::{AlertSettings, MessageLevel, Tone};
use crate::id::{
    CategoryId, ChannelId, DeviceId, FileId, PendingId, PostId, ServerNumber, SessionId, SourceId,
    TeamId, UploadId, UserId,
};
use crate::preferences::{Appearance, CallPreferences};
use crate::snapshot::{OutsideService, Sound};
use crate::trust::Grant;

/// Which end of the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DeviceRole {
    /// Microphone.
    Input,
    /// Loudspeaker or headphones.
    Output,
}

/// What a host may do to a call (calls-v1-rest §3.10). All but making a host are requests to the other's client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum HostAction {
    /// Hand the call over, for good.
    MakeHost {
        /// To whom.
        user: UserId,
    },
    /// Mute somebody.
    Mute {
        /// Whom.
        session: SessionId,
    },
    /// Mute everybody else.
    MuteOthers,
    /// Stop somebody's shared screen.
    StopShare {
        /// Whose.
        session: SessionId,
    },
    /// Lower somebody's hand.
    LowerHand {
        /// Whose.
        session: SessionId,
    },
    /// Remove somebody. They may come back.
    Remove {
        /// Whom.
        session: SessionId,
    },
}

/// A person's wish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Command {
    /// Look whether a Mattermost server answers at this address (scheme optional).
    FindServer {
        /// As typed.
        address: String,
    },
    /// Trust the certificate that a notice `server.untrusted` or `server.changed` shows, for this host and port alone, and try
    /// again.
    TrustServer {
        /// As the notice has it.
        host: String,
        /// As the notice has it.
        fingerprint: String,
    },
    /// Try which ways there are to the server and to its media, without a call.
    TestNetwork,
    /// Forget the server and ask for an address again.
    ChangeServer,
    /// Sign in with a password.
    SignIn {
        /// User name or e-mail address.
        login: String,
        /// Password. Never logged.
        password: String,
        /// One-time code, when the server has asked for it.
        code: Option<String>,
    },
    /// Sign in with a personal access token or a kept session token.
    SignInWithToken {
        /// The token. Never logged.
        token: String,
    },
    /// Sign in with the person's own browser, at whatever the server trusts.
    SignInOutside {
        /// Which of the server's ways.
        service: OutsideService,
        /// 64 random hexadecimal digits, made by whoever asks: what comes back must carry them.
        token: String,
    },
    /// Do not wait for the browser any more.
    CancelOutside,
    /// Leave any call, end the session, forget the token.
    SignOut,
    /// Try the connection now instead of at the end of the back-off.
    Reconnect,
    /// Show a team.
    OpenTeam {
        /// Which.
        team: TeamId,
    },
    /// Show a channel.
    OpenChannel {
        /// Which.
        channel: ChannelId,
    },
    /// Show the direct channel with somebody, made if need be.
    OpenDirect {
        /// With whom.
        user: UserId,
    },
    /// More of the past, in the open channel.
    LoadOlder,
    /// Keep the text that was typed but not sent.
    SaveDraft {
        /// Where.
        channel: ChannelId,
        /// Thread, if it is a reply.
        #[serde(default)]
        root: Option<PostId>,
        /// Text; empty removes the draft.
        text: String,
    },
    /// Post a message.
    SendPost {
        /// Where.
        channel: ChannelId,
        /// Thread, if it is a reply.
        root: Option<PostId>,
        /// Mattermost markdown. A text beginning with `/` is a slash command.
        text: String,
    },
    /// Change the text of a post of ours.
    EditPost {
        /// Which.
        post: PostId,
        /// From now on.
        text: String,
    },
    /// Delete a post.
    DeletePost {
        /// Which.
        post: PostId,
    },
    /// React to a post, or take it back.
    React {
        /// Which.
        post: PostId,
        /// Name of the emoji, without colons.
        emoji: String,
        /// React; else take it back.
        on: bool,
    },
    /// Show a thread beside the channel.
    OpenThread {
        /// Where.
        channel: ChannelId,
        /// Its first post, or any reply's root.
        root: PostId,
    },
    /// Close the thread beside the channel.
    CloseThread,
    /// Hear of new replies in a thread, or no more.
    FollowThread {
        /// Which.
        root: PostId,
        /// Follow.
        on: bool,
    },
    /// Everything from this post on is unread again.
    MarkUnread {
        /// Which.
        post: PostId,
    },
    /// The person is typing. Told on at most every few seconds.
    Typing {
        /// Where.
        channel: ChannelId,
        /// Thread, if it is a reply.
        root: Option<PostId>,
    },
    /// Stop an upload, or take an uploaded file back before it is sent.
    RemoveUpload {
        /// Which.
        upload: UploadId,
    },
    /// Upload again what failed.
    RetryUpload {
        /// Which.
        upload: UploadId,
    },
    /// Save a file among the person's downloads. It is never opened.
    SaveFile {
        /// Which.
        file: FileId,
        /// What to call it; made harmless.
        name: String,
    },
    /// Look for people and public channels; shown in the finder.
    Find {
        /// As typed; empty forgets what was found.
        text: String,
    },
    /// What may follow what is being typed: a mention (`@…`) or a slash command (`/…`).
    Complete {
        /// Where.
        channel: ChannelId,
        /// Thread, if it is a reply.
        root: Option<PostId>,
        /// From the `@` or `/` to the cursor; empty forgets what was found.
        text: String,
    },
    /// Show the group channel with some people, made if need be.
    OpenGroup {
        /// With whom, without us: two to seven.
        users: Vec<UserId>,
    },
    /// Become a member of a public channel, and show it.
    JoinChannel {
        /// Which.
        channel: ChannelId,
    },
    /// Leave a channel.
    LeaveChannel {
        /// Which.
        channel: ChannelId,
    },
    /// Mute a channel, or no more.
    MuteChannel {
        /// Which.
        channel: ChannelId,
        /// Mute.
        on: bool,
    },
    /// Allow calls in a channel, or no more.
    AllowCalls {
        /// Which.
        channel: ChannelId,
        /// Allow.
        on: bool,
    },
    /// Put a channel among the favourites, or take it out.
    SetFavorite {
        /// Which.
        channel: ChannelId,
        /// Put it there.
        on: bool,
    },
    /// Fold a category of the channel list, or unfold it.
    FoldCategory {
        /// Which.
        category: CategoryId,
        /// Fold.
        folded: bool,
    },
    /// Send a post again that failed.
    RetryPost {
        /// Which.
        pending: PendingId,
    },
    /// Give up a post that failed.
    DiscardPost {
        /// Which.
        pending: PendingId,
    },
    /// The window with the open channel has, or has lost, the person's attention.
    SetFocus {
        /// Has it.
        focused: bool,
    },
    /// Start the channel's call, or join it if it goes on. In another call: asks first, unless `switch`.
    JoinCall {
        /// Where.
        channel: ChannelId,
        /// Heading of a call that this starts.
        title: Option<String>,
        /// Leave the present call without asking.
        switch: bool,
    },
    /// The same, the microphone as the person has decided while they looked at the call. In another call: asks first, and
    /// nothing is decided.
    JoinCallAs {
        /// Where.
        channel: ChannelId,
        /// Heading of a call that this starts.
        title: Option<String>,
        /// The microphone stays off.
        muted: bool,
    },
    /// Leave our call, or stop joining.
    LeaveCall,
    /// Close the question or the failure that the call view shows.
    DismissCallProblem,
    /// Microphone off or on.
    SetMuted {
        /// Off.
        muted: bool,
    },
    /// Hand up or down.
    RaiseHand {
        /// Up.
        raised: bool,
    },
    /// Show everybody in the call an emoji.
    ShowEmoji {
        /// Mattermost's short name, without colons.
        name: String,
        /// The characters, with skin tone.
        literal: String,
    },
    /// Use one of the host's controls.
    Moderate {
        /// Which.
        action: HostAction,
    },
    /// End our call for everyone, after three seconds in which it can be taken back.
    EndCall,
    /// Take [`Command::EndCall`] back.
    UndoEndCall,
    /// Start or stop recording our call.
    Record {
        /// Start.
        on: bool,
    },
    /// Close what is said about the recording.
    DismissRecordingPrompt,
    /// Show, or no longer show, what is said in writing, where the server offers it.
    ShowCaptions {
        /// Show.
        on: bool,
    },
    /// What was said so far, in writing, is, or is no longer, before the person's eyes.
    ShowSaid {
        /// It is.
        shown: bool,
    },
    /// The call's chat is, or is no longer, before the person's eyes.
    ShowChat {
        /// It is.
        shown: bool,
    },
    /// Call somebody directly, or join their call with us. In another call: asks first.
    CallPerson {
        /// Whom.
        user: UserId,
    },
    /// Write to somebody directly, without leaving what is open.
    SendDirect {
        /// To whom.
        user: UserId,
        /// Mattermost markdown.
        text: String,
    },
    /// How loud we hear somebody.
    SetVolume {
        /// Whom.
        session: SessionId,
        /// Per cent, 0 to 200.
        percent: u16,
    },
    /// How loud we hear the sound of the shared screen.
    SetShareVolume {
        /// Per cent, 0 to 200.
        percent: u16,
    },
    /// The machine was locked, or unlocked: what is shared is held meanwhile.
    SetLocked {
        /// Locked.
        locked: bool,
    },
    /// Choose a sound device.
    ChooseDevice {
        /// Which end.
        role: DeviceRole,
        /// Which; `None` follows the system's default.
        device: Option<DeviceId>,
    },
    /// Watch the microphone's level outside a call (the device menu is open).
    WatchLevel {
        /// Watch.
        on: bool,
    },
    /// How the interface looks, as a whole.
    SetAppearance {
        /// From now on.
        appearance: Appearance,
    },
    /// How our own calls behave, as a whole.
    SetCalls {
        /// From now on.
        calls: Box<CallPreferences>,
    },
    /// There is no microphone here, and that is as it should be: not said any more.
    ForgoMicrophone,
    /// Join a call that comes in, or switch to it.
    AnswerCall {
        /// Where.
        channel: ChannelId,
        /// With the microphone off, whatever the channel's kind.
        muted: bool,
        /// Leave the present call without asking.
        switch: bool,
    },
    /// A call that comes in is of no interest, on all our devices. The caller is not told.
    IgnoreCall {
        /// Where.
        channel: ChannelId,
    },
    /// Refuse a direct call, and let the caller know; on servers that cannot, ignores it.
    DeclineCall {
        /// Where.
        channel: ChannelId,
    },
    /// Stop the ring; the call can still be answered.
    SilenceRing,
    /// Calls and messages of this person neither ring nor notify any more, or do so again.
    BlockCaller {
        /// Who.
        user: UserId,
        /// Block; else unblock.
        blocked: bool,
    },
    /// Change how calls and messages reach the person on this computer.
    SetAlerts {
        /// All of it.
        settings: Box<AlertSettings>,
    },
    /// What the server may do on this computer.
    SetTrust {
        /// Which of it.
        grant: Grant,
        /// It may.
        allowed: bool,
    },
    /// The person wanted what the server may not do: they are told so, and can allow it.
    AskTrust {
        /// What.
        grant: Grant,
    },
    /// Whether calls ring, on all devices.
    SetRinging {
        /// They do.
        on: bool,
    },
    /// The ring tone: one of the official ones holds for all devices, one of ours for this computer.
    SetTone {
        /// Which.
        tone: Tone,
    },
    /// Which messages notify, on all devices.
    SetMessages {
        /// Which.
        level: MessageLevel,
    },
    /// Hear a tone for five seconds; `None` stops it.
    PreviewTone {
        /// Which.
        tone: Option<Tone>,
    },
    /// Show a notification, to see whether it arrives.
    TestNote,
    /// The push-to-talk key went down or up.
    HoldToTalk {
        /// Down.
        held: bool,
    },
    /// The key that mutes while it is held went down or up.
    HoldToMute {
        /// Down.
        held: bool,
    },
    /// Turn the microphone off if it is on, and on if it is off.
    ToggleMute,
    /// Open an address that leads into Mattermost: `https:` of the server, `mattermost:`, `halloo:`.
    OpenAddress {
        /// As it came from the system or the page.
        address: String,
    },
    /// Ask the desktop once more for the keys that work everywhere.
    AskForKeys,
    /// End the program. In a call: asks first, unless `sure`.
    Quit {
        /// The person has been asked.
        sure: bool,
    },
    /// Do not end the program after all.
    Stay,
    /// Nobody answers, and we wait on.
    KeepCalling,
    /// These calls were missed, and the person knows.
    ForgetMissed,
    /// In the demonstration: have somebody call.
    CallMe,
    /// Change what is done to the sound, at once.
    SetSound {
        /// Everything, as it shall be.
        sound: Sound,
    },
    /// Hear nothing of the others, or hear them again.
    SetDeafened {
        /// Hear nothing.
        deafened: bool,
    },
    /// Play a short melody on the chosen loudspeaker: can one hear it?
    PlayTestTone,
    /// Record a few seconds and hear them: how does one sound? Not in a call; nothing of it leaves the machine.
    HearMyself {
        /// Begin, or end at once.
        on: bool,
    },
    /// Write down what comes, what is played and what is sent, as three sound files, for "I have an echo". Stops by
    /// itself after five minutes.
    DumpSound {
        /// Begin, or end.
        on: bool,
    },
    /// Show what can be shared; again: look for it anew.
    OpenSharePicker,
    /// Close the list of what can be shared.
    CloseSharePicker,
    /// Share a screen or window, in place of what we share.
    StartShare {
        /// Which.
        source: SourceId,
        /// Smooth movement matters more than sharp text.
        motion: bool,
        /// What the machine plays goes along.
        sound: bool,
    },
    /// Stop sharing.
    StopShare,
    /// Smooth movement matters more than sharp text, or the other way round, in our running share.
    SetShareMotion {
        /// Movement.
        motion: bool,
    },
    /// Hold our shared picture as it is, or go on.
    PauseShare {
        /// Hold.
        paused: bool,
    },
    /// Do this at one of several servers, whichever is shown. What shows something shows that server with it.
    At {
        /// Which.
        server: ServerNumber,
        /// What.
        command: Box<Self>,
    },
    /// Show another of the person's servers.
    ShowServer {
        /// Which.
        server: ServerNumber,
    },
    /// Ask for the address of one server more.
    AddServer,
    /// Sign out of a server, and forget all about it. The last one is only signed out of.
    RemoveServer {
        /// Which.
        server: ServerNumber,
    },
    /// Close a notice.
    DismissNotice {
        /// Its number.
        id: u32,
    },
}
