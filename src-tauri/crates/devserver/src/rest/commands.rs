//! Slash commands (core reference, chapter 10; Calls reference, chapter 16).

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Json, Refusal, Reply, ok};
use super::auth::Caller;
use crate::app::App;
use crate::world::World;
use crate::world::model::Post;

/// What the server knows: trigger, hint, description.
const COMMANDS: [(&str, &str, &str); 9] = [
    (
        "call",
        "[start|join|leave|end|link|stats|logs|recording|host]",
        "Start, join and manage calls",
    ),
    ("echo", "[message]", "Posts the text back"),
    ("me", "[message]", "Do an action"),
    ("shrug", "[message]", "Adds ¯\\_(ツ)_/¯ to your message"),
    ("online", "", "Set your status online"),
    ("away", "", "Set your status away"),
    ("dnd", "", "Do not disturb"),
    ("offline", "", "Set your status offline"),
    ("header", "[text]", "Edit the channel header"),
];

/// Words after `/call`.
const CALL_WORDS: [(&str, &str, &str); 9] = [
    ("start", "[title]", "Starts a call in the current channel"),
    ("join", "", "Joins a call in the current channel"),
    ("leave", "", "Leave a call in the current channel"),
    ("end", "", "End the call for everyone"),
    (
        "link",
        "",
        "Generate a link to join a call in the current channel",
    ),
    (
        "stats",
        "",
        "Show client-generated statistics about the call",
    ),
    ("logs", "", "Show client logs"),
    ("recording", "[start|stop]", "Manage calls recordings"),
    ("host", "@username", "Change the host"),
];

/// `POST /commands/execute`.
pub(crate) async fn execute(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Value>,
) -> Reply {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let (line, channel, root) = (text("command"), text("channel_id"), text("root_id"));
    let mut world = app.lock();
    let Some(rest) = line.strip_prefix('/').filter(|r| !r.trim().is_empty()) else {
        let id = "api.command.execute_command.start.app_error";
        return Err(Refusal::new(400, id, "Commands must start with a slash."));
    };
    if !world.can_post(&caller.id, &channel) {
        return Err(Refusal::permission());
    }
    let place = world
        .channels
        .get(&channel)
        .ok_or_else(Refusal::permission)?;
    if place.delete_at > 0 {
        let id = "api.command.execute_command.deleted.error";
        return Err(Refusal::new(
            400,
            id,
            "Can not execute command in deleted channel.",
        ));
    }
    let team = if place.team_id.is_empty() {
        text("team_id")
    } else {
        place.team_id.clone()
    };
    let (trigger, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rest = rest.trim();
    match trigger {
        "call" if !world.switches.plugin_missing => {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let reply = world.call_command(&caller.id, &channel, &team, &words);
            if let Some(reply) = reply {
                world.ephemeral(&caller.id, &channel, &root, &reply);
                return answer(&mut world, "ephemeral", &reply);
            }
            answer(&mut world, "", "")
        }
        "echo" | "me" | "shrug" => {
            let (message, kind) = match trigger {
                "echo" => (rest.to_owned(), ""),
                "me" => (format!("*{rest}*"), "me"),
                _ => (format!("{rest} ¯\\\\\\_(ツ)\\_/¯").trim().to_owned(), ""),
            };
            if message.is_empty() {
                let text = "A message must be provided with the command.";
                world.ephemeral(&caller.id, &channel, &root, text);
                return answer(&mut world, "ephemeral", text);
            }
            let post = Post {
                user_id: caller.id.clone(),
                channel_id: channel,
                root_id: root,
                message: message.clone(),
                kind: kind.to_owned(),
                ..Post::default()
            };
            world.create_post(post, true)?;
            answer(&mut world, "in_channel", &message)
        }
        "online" | "away" | "dnd" | "offline" => {
            world.set_status(&caller.id, trigger, true, 0);
            let text = format!("You are now {trigger}");
            world.ephemeral(&caller.id, &channel, &root, &text);
            answer(&mut world, "ephemeral", &text)
        }
        "header" => {
            if let Some(c) = world.channels.get_mut(&channel) {
                rest.clone_into(&mut c.header);
                let value = c.json().to_string();
                world.emit_channel(&channel, "channel_updated", json!({"channel": value}));
            }
            answer(&mut world, "", "")
        }
        _ => {
            let id = "api.command.execute_command.not_found.app_error";
            let text = format!(
                "Command with a trigger of '/{trigger}' not found. To send a message beginning \
                 with \"/\" try adding an empty space at the beginning of the message."
            );
            Err(Refusal::new(404, id, text))
        }
    }
}

fn answer(world: &mut World, kind: &str, text: &str) -> Reply {
    ok(json!({
        "response_type": kind, "text": text, "username": "", "channel_id": "", "icon_url": "",
        "type": "", "props": null, "goto_location": "", "trigger_id": world.ids.next_id(),
        "skip_slack_parsing": false, "attachments": null, "extra_responses": null,
    }))
}

impl World {
    /// `/call …` as it reaches the server; `None` is the empty answer of commands that clients handle.
    fn call_command(
        &mut self,
        user: &str,
        channel: &str,
        team: &str,
        words: &[&str],
    ) -> Option<String> {
        let Some(word) = words.first() else {
            return Some("invalid number of arguments".to_owned());
        };
        match *word {
            "start" | "join" | "leave" | "end" | "logs" => None,
            "link" => Some(self.teams.get(team).map_or_else(
                || "failed to get team: not found".to_owned(),
                |t| {
                    let site = &self.site_url;
                    let path = format!("{site}/{}/channels/{channel}?join_call=true", t.name);
                    format!("[Call link]({path})\n{path}")
                },
            )),
            "stats" => Some(stats(words)),
            "recording" => match words.get(1) {
                Some(&"start" | &"stop") => None,
                _ => Some("Error: invalid recording command".to_owned()),
            },
            "host" => self
                .host_command(user, channel, words)
                .err()
                .map(|e| format!("Error: {e}")),
            _ => Some(format!("invalid subcommand {word}")),
        }
    }

    fn host_command(
        &mut self,
        user: &str,
        channel: &str,
        words: &[&str],
    ) -> Result<(), &'static str> {
        if !self.switches.host_controls {
            return Err("your license does not allow host controls");
        }
        let [_, name] = words else {
            return Err("invalid number of arguments");
        };
        let wanted = self.user_named(name).map(|u| u.id.clone());
        let wanted = wanted.ok_or("user not found")?;
        self.make_host(channel, user, &wanted)
    }
}

