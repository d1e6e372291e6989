//! The world a server starts with. Ids of seeded people, teams and channels are the same in every run.

use serde_json::{Value, json};

use super::model::{Channel, Kind, Member, Team, User};
use super::{World, now_ms};
use crate::config::Seed;
use crate::id::IdSource;

mod archive;
mod chatter;

use chatter::{chatter, say};

/// The password of every seeded account; the server only ever listens for developers.
pub(crate) const PASSWORD: &str = "Halloo-dev-1";
/// The code that the account with a second factor accepts.
pub(crate) const MFA_CODE: &str = "123456";
/// The seeded team.
pub(crate) const TEAM: &str = "halloo";
/// The channel that demos and tests use first.
pub(crate) const CHANNEL: &str = "standup";

const MINUTE: i64 = 60_000;

/// Fills an empty world.
pub(crate) fn plant(world: &mut World, seed: Seed) {
    for (name, first, last, position) in [
        ("alice", "Alice", "Ahlberg", "Sound engineer"),
        ("bob", "Bob", "Brandt", "Backend"),
        ("carol", "Carol", "Costa", "Design"),
        ("dave", "Dave", "Dubois", "Support"),
        ("mfa", "Mia", "Faktor", "Security"),
        ("admin", "Ada", "Min", "System administrator"),
        ("guest", "Gil", "Gast", "Visitor"),
    ] {
        user(world, name, first, last, position);
    }
    edit(world, "admin", |u| {
        u.roles = "system_user system_admin".to_owned();
    });
    edit(world, "guest", |u| u.roles = "system_guest".to_owned());
    edit(world, "mfa", |u| u.mfa_code = Some(MFA_CODE.to_owned()));
    user(world, "calls", "", "", "");
    edit(world, "calls", |u| {
        u.is_bot = true;
        u.nickname = "Calls".to_owned();
    });
    user(world, "gone", "Gina", "Onegin", "");
    edit(world, "gone", |u| u.delete_at = now_ms() - 86_400_000);

    let everybody = ids(&["alice", "bob", "carol", "dave", "mfa", "admin"]);
    let team = team(world, TEAM, "Halloo", &everybody);
    let public = |name, title| (name, title, Kind::Open);
    for (name, title, kind) in [
        public("town-square", "Town Square"),
        public("off-topic", "Off-Topic"),
        public(CHANNEL, "Standup"),
        public("no-calls", "No Calls Here"),
        public("announcements", "Announcements"),
        public("old-project", "Old Project"),
    ] {
        channel(world, &team, name, title, kind, &everybody);
    }
    // A guest belongs to the team and to the one channel that they were asked into.
    if let Some(team) = world.teams.get_mut(&team) {
        team.members.insert(uid("guest"), false);
    }
    if let Some(c) = world.channels.get_mut(&IdSource::named("channel", CHANNEL)) {
        c.members.insert(uid("guest"), Member::default());
    }
    let crew = ids(&["alice", "bob", "dave"]);
    channel(
        world,
        &team,
        "incident-room",
        "Incident Room",
        Kind::Private,
        &crew,
    );
    let id_of = |name: &str| IdSource::named("channel", name);
    if let Some(c) = world.channels.get_mut(&id_of("no-calls")) {
        c.calls_enabled = Some(false);
    }
    if let Some(c) = world.channels.get_mut(&id_of("announcements")) {
        c.read_only = ids(&["carol", "dave"]).into_iter().collect();
    }
    if let Some(c) = world.channels.get_mut(&id_of(CHANNEL)) {
        c.header = "Every morning at 9:15, cameras optional".to_owned();
        c.purpose = "What we did, what we do, what is in the way".to_owned();
    }
    let (dm, _) = world.direct_channel(&uid("alice"), &uid("bob"));
    let (gm, _) = world.group_channel(&ids(&["alice", "bob", "carol"]));
    for (name, other) in [("alice", "bob"), ("bob", "alice")] {
        show(world, name, "direct_channel_show", &uid(other));
    }
    for name in ["alice", "bob", "carol"] {
        show(world, name, "group_channel_show", &gm);
    }
    chatter(world, &id_of, &dm, &gm);
    if let Some(c) = world.channels.get_mut(&id_of("old-project")) {
        c.delete_at = now_ms() - 30 * 24 * 60 * MINUTE;
    }
    if seed == Seed::Large {
        crowd(world, &team);
    }
    for thread in world.threads.values_mut() {
        thread.last_viewed_at = now_ms();
        thread.unread_mentions = 0;
    }
    for c in world.channels.values_mut() {
        let (total, total_root, last) = (c.total, c.total_root, c.last_post_at);
        for m in c.members.values_mut() {
            m.msg_count = total;
            m.msg_count_root = total_root;
            m.last_viewed_at = last;
            m.mention_count = 0;
            m.mention_count_root = 0;
        }
    }
}

