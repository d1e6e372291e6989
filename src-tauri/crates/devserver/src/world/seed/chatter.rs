//! What the seeded people have said to each other.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use super::{CHANNEL, MINUTE, uid};
use crate::world::model::{Post, Reaction};
use crate::world::{World, now_ms};

/// Posts as people write them.
pub(super) fn chatter(world: &mut World, id_of: &dyn Fn(&str) -> String, dm: &str, gm: &str) {
    let now = now_ms();
    let at = |minutes: i64| now - minutes * MINUTE;
    let square = id_of("town-square");
    let standup = id_of(CHANNEL);
    say(
        world,
        &square,
        &uid("admin"),
        at(2880),
        "",
        "Welcome to **Halloo**! :wave: Calls work in every channel here, try the one in ~standup.",
    );
    say(
        world,
        &square,
        &uid("carol"),
        at(1500),
        "",
        "New icons are in. Opinions welcome:\n\n- [x] microphone\n- [x] hand\n- [ ] screen share",
    );
    say(
        world,
        &square,
        &uid("dave"),
        at(1440),
        "",
        "The `hand` one looks like a mitten :smile:",
    );
    let root = say(
        world,
        &standup,
        &uid("alice"),
        at(300),
        "",
        "Jitter buffer numbers from last night:\n\n| loss | target | concealed |\n|---|---|---|\n\
         | 0 % | 24 ms | 0.0 % |\n| 5 % | 61 ms | 0.4 % |\n| 20 % | 118 ms | 2.9 % |",
    );
    say(
        world,
        &standup,
        &uid("bob"),
        at(295),
        &root,
        "20 % already? Which seed?",
    );
    say(
        world,
        &standup,
        &uid("alice"),
        at(293),
        &root,
        "```\nseed = 42\nburst = 3..10\n```",
    );
    say(
        world,
        &standup,
        &uid("carol"),
        at(290),
        &root,
        "@bob same on my machine",
    );
    if let Some(p) = world.posts.get_mut(&root) {
        p.reactions = ["bob", "carol", "dave"]
            .iter()
            .map(|n| Reaction {
                user_id: uid(n),
                emoji_name: "tada".to_owned(),
                create_at: at(289),
            })
            .collect();
    }
    finished_call(world, &standup, at(180), at(165));
    say(
        world,
        &standup,
        &uid("dave"),
        at(60),
        "",
        "Customer asks whether screen sharing works on two monitors. https://example.org/ticket/4711",
    );
    say(
        world,
        &standup,
        &uid("bob"),
        at(20),
        "",
        "> two monitors\n\nYes, pick one of them. Standup in 20, see you in the call!",
    );
    let incident = id_of("incident-room");
    say(
        world,
        &incident,
        &uid("bob"),
        at(75),
        "",
        "Disk on the build machine is at 97 %.",
    );
    say(
        world,
        &incident,
        &uid("alice"),
        at(74),
        "",
        "On it. Old target directories, as ever.",
    );
    say(
        world,
        &id_of("off-topic"),
        &uid("carol"),
        at(500),
        "",
        "Coffee machine is fixed :coffee:",
    );
    say(
        world,
        &id_of("old-project"),
        &uid("alice"),
        at(60 * 24 * 40),
        "",
        "That was it. Thanks everybody!",
    );
    say(
        world,
        dm,
        &uid("bob"),
        at(45),
        "",
        "Do you have a minute for the SFU thing?",
    );
    say(
        world,
        dm,
        &uid("alice"),
        at(44),
        "",
        "Sure, just call me :telephone_receiver:",
    );
    say(world, gm, &uid("carol"), at(90), "", "Lunch at 12?");
}

/// A call that is over, as the plugin leaves it in the channel.
fn finished_call(world: &mut World, channel: &str, start: i64, end: i64) {
    let author = uid("alice");
    let text = "Call ended";
    let props = json!({
        "from_plugin": "true", "title": "", "start_at": start, "end_at": end,
        "participants": [], "recordings": {}, "transcriptions": {},
        "attachments": [{"fallback": text, "title": text, "text": text}],
    });
    let post = Post {
        id: world.ids.next_id(),
        create_at: start,
        update_at: end,
        user_id: author,
        channel_id: channel.to_owned(),
        message: text.to_owned(),
        kind: "custom_calls".to_owned(),
        props: props.as_object().cloned().unwrap_or_else(Map::new),
        ..Post::default()
    };
    let id = post.id.clone();
    world.store_post(post);
    world.count_post(&id, &BTreeSet::new());
}

pub(super) fn say(
    world: &mut World,
    channel: &str,
    user: &str,
    at: i64,
    root: &str,
    text: &str,
) -> String {
    let post = Post {
        id: world.ids.next_id(),
        create_at: at,
        update_at: at,
        user_id: user.to_owned(),
        channel_id: channel.to_owned(),
        root_id: root.to_owned(),
        message: text.to_owned(),
        ..Post::default()
    };
    let id = post.id.clone();
    world.store_post(post);
    world.count_post(&id, &BTreeSet::new());
    id
}
