//! Requests of reading and writing: posts, reactions, threads, categories, lookups.

use calls_core::id::{ChannelId, PostId, TeamId, UserId};
use calls_core::model::{CommandHint, CustomEmoji, FoundChannel};
use calls_core::port::{Reply, Request, RequestError};
use calls_core::wire::{calls, rest};
use serde_json::json;

use super::{Rest, load};
use crate::translate::{self, post_of, user_of};

/// Emoji of a page, the most that a server gives.
const EMOJI_PAGE: usize = 200;

/// Most custom emoji loaded. Large servers have some thousands; a name beyond is shown as its code.
const MOST_EMOJI: usize = 10_000;

/// Matches asked for: more than fit on a list are not looked at.
const MATCHES: &str = "20";

pub(super) async fn perform(rest: &Rest, request: Request) -> Result<Reply, RequestError> {
    match request {
        Request::EditPost { post, message } => {
            let path = ["api", "v4", "posts", post.as_str(), "patch"];
            let body = rest.put_only(&path, &json!({ "message": message })).await?;
            let post: rest::Post = super::http::json(&body)?;
            Ok(Reply::Post(Box::new(post_of(post))))
        }
        Request::DeletePost(post) => {
            let path = ["api", "v4", "posts", post.as_str()];
            rest.delete(&path).await?;
            Ok(Reply::Done)
        }
        Request::React {
            me,
            post,
            emoji,
            on,
        } => react(rest, &me, &post, &emoji, on).await,
        Request::LoadThread(root) => load::thread(rest, &root).await,
        Request::FollowThread { team, root, on } => {
            let path = thread_path(&team, &root, "following");
            if on {
                rest.put_only(&path, &json!({})).await?;
            } else {
                rest.delete(&path).await?;
            }
            Ok(Reply::Done)
        }
        Request::ReadThread { team, root, at } => {
            let at = at.to_string();
            let mut path = thread_path(&team, &root, "read").to_vec();
            path.push(&at);
            rest.put_only(&path, &json!({})).await?;
            Ok(Reply::Done)
        }
        Request::MarkUnread(post) => {
            let path = [
                "api",
                "v4",
                "users",
                "me",
                "posts",
                post.as_str(),
                "set_unread",
            ];
            let body = json!({ "collapsed_threads_supported": true });
            rest.post_only(&path, &body).await?;
            Ok(Reply::Done)
        }
        Request::Typing { channel, root } => {
            let root = root
                .map(|root| root.as_str().to_owned())
                .unwrap_or_default();
            let body = json!({ "channel_id": channel.as_str(), "parent_id": root });
            rest.post_only(&["api", "v4", "users", "me", "typing"], &body)
                .await?;
            Ok(Reply::Done)
        }
        Request::LoadCategories(team) => {
            let categories = load::categories(rest, &team).await?;
            Ok(Reply::Categories(team, categories))
        }
        Request::PutCategories(changed) => {
            let Some(team) = changed.first().map(|one| one.team.as_str().to_owned()) else {
                return Ok(Reply::Done);
            };
            let path = [
                "api",
                "v4",
                "users",
                "me",
                "teams",
                &team,
                "channels",
                "categories",
            ];
            // The server insists on the user's real id in each.
            let user: rest::User = rest.get(&["api", "v4", "users", "me"], &[]).await?;
            let body: Vec<_> = changed
                .into_iter()
                .map(|one| translate::category_for(one, &user.id))
                .collect();
            rest.put_only(&path, &body).await?;
            Ok(Reply::Done)
        }
        Request::LoadEmoji => emoji(rest).await,
        Request::Find { team, text } => find(rest, team.as_ref(), &text).await,
        Request::CompleteUser {
            team,
            channel,
            text,
        } => complete_user(rest, team.as_ref(), &channel, &text).await,
        Request::CompleteCommand {
            team,
            channel,
            root,
            text,
        } => complete_command(rest, &team, &channel, root.as_ref(), &text).await,
        Request::JoinChannel { me, channel } => {
            let path = ["api", "v4", "channels", channel.as_str(), "members"];
            rest.post_only(&path, &json!({ "user_id": me.as_str() }))
                .await?;
            load::channel(rest, &channel).await
        }
        Request::LeaveChannel(channel) => {
            let path = ["api", "v4", "channels", channel.as_str(), "members", "me"];
            rest.delete(&path).await?;
            Ok(Reply::Done)
        }
        Request::AllowCalls { channel, on } => {
            let path = ["plugins", calls::PLUGIN_ID, channel.as_str()];
            rest.post_only(&path, &json!({ "enabled": on })).await?;
            Ok(Reply::Done)
        }
        Request::MuteChannel { me, channel, on } => {
            let path = [
                "api",
                "v4",
                "channels",
                channel.as_str(),
                "members",
                "me",
                "notify_props",
            ];
            let body = json!({
                "channel_id": channel.as_str(),
                "user_id": me.as_str(),
                "mark_unread": if on { "mention" } else { "all" },
            });
            rest.put_only(&path, &body).await?;
            Ok(Reply::Done)
        }
        Request::OpenGroup(users) => {
            let ids: Vec<&str> = users.iter().map(UserId::as_str).collect();
            let channel: rest::Channel =
                rest.post(&["api", "v4", "channels", "group"], &ids).await?;
            load::with_membership(rest, channel).await
        }
        other => Err(RequestError::NotUnderstood(format!(
            "no way to ask for {other:?}"
        ))),
    }
}

