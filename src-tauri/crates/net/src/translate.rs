//! The servers' words into the model. What is unknown is counted and skipped.

use std::time::{SystemTime, UNIX_EPOCH};

use calls_core::id::{CallId, ChannelId, Millis, PostId, SessionId, TeamId, UserId};
use calls_core::model::PostKind;
use calls_core::port::ServerEvent;
use calls_core::wire::calls::{self, CallsEvent};
use calls_core::wire::rest;
use calls_core::wire::socket::Event;
use calls_core::wire::{self};
use serde::de::DeserializeOwned;
use serde_json::Value;

mod call;
mod chat;

pub(crate) use call::{
    call_state_of, calls_channel_of, calls_config_of, ice_server_of, job_kind_of, job_of,
};
pub(crate) use chat::{
    category_for, category_of, channel_of, file_of, membership_of, notify_props_of, post_of,
    presence_of, status_of, team_of, user_of,
};

/// Translates the events of one account's WebSocket.
#[derive(Debug, Default)]
pub(crate) struct Translator {
    me: String,
    unknown: u64,
    malformed: u64,
}

/// Events that exist and say nothing to a calls client.
const IGNORED: &[&str] = &[
    "hello",
    "post_unread",
    "thread_updated",
    "thread_read_changed",
    "new_user",
    "user_role_updated",
    "user_activation_status_change",
    "open_dialog",
    "plugin_statuses_changed",
    "draft_created",
    "draft_updated",
    "draft_deleted",
    "role_updated",
    "memberrole_updated",
    "channel_scheme_updated",
    "post_acknowledgement_added",
    "post_acknowledgement_removed",
    "show_toast",
];

impl Translator {
    /// Learns from `hello` who we are; some events mean something else when they are about us.
    pub(crate) fn hello(&mut self, event: &Event) {
        if !event.broadcast.user_id.is_empty() {
            self.me.clone_from(&event.broadcast.user_id);
        }
    }

