//! What is loaded: the directory, the plugin's state, channels, people and posts.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use calls_core::id::{ChannelId, PostId, TeamId, UserId};
use calls_core::model::{Category, Channel, ChannelKind, Presence, Team, User};
use calls_core::port::{CallsLoad, DirectoryLoad, NameFormat, Page, Reply, RequestError};
use calls_core::preferences::AccountLook;
use calls_core::wire::{calls, rest};
use serde_json::Value;

use super::{Rest, http};
use crate::translate::{self, channel_of, membership_of, presence_of, team_of, user_of};

/// Ids asked for at once. The server has no limit of its own for users, but addresses and bodies stay small.
const BATCH: usize = 200;
/// Members of a page where the server does not know the endless form.
const MEMBERS_PAGE: usize = 200;
/// Posts of the page that opens a channel.
const POSTS_PAGE: &str = "60";
/// Posts of an older page: as many as the server gives, for whoever reads back reads far.
const OLDER_PAGE: &str = "200";

/// Everything the channel list needs.
pub(super) async fn directory(rest: &Rest) -> Result<Reply, RequestError> {
    let (me, teams, channels, members, config, preferences) = tokio::join!(
        rest.get::<rest::User>(&["api", "v4", "users", "me"], &[]),
        rest.get::<Vec<rest::Team>>(&["api", "v4", "users", "me", "teams"], &[]),
        rest.get::<Vec<rest::Channel>>(
            &["api", "v4", "users", "me", "channels"],
            &[("include_deleted", "true"), ("last_delete_at", "0")],
        ),
        members(rest),
        rest.get::<rest::ClientConfig>(&["api", "v4", "config", "client"], &[("format", "old")]),
        rest.get::<Vec<rest::Preference>>(&["api", "v4", "users", "me", "preferences"], &[]),
    );
    let me = me?;
    let notify = translate::notify_props_of(&me);
    let me = user_of(me);
    let channels: Vec<Channel> = channels?.into_iter().filter_map(channel_of).collect();
    // Sign-in must not fail over a setting.
    let config = config.unwrap_or_default();
    let preferences = preferences.unwrap_or_default();
    let people = people_of(rest, &me, &channels).await?;
    let teams: Vec<_> = teams?
        .into_iter()
        .filter(|team| team.delete_at == 0)
        .map(team_of)
        .collect();
    let categories = categories_of(rest, &teams).await;
    let mut asked: Vec<UserId> = people.iter().map(|user| user.id.clone()).collect();
    asked.push(me.id.clone());
    let presences = presences(rest, asked).await.unwrap_or_default();
    Ok(Reply::Directory(Box::new(DirectoryLoad {
        me,
        teams,
        channels,
        memberships: members?.into_iter().map(membership_of).collect(),
        users: people,
        presences,
        look: look(&preferences),
        name_format: name_format(&config, &preferences),
        collapsed_threads: collapsed_threads(&config, &preferences),
        notify,
        max_post_size: setting(&config, "MaxPostSize").parse().unwrap_or(16_383),
        max_file_size: setting(&config, "MaxFileSize").parse().unwrap_or(0),
        categories,
    })))
}

/// The categories of all teams. Where they cannot be had the list is shown without.
async fn categories_of(rest: &Rest, teams: &[Team]) -> Vec<Category> {
    let of_team = |team: &Team| {
        let (rest, team) = (rest.clone(), team.id.clone());
        async move { categories(&rest, &team).await.unwrap_or_default() }
    };
    futures_util::future::join_all(teams.iter().map(of_team))
        .await
        .into_iter()
        .flatten()
        .collect()
}

/// The categories of a team, in the person's order.
pub(super) async fn categories(rest: &Rest, team: &TeamId) -> Result<Vec<Category>, RequestError> {
    let path = [
        "api",
        "v4",
        "users",
        "me",
        "teams",
        team.as_str(),
        "channels",
        "categories",
    ];
    let mut answer: rest::Categories = rest.get(&path, &[]).await?;
    let place = |id: &str| answer.order.iter().position(|one| one == id);
    answer
        .categories
        .sort_by_key(|category| place(&category.id).unwrap_or(usize::MAX));
    Ok(answer
        .categories
        .into_iter()
        .map(translate::category_of)
        .collect())
}