/// `/call stats <base64 of JSON>` comes back as a code block.
fn stats(words: &[&str]) -> String {
    let [_, data] = words else {
        return "Error: Invalid number of arguments provided".to_owned();
    };
    let decoded = base64::engine::general_purpose::STANDARD.decode(data);
    let Ok(bytes) = decoded else {
        return "Error: Failed to decode payload".to_owned();
    };
    if bytes.len() < 2 {
        return "Error: Invalid stats object".to_owned();
    }
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(map)) if map.is_empty() => "Error: Empty stats object".to_owned(),
        Ok(value) => format!("```json\n{value:#}\n```"),
        Err(_) => "Error: Failed to decode payload".to_owned(),
    }
}

/// `GET /teams/{team}/commands/autocomplete`.
pub(crate) async fn autocomplete(_caller: Caller, Path(_team): Path<String>) -> Reply {
    ok(COMMANDS
        .iter()
        .map(|(trigger, hint, text)| {
            json!({
                "id": "", "trigger": trigger, "method": "", "username": "", "icon_url": "",
                "auto_complete": true, "auto_complete_desc": text, "auto_complete_hint": hint,
                "display_name": trigger, "description": "", "url": "",
            })
        })
        .collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SuggestQuery {
    user_input: String,
}

/// `GET /teams/{team}/commands/autocomplete_suggestions`: keys with capitals, no leading slash.
pub(crate) async fn suggestions(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(_team): Path<String>,
    Query(query): Query<SuggestQuery>,
) -> Reply {
    let suggest = |complete: String, word: &str, hint: &str, text: &str| {
        json!({
            "Complete": complete, "Suggestion": word, "Hint": hint, "Description": text,
            "IconData": "",
        })
    };
    let input = query.user_input.trim_start_matches('/');
    let list: Vec<Value> = match input.strip_prefix("call ") {
        None => COMMANDS
            .iter()
            .filter(|(trigger, _, _)| trigger.starts_with(input))
            .map(|(trigger, hint, text)| suggest((*trigger).to_owned(), trigger, hint, text))
            .collect(),
        Some(rest) => {
            let world = app.lock();
            let names: Vec<String> = world
                .users
                .values()
                .filter(|u| !u.is_bot && u.delete_at == 0)
                .map(|u| format!("@{}", u.username))
                .collect();
            if let Some(part) = rest.strip_prefix("recording ") {
                ["start", "stop"]
                    .iter()
                    .filter(|w| w.starts_with(part))
                    .map(|w| suggest(format!("call recording {w}"), w, "", ""))
                    .collect()
            } else if let Some(part) = rest.strip_prefix("host ") {
                names
                    .iter()
                    .filter(|n| {
                        n.trim_start_matches('@')
                            .starts_with(part.trim_start_matches('@'))
                    })
                    .map(|n| suggest(format!("call host {n}"), n, "", ""))
                    .collect()
            } else {
                CALL_WORDS
                    .iter()
                    .filter(|(w, _, _)| w.starts_with(rest))
                    .map(|(w, hint, text)| suggest(format!("call {w}"), w, hint, text))
                    .collect()
            }
        }
    };
    ok(list.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stats_come_back_as_a_code_block_or_an_error() {
        let encode = |t: &str| base64::engine::general_purpose::STANDARD.encode(t);
        let good = encode("{\"initTime\":1}");
        assert!(stats(&["stats", &good]).starts_with("```json\n{"));
        for (words, error) in [
            (vec!["stats"], "Error: Invalid number"),
            (vec!["stats", "%%"], "Error: Failed to decode"),
            (vec!["stats", "MQ=="], "Error: Invalid stats"),
            (vec!["stats", "e30="], "Error: Empty stats"),
        ] {
            assert!(stats(&words).starts_with(error), "{words:?}");
        }
    }
}