    /// Unknown and malformed events so far.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.unknown, self.malformed)
    }

    /// Translates one event; `None` if it says nothing to us.
    pub(crate) fn event(&mut self, event: &Event) -> Option<ServerEvent> {
        if event.event.starts_with(calls::PREFIX) {
            return self.calls_event(event);
        }
        let channel = || ChannelId::new(event.broadcast.channel_id.clone());
        let data_channel = || match event.text("channel_id") {
            "" => channel(),
            id => ChannelId::from(id),
        };
        match event.event.as_str() {
            "posted" => {
                let post = self.nested::<rest::Post>(event, "post")?;
                Some(ServerEvent::Posted {
                    post: Box::new(post_of(post)),
                    // The field exists only in the copy for those who are mentioned.
                    mentions_me: !matches!(event.text("mentions"), "" | "[]" | "null"),
                    author_online: flag(event, "set_online"),
                })
            }
            "ephemeral_message" => {
                let mut post = post_of(self.nested::<rest::Post>(event, "post")?);
                post.kind = PostKind::Ephemeral;
                Some(ServerEvent::Posted {
                    post: Box::new(post),
                    mentions_me: false,
                    author_online: false,
                })
            }
            "post_edited" => {
                let post = self.nested::<rest::Post>(event, "post")?;
                Some(ServerEvent::Edited(Box::new(post_of(post))))
            }
            "post_deleted" => {
                let post = self.nested::<rest::Post>(event, "post")?;
                Some(ServerEvent::Deleted {
                    channel: ChannelId::new(post.channel_id),
                    post: PostId::new(post.id),
                })
            }
            "typing" => Some(ServerEvent::Typing {
                channel: channel(),
                root: some(event.text("parent_id").to_owned(), PostId::new),
                user: UserId::from(event.text("user_id")),
            }),
            "reaction_added" | "reaction_removed" => {
                let reaction = self.nested::<rest::Reaction>(event, "reaction")?;
                Some(ServerEvent::Reacted {
                    post: PostId::new(reaction.post_id),
                    user: UserId::new(reaction.user_id),
                    emoji: reaction.emoji_name,
                    on: event.event == "reaction_added",
                })
            }
            "thread_follow_changed" => Some(ServerEvent::Followed {
                root: PostId::from(event.text("thread_id")),
                on: flag(event, "state"),
            }),
            "sidebar_category_created"
            | "sidebar_category_updated"
            | "sidebar_category_deleted"
            | "sidebar_category_order_updated" => {
                let team = match event.broadcast.team_id.as_str() {
                    "" => event.text("team_id"),
                    team => team,
                };
                (!team.is_empty()).then(|| ServerEvent::CategoriesChanged(TeamId::from(team)))
            }
            "emoji_added" => Some(ServerEvent::EmojiChanged),
            "multiple_channels_viewed" => {
                let times = event.data.get("channel_times")?.as_object()?;
                let viewed = times
                    .iter()
                    .map(|(id, at)| (ChannelId::from(id.as_str()), at.as_i64().unwrap_or(0)))
                    .collect();
                Some(ServerEvent::Viewed(viewed))
            }
            // Servers before about 9.x; they do not say when.
            "channel_viewed" => Some(ServerEvent::Viewed(vec![(data_channel(), now())])),
            "channel_updated" => {
                let id = match event.data.get("channel") {
                    Some(_) => ChannelId::new(self.nested::<rest::Channel>(event, "channel")?.id),
                    None => data_channel(),
                };
                named(id, ServerEvent::ChannelChanged)
            }
            "channel_member_updated" => {
                let member = self.nested::<rest::ChannelMember>(event, "channelMember")?;
                named(
                    ChannelId::new(member.channel_id),
                    ServerEvent::ChannelChanged,
                )
            }
            "channel_created" | "channel_converted" | "channel_restored" => {
                named(data_channel(), ServerEvent::ChannelChanged)
            }
            "direct_added" | "group_added" => named(channel(), ServerEvent::ChannelChanged),
            "user_added" if self.is_me(event) => named(channel(), ServerEvent::ChannelChanged),
            "user_removed" if self.is_me(event) => named(data_channel(), ServerEvent::ChannelLeft),
            "user_added" | "user_removed" => None,
            "channel_deleted" => named(data_channel(), ServerEvent::ChannelArchived),
            "added_to_team" | "update_team" | "delete_team" | "restore_team" | "config_changed" => {
                Some(ServerEvent::DirectoryStale)
            }
            "leave_team" => self.is_me(event).then_some(ServerEvent::DirectoryStale),
            "preference_changed" | "preferences_changed" | "preferences_deleted" => {
                ["preference", "preferences"]
                    .into_iter()
                    .map(|key| event.text(key))
                    .any(|text| text.contains("display_settings") || text.contains("\"theme\""))
                    .then_some(ServerEvent::DirectoryStale)
            }
            "user_updated" => {
                let user = event.data.get("user").cloned()?;
                let user = self.counted(wire::from_value::<rest::User>(user))?;
                if user.id == self.me {
                    let props = notify_props_of(&user);
                    return Some(ServerEvent::MeChanged(
                        Box::new(user_of(user)),
                        Box::new(props),
                    ));
                }
                Some(ServerEvent::UserChanged(Box::new(user_of(user))))
            }
            "status_change" => Some(ServerEvent::PresenceChanged(
                UserId::from(event.text("user_id")),
                presence_of(event.text("status")),
            )),
            "plugin_enabled" | "plugin_disabled" => {
                let id = event.data.get("manifest")?.get("id")?.as_str()?;
                (id == calls::PLUGIN_ID).then_some(ServerEvent::CallsStale)
            }
            "license_changed" => Some(ServerEvent::CallsStale),
            name => {
                if !IGNORED.contains(&name) {
                    self.unknown += 1;
                    tracing::trace!(name, "unknown event");
                }
                None
            }
        }
    }

    fn calls_event(&mut self, event: &Event) -> Option<ServerEvent> {
        let channel = ChannelId::from(calls::channel_of(event));
        let Some(read) = calls::read_event(event) else {
            self.malformed += 1;
            return None;
        };
        match read {
            CallsEvent::CallStart {
                call,
                start_at,
                thread,
                owner,
                host,
            } => Some(ServerEvent::CallStarted {
                channel,
                call: CallId::new(call),
                start_at,
                owner: UserId::new(owner),
                host: some(host, UserId::new),
                thread: some(thread, PostId::new),
            }),
            CallsEvent::CallEnd => Some(ServerEvent::CallEnded(channel)),
            CallsEvent::UserJoined(who) => Some(ServerEvent::CallJoined {
                channel,
                user: UserId::new(who.user),
                session: SessionId::new(who.session),
            }),
            CallsEvent::UserLeft(who) => Some(ServerEvent::CallLeft {
                channel,
                user: UserId::new(who.user),
                session: SessionId::new(who.session),
            }),
            CallsEvent::CallState(call) => Some(ServerEvent::CallState(Box::new(call_state_of(
                *call, channel,
            )))),
            CallsEvent::Dismissed { user, call } => {
                // Sent to the user alone; a server that says it to all must not silence us.
                (user == self.me && !call.is_empty())
                    .then(|| ServerEvent::CallDismissed(CallId::new(call)))
            }
            CallsEvent::Enabled(enabled) => Some(ServerEvent::CallsEnabled { channel, enabled }),
            _ => None,
        }
    }

    /// True if the event is addressed to us alone, or names us.
    fn is_me(&self, event: &Event) -> bool {
        let me = self.me.as_str();
        !me.is_empty() && (event.broadcast.user_id == me || event.text("user_id") == me)
    }

    /// JSON inside a string.
    fn nested<T: DeserializeOwned>(&mut self, event: &Event, key: &str) -> Option<T> {
        self.counted(wire::parse(event.text(key).as_bytes()))
    }

    fn counted<T>(&mut self, result: Result<T, serde_json::Error>) -> Option<T> {
        result
            .inspect_err(|error| {
                self.malformed += 1;
                tracing::debug!(%error, "malformed event");
            })
            .ok()
    }
}