/// All memberships. Newer servers stream them as one object a line, older ones only know pages.
async fn members(rest: &Rest) -> Result<Vec<rest::ChannelMember>, RequestError> {
    let path = ["api", "v4", "users", "me", "channel_members"];
    let per_page = MEMBERS_PAGE.to_string();
    let all = rest
        .bytes(&path, &[("page", "-1"), ("per_page", &per_page)])
        .await;
    let mut found = match all {
        Ok(body) if !is_array(&body) => return lines(&body),
        Ok(body) => http::json::<Vec<rest::ChannelMember>>(&body)?,
        Err(RequestError::Refused { .. }) => {
            rest.get(&path, &[("page", "0"), ("per_page", &per_page)])
                .await?
        }
        Err(error) => return Err(error),
    };
    let mut page = 1_u32;
    while found.len() == MEMBERS_PAGE * page as usize {
        let next: Vec<rest::ChannelMember> = rest
            .get(
                &path,
                &[("page", &page.to_string()), ("per_page", &per_page)],
            )
            .await?;
        found.extend(next);
        page += 1;
    }
    Ok(found)
}

fn is_array(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"[")
}

/// NDJSON: one object a line.
fn lines(body: &Bytes) -> Result<Vec<rest::ChannelMember>, RequestError> {
    body.split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(http::json)
        .collect()
}

/// The people of direct and group channels.
async fn people_of(
    rest: &Rest,
    me: &User,
    channels: &[Channel],
) -> Result<Vec<User>, RequestError> {
    let others: BTreeSet<UserId> = channels
        .iter()
        .filter(|channel| channel.kind == ChannelKind::Direct)
        .filter_map(|channel| other_of(&channel.name, &me.id))
        .collect();
    let groups: Vec<ChannelId> = channels
        .iter()
        .filter(|channel| channel.kind == ChannelKind::Group)
        .map(|channel| channel.id.clone())
        .collect();
    let (direct, group) = tokio::join!(
        users(rest, others.into_iter().collect()),
        group_users(rest, &groups)
    );
    let mut people: BTreeMap<UserId, User> = BTreeMap::new();
    for user in direct?.into_iter().chain(group.unwrap_or_default()) {
        people.insert(user.id.clone(), user);
    }
    people.insert(me.id.clone(), me.clone());
    Ok(people.into_values().collect())
}

/// The other person of a direct channel, from its name; `None` when talking to oneself.
fn other_of(name: &str, me: &UserId) -> Option<UserId> {
    let (a, b) = name.split_once("__")?;
    let other = if a == me.as_str() { b } else { a };
    (other != me.as_str()).then(|| UserId::from(other))
}

async fn group_users(rest: &Rest, groups: &[ChannelId]) -> Result<Vec<User>, RequestError> {
    let mut found = Vec::new();
    for batch in groups.chunks(BATCH) {
        let ids: Vec<&str> = batch.iter().map(ChannelId::as_str).collect();
        let map: BTreeMap<String, Vec<rest::User>> = rest
            .post(&["api", "v4", "users", "group_channels"], &ids)
            .await?;
        found.extend(map.into_values().flatten().map(user_of));
    }
    Ok(found)
}

/// Users by id, in batches.
pub(super) async fn users(rest: &Rest, ids: Vec<UserId>) -> Result<Vec<User>, RequestError> {
    let mut found = Vec::new();
    for batch in ids.chunks(BATCH) {
        let ids: Vec<&str> = batch.iter().map(UserId::as_str).collect();
        let users: Vec<rest::User> = rest.post(&["api", "v4", "users", "ids"], &ids).await?;
        found.extend(users.into_iter().map(user_of));
    }
    Ok(found)
}

/// Presence by user, in batches.
pub(super) async fn presences(
    rest: &Rest,
    ids: Vec<UserId>,
) -> Result<Vec<(UserId, Presence)>, RequestError> {
    let mut found = Vec::new();
    for batch in ids.chunks(BATCH) {
        let ids: Vec<&str> = batch.iter().map(UserId::as_str).collect();
        let list: Vec<rest::Status> = rest
            .post(&["api", "v4", "users", "status", "ids"], &ids)
            .await?;
        let read =
            |status: rest::Status| (UserId::new(status.user_id), presence_of(&status.status));
        found.extend(list.into_iter().map(read));
    }
    Ok(found)
}