/// Sixty more people, sixty more channels with thousands of posts, and one channel with ten thousand.
fn crowd(world: &mut World, team_id: &str) {
    let mut everybody = ids(&["alice", "bob", "carol", "dave"]);
    for n in 1..=60 {
        let name = format!("user{n:02}");
        user(world, &name, "User", &format!("{n:02}"), "");
        everybody.push(uid(&name));
    }
    if let Some(team) = world.teams.get_mut(team_id) {
        team.members
            .extend(everybody.iter().map(|id| (id.clone(), false)));
    }
    let second = team(world, "second", "Second Team", &everybody[..4]);
    for (name, title) in [
        ("second-square", "Town Square"),
        ("second-topic", "Off-Topic"),
    ] {
        channel(world, &second, name, title, Kind::Open, &everybody[..4]);
    }
    for name in ["town-square", "off-topic", CHANNEL] {
        if let Some(c) = world.channels.get_mut(&IdSource::named("channel", name)) {
            for id in &everybody {
                c.members.entry(id.clone()).or_default();
            }
        }
    }
    let now = now_ms();
    for n in 1..=60_i64 {
        let name = format!("project-{n:02}");
        let title = format!("Project {n:02}");
        let kind = if n % 5 == 0 {
            Kind::Private
        } else {
            Kind::Open
        };
        let id = channel(world, team_id, &name, &title, kind, &everybody);
        for k in 0..50_i64 {
            let author = &everybody[usize::try_from(n * 7 + k).unwrap_or(0) % everybody.len()];
            let text = format!("Update {k} on project {n:02}: **{}** points left.", 50 - k);
            say(world, &id, author, now - (60 - k) * MINUTE - n, "", &text);
        }
    }
    let id = channel(world, team_id, "archive", "Archive", Kind::Open, &everybody);
    archive::archive(world, &id);
}

fn uid(name: &str) -> String {
    IdSource::named("user", name)
}

fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| uid(n)).collect()
}

fn user(world: &mut World, name: &str, first: &str, last: &str, position: &str) {
    let created = now_ms() - 100 * 24 * 60 * MINUTE;
    let user = User {
        id: uid(name),
        username: name.to_owned(),
        password: PASSWORD.to_owned(),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        position: position.to_owned(),
        roles: "system_user".to_owned(),
        locale: "en".to_owned(),
        create_at: created,
        update_at: created,
        notify_props: User::default_notify_props(),
        ..User::default()
    };
    let mut tips = std::collections::BTreeMap::new();
    tips.insert(
        (
            "display_settings".to_owned(),
            "use_military_time".to_owned(),
        ),
        "true".to_owned(),
    );
    world.preferences.insert(user.id.clone(), tips);
    world.users.insert(user.id.clone(), user);
}

/// Keeps a personal channel in somebody's sidebar.
fn show(world: &mut World, name: &str, category: &str, what: &str) {
    let key = (category.to_owned(), what.to_owned());
    let own = world.preferences.entry(uid(name)).or_default();
    own.insert(key, "true".to_owned());
}

fn edit(world: &mut World, name: &str, change: impl FnOnce(&mut User)) {
    if let Some(u) = world.users.get_mut(&uid(name)) {
        change(u);
    }
}

fn team(world: &mut World, name: &str, title: &str, members: &[String]) -> String {
    let id = IdSource::named("team", name);
    let team = Team {
        id: id.clone(),
        name: name.to_owned(),
        display_name: title.to_owned(),
        create_at: now_ms() - 100 * 24 * 60 * MINUTE,
        members: members
            .iter()
            .map(|m| (m.clone(), *m == uid("admin")))
            .collect(),
    };
    world.teams.insert(id.clone(), team);
    id
}

fn channel(
    world: &mut World,
    team: &str,
    name: &str,
    title: &str,
    kind: Kind,
    members: &[String],
) -> String {
    let slug = name.strip_prefix("second-").map_or(name, |rest| {
        if rest == "square" {
            "town-square"
        } else {
            "off-topic"
        }
    });
    let channel = Channel {
        id: IdSource::named("channel", name),
        team_id: team.to_owned(),
        kind,
        name: slug.to_owned(),
        display_name: title.to_owned(),
        create_at: now_ms() - 99 * 24 * 60 * MINUTE,
        ..Channel::default()
    };
    world.add_channel(channel, members)
}

/// What the server prints for those who want to sign in.
pub(crate) fn accounts(world: &World) -> Vec<(String, String)> {
    let mut people: Vec<_> = world
        .users
        .values()
        .filter(|u| !u.is_bot && u.delete_at == 0)
        .map(|u| (u.username.clone(), u.password.clone()))
        .collect();
    // alice first: whoever takes the first account should get the friendliest one.
    people.sort();
    people.sort_by_key(|(name, _)| matches!(name.as_str(), "admin" | "mfa"));
    people
}

/// A preference list as JSON.
pub(crate) fn preference(user: &str, category: &str, name: &str, value: &str) -> Value {
    json!({"user_id": user, "category": category, "name": name, "value": value})
}