fn named(id: ChannelId, event: fn(ChannelId) -> ServerEvent) -> Option<ServerEvent> {
    (!id.is_empty()).then(|| event(id))
}

fn flag(event: &Event, key: &str) -> bool {
    event
        .data
        .get(key)
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

fn now() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// Servers write "none" as empty text.
pub(crate) fn some<T>(text: String, make: impl FnOnce(String) -> T) -> Option<T> {
    (!text.is_empty()).then(|| make(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    use calls_core::id::FileId;
    use calls_core::model::Subtitles;
    use serde_json::json;

    const ME: &str = "useralicexxxxxxxxxxxxxxxxx";

    fn event(name: &str, data: Value, broadcast: Value) -> Event {
        wire::from_value(json!({"event": name, "data": data, "broadcast": broadcast, "seq": 1}))
            .unwrap()
    }

    fn translator() -> Translator {
        let mut translator = Translator::default();
        translator.hello(&event(
            "hello",
            json!({"connection_id": "c"}),
            json!({"user_id": ME}),
        ));
        translator
    }

    #[test]
    fn a_posted_event_carries_its_post_as_text_and_says_whether_we_are_mentioned() {
        let post = json!({"id": "p", "channel_id": "c", "user_id": "u", "message": "hi",
            "props": {"from_webhook": "true", "override_username": "Jenkins"}});
        for (mentions, expected) in [(Value::Null, false), (json!(format!("[\"{ME}\"]")), true)] {
            let read = translator().event(&event(
                "posted",
                json!({"post": post.to_string(), "mentions": mentions, "set_online": true}),
                json!({"channel_id": "c"}),
            ));
            let Some(ServerEvent::Posted {
                post,
                mentions_me,
                author_online,
            }) = read
            else {
                panic!("not posted: {read:?}");
            };
            assert_eq!(mentions_me, expected);
            assert!(author_online);
            assert_eq!(post.message, "hi");
            assert_eq!(post.override_name, "Jenkins");
        }
    }

    #[test]
    fn a_call_post_keeps_its_times_and_a_stranger_cannot_rename_itself() {
        let post: rest::Post = wire::from_value(json!({"id": "p", "type": "custom_calls",
            "props": {"start_at": 5, "end_at": 9, "title": "Weekly", "override_username": "root",
                "recordings": {"a": {"file_id": "f"}, "b": {}, "c": 7}, "transcriptions": "none"}}))
        .unwrap();
        let post = post_of(post);
        assert_eq!(post.override_name, "");
        let PostKind::Call(call) = post.kind else {
            panic!("not a call");
        };
        assert_eq!(
            (call.start_at, call.end_at, call.title.as_str()),
            (5, 9, "Weekly")
        );
        assert_eq!((call.recordings, call.transcripts), (1, 0));
    }

    #[test]
    fn a_recording_keeps_the_subtitles_that_have_a_file() {
        let post: rest::Post = wire::from_value(json!({"id": "p", "type": "custom_calls_recording",
            "props": {"captions": [{"title": "English", "language": "en", "file_id": "f"}, {"title": "none"}, 7,
                {"file_id": "g", "title": null}]}}))
        .unwrap();
        let subtitles = |file: &str, title: &str, language: &str| Subtitles {
            file: FileId::from(file),
            title: title.to_owned(),
            language: language.to_owned(),
        };
        let both = vec![subtitles("f", "English", "en"), subtitles("g", "", "")];
        assert_eq!(post_of(post).kind, PostKind::Recording { subtitles: both });
        let bare: rest::Post = wire::from_value(
            json!({"id": "p", "type": "custom_calls_recording", "props": {"captions": "soon"}}),
        )
        .unwrap();
        assert_eq!(
            post_of(bare).kind,
            PostKind::Recording { subtitles: vec![] }
        );
    }

    #[test]
    fn being_removed_from_a_channel_is_heard_in_both_shapes_and_others_are_not_us() {
        let cases = [
            (
                json!({"user_id": ME, "remover_id": "x"}),
                json!({"channel_id": "c"}),
                true,
            ),
            (
                json!({"channel_id": "c", "remover_id": "x"}),
                json!({"user_id": ME}),
                true,
            ),
            (
                json!({"user_id": "other", "remover_id": "x"}),
                json!({"channel_id": "c"}),
                false,
            ),
        ];
        for (data, broadcast, expected) in cases {
            let read = translator().event(&event("user_removed", data, broadcast));
            let left = ServerEvent::ChannelLeft(ChannelId::from("c"));
            assert_eq!(read, expected.then_some(left));
        }
    }

    #[test]
    fn the_state_of_a_call_is_read_out_of_its_text() {
        let call = json!({"id": "call", "start_at": 7, "sessions": [
            {"session_id": "s1", "user_id": ME, "unmuted": true, "raised_hand": 3},
            {"session_id": "s2", "user_id": "bob"}],
            "thread_id": "t", "screen_sharing_session_id": "s2", "host_id": "", "owner_id": ME,
            "recording": {"type": "recording", "init_at": 1, "start_at": 2, "end_at": 0},
            "dismissed_notification": {ME: true}});
        let read = translator().event(&event(
            "custom_com.mattermost.calls_call_state",
            json!({"channel_id": "c", "call": call.to_string()}),
            json!({}),
        ));
        let Some(ServerEvent::CallState(state)) = read else {
            panic!("not a state: {read:?}");
        };
        assert_eq!(state.channel, ChannelId::from("c"));
        assert_eq!(state.participants.len(), 2);
        assert!(!state.participants[0].muted && state.participants[1].muted);
        assert_eq!(state.participants[0].hand_raised_at, Some(3));
        assert_eq!(state.sharing, Some(SessionId::from("s2")));
        assert_eq!(state.host, None);
        assert!(state.recording.is_some_and(|job| job.runs()) && state.dismissed);
    }

    #[test]
    fn unknown_and_broken_events_are_counted_and_skipped() {
        let mut translator = translator();
        for (name, data) in [
            ("flux_capacitor", json!({})),
            ("posted", json!({"post": "{"})),
            ("posted", json!({"post": 5})),
            ("user_updated", json!({"user": [1]})),
            (
                "custom_com.mattermost.calls_call_state",
                json!({"call": "nonsense"}),
            ),
            ("custom_com.mattermost.calls_user_left", json!([])),
        ] {
            let value = json!({"event": name, "data": data, "seq": 1});
            let Ok(event) = wire::from_value::<Event>(value) else {
                continue;
            };
            assert_eq!(translator.event(&event), None, "{name}");
        }
        assert_eq!(translator.counts(), (1, 4));
    }

    #[test]
    fn a_session_lost_by_the_sharer_leaves_a_call_event_without_ids_harmless() {
        let read = translator().event(&event(
            "custom_com.mattermost.calls_user_screen_off",
            json!({"channelID": "c"}),
            json!({}),
        ));
        assert_eq!(read, None);
    }
}