fn setting<'a>(config: &'a rest::ClientConfig, key: &str) -> &'a str {
    config.get(key).and_then(Value::as_str).unwrap_or("")
}

fn preference<'a>(preferences: &'a [rest::Preference], name: &str) -> Option<&'a str> {
    preferences
        .iter()
        .find(|preference| preference.category == "display_settings" && preference.name == name)
        .map(|preference| preference.value.as_str())
}

/// What the account says about looks: of its themes the one for all teams, else any.
fn look(preferences: &[rest::Preference]) -> AccountLook {
    let themes = || preferences.iter().filter(|one| one.category == "theme");
    let theme = themes()
        .find(|one| one.name.is_empty())
        .or_else(|| themes().next());
    AccountLook::read(
        preference(preferences, "use_military_time"),
        theme.map(|one| one.value.as_str()),
    )
}

/// The person's own setting, unless the administrator has locked it.
fn name_format(config: &rest::ClientConfig, preferences: &[rest::Preference]) -> NameFormat {
    let own = preference(preferences, "name_format")
        .filter(|_| setting(config, "LockTeammateNameDisplay") != "true");
    match own.unwrap_or_else(|| setting(config, "TeammateNameDisplay")) {
        "full_name" => NameFormat::FullName,
        "nickname_full_name" => NameFormat::NicknameFullName,
        _ => NameFormat::Username,
    }
}

fn collapsed_threads(config: &rest::ClientConfig, preferences: &[rest::Preference]) -> bool {
    let own = preference(preferences, "collapsed_reply_threads");
    match setting(config, "CollapsedThreads") {
        "always_on" => true,
        "default_on" => own != Some("off"),
        "default_off" => own == Some("on"),
        _ => false,
    }
}

/// The plugin's version, configuration and calls. Three requests of the plugin's ten at once.
pub(super) async fn calls(rest: &Rest) -> Result<Reply, RequestError> {
    let version = match rest
        .get::<calls::Version>(&["plugins", calls::PLUGIN_ID, "version"], &[])
        .await
    {
        Ok(version) => version,
        // Not installed or switched off: the server itself answers, with 404 or 501.
        Err(RequestError::Refused {
            status: 404 | 501, ..
        }) => return Ok(Reply::Calls(None)),
        Err(error) => return Err(error),
    };
    let (config, channels) = tokio::join!(
        rest.get::<calls::Config>(&["plugins", calls::PLUGIN_ID, "config"], &[]),
        rest.get::<Vec<calls::CallsChannel>>(&["plugins", calls::PLUGIN_ID, "channels"], &[]),
    );
    Ok(Reply::Calls(Some(Box::new(CallsLoad {
        config: translate::calls_config_of(config?, version),
        channels: channels?
            .into_iter()
            .map(translate::calls_channel_of)
            .collect(),
    }))))
}

/// One channel with our membership.
pub(super) async fn channel(rest: &Rest, id: &ChannelId) -> Result<Reply, RequestError> {
    let channel: rest::Channel = rest
        .get(&["api", "v4", "channels", id.as_str()], &[])
        .await?;
    with_membership(rest, channel).await
}

/// Adds our membership and, for direct and group channels, the people.
pub(super) async fn with_membership(
    rest: &Rest,
    channel: rest::Channel,
) -> Result<Reply, RequestError> {
    let path = [
        "api",
        "v4",
        "channels",
        channel.id.as_str(),
        "members",
        "me",
    ];
    let member: rest::ChannelMember = rest.get(&path, &[]).await?;
    let me = UserId::from(member.user_id.as_str());
    let channel = channel_of(channel)
        .ok_or_else(|| RequestError::NotUnderstood("unknown kind of channel".into()))?;
    let people = match channel.kind {
        ChannelKind::Direct => {
            let other = other_of(&channel.name, &me);
            users(rest, other.into_iter().collect()).await?
        }
        ChannelKind::Group => group_users(rest, std::slice::from_ref(&channel.id)).await?,
        _ => Vec::new(),
    };
    Ok(Reply::Channel(
        Box::new(channel),
        Box::new(membership_of(member)),
        people,
    ))
}

