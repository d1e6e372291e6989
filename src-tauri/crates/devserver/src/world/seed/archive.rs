//! A channel with a long past: ten thousand posts of every kind, the same in every run.

use bytes::Bytes;
use serde_json::json;

use super::{MINUTE, uid};
use crate::rest::avatar;
use crate::world::model::{Post, Reaction};
use crate::world::{World, now_ms};

/// Posts that stand in the channel itself; replies come on top.
pub(super) const POSTS: i64 = 10_000;

/// Who writes there, several lines at a time.
const AUTHORS: [&str; 5] = ["alice", "bob", "carol", "dave", "user07"];

/// What the n-th of them says.
fn text(n: i64) -> String {
    match n % 10 {
        0 => format!("Message {n}, with **marks**, `code` and https://example.org/{n}."),
        1 => format!(
            "{}That was thought number {n}.",
            "A longer thought about the timer. ".repeat(12)
        ),
        2 => format!("```rust\nlet n = {n};\nfor step in 0..n {{\n    turn(step);\n}}\n```"),
        3 => {
            format!(
                "| loss | target | concealed |\n|---|---|---|\n| {n} | 24 ms | 0.0 % |\n| 5 % | 61 ms | 0.4 % |"
            )
        }
        4 => format!("> said before\n\n- one\n- [x] two\n- [ ] number {n}"),
        5 => format!("@alice did you see ~standup? :tada: :coffee: {n}"),
        6 => format!("### Build {n}\n1. compile\n2. test\n3. ~~hope~~ ship"),
        _ => format!("Short word number {n}."),
    }
}

/// Fills a channel.
pub(super) fn archive(world: &mut World, channel: &str) {
    let begin = now_ms() - (POSTS + 60) * 20 * MINUTE;
    let mut picture = None;
    for n in 0..POSTS {
        let at = begin + n * 20 * MINUTE;
        let author = uid(AUTHORS[usize::try_from(n / 3).unwrap_or(0) % AUTHORS.len()]);
        let mut post = Post {
            id: world.ids.next_id(),
            create_at: at,
            update_at: at,
            user_id: author.clone(),
            channel_id: channel.to_owned(),
            message: text(n),
            ..Post::default()
        };
        if n % 23 == 3 {
            let bytes = picture
                .get_or_insert_with(|| Bytes::from(avatar::draw("drawing", "D")))
                .clone();
            let name = format!("drawing {n}.png");
            let file = world.store_file(&author, channel, &name, "image/png", bytes);
            post.file_ids.push(file);
        } else if n % 29 == 5 {
            let bytes = Bytes::from_static(b"One line of a log.\n");
            let file = world.store_file(
                &author,
                channel,
                &format!("log {n}.txt"),
                "text/plain",
                bytes,
            );
            post.file_ids.push(file);
        }
        for file in &post.file_ids {
            if let Some(file) = world.files.get_mut(file) {
                file.post_id.clone_from(&post.id);
            }
        }
        if n % 7 == 2 {
            post.reactions = ["bob", "carol", "dave"]
                .iter()
                .map(|name| Reaction {
                    user_id: uid(name),
                    emoji_name: "tada".to_owned(),
                    create_at: at + 1,
                })
                .collect();
        }
        if n % 37 == 8 {
            post.kind = "system_join_channel".to_owned();
            post.message = format!("user{:02} joined the channel.", n % 60 + 1);
        } else if n % 101 == 9 {
            post.kind = "custom_calls".to_owned();
            post.message = "Call ended".to_owned();
            let props = json!({
                "from_plugin": "true", "title": "", "start_at": at, "end_at": at + 7 * MINUTE,
                "participants": [], "recordings": {}, "transcriptions": {},
            });
            post.props = props.as_object().cloned().unwrap_or_default();
        }
        let id = post.id.clone();
        let answered = n % 53 == 11;
        file(world, post);
        if answered {
            for k in 1..=3 {
                let reply = Post {
                    id: world.ids.next_id(),
                    create_at: at + k,
                    update_at: at + k,
                    user_id: uid(AUTHORS[usize::try_from(k).unwrap_or(0)]),
                    channel_id: channel.to_owned(),
                    root_id: id.clone(),
                    message: format!("Answer {k} to number {n}"),
                    ..Post::default()
                };
                file(world, reply);
            }
        }
    }
}

fn file(world: &mut World, post: Post) {
    let id = post.id.clone();
    world.store_post(post);
    world.count_post(&id, &std::collections::BTreeSet::new());
}