fn thread_path<'a>(team: &'a TeamId, root: &'a PostId, what: &'a str) -> [&'a str; 9] {
    [
        "api",
        "v4",
        "users",
        "me",
        "teams",
        team.as_str(),
        "threads",
        root.as_str(),
        what,
    ]
}

async fn react(
    rest: &Rest,
    me: &UserId,
    post: &PostId,
    emoji: &str,
    on: bool,
) -> Result<Reply, RequestError> {
    if on {
        let body = rest::Reaction {
            user_id: me.as_str().to_owned(),
            post_id: post.as_str().to_owned(),
            emoji_name: emoji.to_owned(),
            create_at: 0,
        };
        rest.post_only(&["api", "v4", "reactions"], &body).await?;
    } else {
        let path = [
            "api",
            "v4",
            "users",
            me.as_str(),
            "posts",
            post.as_str(),
            "reactions",
            emoji,
        ];
        rest.delete(&path).await?;
    }
    Ok(Reply::Done)
}

async fn emoji(rest: &Rest) -> Result<Reply, RequestError> {
    let mut found: Vec<CustomEmoji> = Vec::new();
    for page in 0_u32.. {
        let query = [
            ("page", page.to_string()),
            ("per_page", EMOJI_PAGE.to_string()),
        ];
        let query: Vec<_> = query
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let emoji: Vec<rest::Emoji> = match rest.get(&["api", "v4", "emoji"], &query).await {
            Ok(emoji) => emoji,
            // Custom emoji are switched off.
            Err(RequestError::Refused { .. }) => break,
            Err(error) => return Err(error),
        };
        let full = emoji.len() == EMOJI_PAGE;
        let kept = emoji.into_iter().filter(|one| one.delete_at == 0);
        found.extend(kept.map(|one| CustomEmoji {
            id: one.id,
            name: one.name,
        }));
        if !full || found.len() >= MOST_EMOJI {
            break;
        }
    }
    Ok(Reply::Emoji(found))
}

/// People of the whole server, and public channels of the team, by name.
async fn find(rest: &Rest, team: Option<&TeamId>, text: &str) -> Result<Reply, RequestError> {
    let people = async {
        let body = json!({ "term": text, "limit": 20 });
        rest.post::<Vec<rest::User>, _>(&["api", "v4", "users", "search"], &body)
            .await
    };
    let channels = async {
        let Some(team) = team else {
            return Ok(Vec::new());
        };
        let path = [
            "api",
            "v4",
            "teams",
            team.as_str(),
            "channels",
            "autocomplete",
        ];
        rest.get::<Vec<rest::Channel>>(&path, &[("name", text)])
            .await
    };
    let (people, channels) = tokio::join!(people, channels);
    Ok(Reply::Matches {
        users: people?.into_iter().map(user_of).collect(),
        // Without the right to list channels there are people still.
        channels: channels
            .unwrap_or_default()
            .into_iter()
            .filter(|channel| channel.kind == "O" && channel.delete_at == 0)
            .map(|channel| FoundChannel {
                id: ChannelId::new(channel.id),
                name: channel.display_name,
            })
            .collect(),
    })
}

async fn complete_user(
    rest: &Rest,
    team: Option<&TeamId>,
    channel: &ChannelId,
    text: &str,
) -> Result<Reply, RequestError> {
    let mut query = vec![("name", text), ("limit", MATCHES)];
    if let Some(team) = team {
        query.extend([("in_team", team.as_str()), ("in_channel", channel.as_str())]);
    }
    let found: rest::UserCompletions = rest
        .get(&["api", "v4", "users", "autocomplete"], &query)
        .await?;
    let others = found.out_of_channel.unwrap_or_default();
    Ok(Reply::Users(
        found.users.into_iter().chain(others).map(user_of).collect(),
    ))
}

async fn complete_command(
    rest: &Rest,
    team: &TeamId,
    channel: &ChannelId,
    root: Option<&PostId>,
    text: &str,
) -> Result<Reply, RequestError> {
    let path = [
        "api",
        "v4",
        "teams",
        team.as_str(),
        "commands",
        "autocomplete_suggestions",
    ];
    let mut query = vec![
        ("user_input", text),
        ("team_id", team.as_str()),
        ("channel_id", channel.as_str()),
    ];
    if let Some(root) = root {
        query.push(("root_id", root.as_str()));
    }
    let found: Vec<rest::Suggestion> = rest.get(&path, &query).await?;
    Ok(Reply::Hints(
        found
            .into_iter()
            .map(|one| CommandHint {
                complete: format!("/{}", one.complete.trim_start_matches('/')),
                suggestion: one.suggestion,
                hint: one.hint,
                description: one.description,
            })
            .collect(),
    ))
}