/// A part of a channel's posts.
pub(super) async fn posts(
    rest: &Rest,
    channel: &ChannelId,
    page: Page,
) -> Result<Reply, RequestError> {
    let path = ["api", "v4", "channels", channel.as_str(), "posts"];
    let catching_up = matches!(page, Page::Since(_));
    let list: rest::PostList = match page {
        Page::Newest => {
            rest.get(&path, &[("page", "0"), ("per_page", POSTS_PAGE)])
                .await?
        }
        Page::Before(post) => {
            let query = [
                ("before", post.as_str()),
                ("page", "0"),
                ("per_page", OLDER_PAGE),
            ];
            rest.get(&path, &query).await?
        }
        Page::Since(at) => rest.get(&path, &[("since", &at.to_string())]).await?,
    };
    Ok(Reply::Posts {
        at_start: !catching_up && list.prev_post_id.is_empty(),
        posts: list.posts.into_values().map(translate::post_of).collect(),
    })
}

/// A thread, whole: asked without parameters the server sends all of it (mattermost-core §8).
pub(super) async fn thread(rest: &Rest, root: &PostId) -> Result<Reply, RequestError> {
    let path = ["api", "v4", "posts", root.as_str(), "thread"];
    let list: rest::PostList = rest.get(&path, &[]).await?;
    Ok(Reply::Thread {
        posts: list.posts.into_values().map(translate::post_of).collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn config(pairs: &[(&str, &str)]) -> rest::ClientConfig {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
            .collect()
    }

    fn own(name: &str, value: &str) -> Vec<rest::Preference> {
        vec![rest::Preference {
            category: "display_settings".into(),
            name: name.into(),
            value: value.into(),
            ..Default::default()
        }]
    }

    #[test]
    fn the_persons_own_name_format_wins_unless_locked() {
        let site = [("TeammateNameDisplay", "full_name")];
        let locked = [site[0], ("LockTeammateNameDisplay", "true")];
        let nick = own("name_format", "nickname_full_name");
        assert_eq!(name_format(&config(&site), &[]), NameFormat::FullName);
        assert_eq!(
            name_format(&config(&site), &nick),
            NameFormat::NicknameFullName
        );
        assert_eq!(name_format(&config(&locked), &nick), NameFormat::FullName);
        assert_eq!(name_format(&config(&[]), &[]), NameFormat::Username);
    }

    #[test]
    fn the_accounts_clock_and_theme_are_read() {
        let theme = |team: &str, ground: &str| rest::Preference {
            category: "theme".into(),
            name: team.into(),
            value: format!(r#"{{"centerChannelBg":"{ground}"}}"#),
            ..Default::default()
        };
        let mut all = own("use_military_time", "true");
        all.push(theme("a-team", "#fff"));
        assert_eq!(look(&all).hours24, Some(true));
        assert_eq!(look(&all).dark, Some(false));
        all.push(theme("", "#000"));
        assert_eq!(look(&all).dark, Some(true), "the one for all teams counts");
        assert_eq!(look(&[]), AccountLook::default());
    }

    #[test]
    fn collapsed_threads_follow_server_and_person() {
        let cases = [
            ("always_on", Some("off"), true),
            ("default_on", None, true),
            ("default_on", Some("off"), false),
            ("default_off", None, false),
            ("default_off", Some("on"), true),
            ("disabled", Some("on"), false),
            ("", None, false),
        ];
        for (site, choice, expected) in cases {
            let config = config(&[("CollapsedThreads", site)]);
            let own = choice.map_or(vec![], |value| own("collapsed_reply_threads", value));
            assert_eq!(
                collapsed_threads(&config, &own),
                expected,
                "{site} {choice:?}"
            );
        }
    }

    #[test]
    fn memberships_come_as_lines_or_as_an_array() {
        let body =
            Bytes::from_static(b"{\"channel_id\":\"a\"}\n{\"channel_id\":\"b\",\"x\":null}\n\n");
        let read: Vec<String> = lines(&body)
            .unwrap()
            .into_iter()
            .map(|member| member.channel_id)
            .collect();
        assert_eq!(read, ["a", "b"]);
        assert!(is_array(b"  [{}]"));
        assert!(lines(&Bytes::from_static(b"{oops}\n")).is_err());
    }

    #[test]
    fn the_other_person_is_read_from_the_name() {
        let me = UserId::from("me");
        assert_eq!(other_of("me__you", &me), Some(UserId::from("you")));
        assert_eq!(other_of("he__me", &me), Some(UserId::from("he")));
        assert_eq!(other_of("me__me", &me), None);
        assert_eq!(other_of("town-square", &me), None);
    }
}
