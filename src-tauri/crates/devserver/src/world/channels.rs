//! Channels and who is in them.

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::World;
use super::model::{Channel, Kind, Member};

impl World {
    /// True if the user may read the channel.
    pub(crate) fn can_read(&self, user: &str, channel: &str) -> bool {
        self.channels
            .get(channel)
            .is_some_and(|c| c.members.contains_key(user))
    }

    /// True if the user has the permission to post (archived or not is another question).
    pub(crate) fn can_post(&self, user: &str, channel: &str) -> bool {
        self.channels
            .get(channel)
            .is_some_and(|c| c.members.contains_key(user) && !c.read_only.contains(user))
    }

    /// Makes a channel with these members; the first is its creator and admin.
    pub(crate) fn add_channel(&mut self, mut channel: Channel, members: &[String]) -> String {
        if channel.id.is_empty() {
            channel.id = self.ids.next_id();
        }
        let now = self.stamp();
        if channel.create_at == 0 {
            channel.create_at = now;
        }
        channel.update_at = channel.create_at;
        if channel.creator_id.is_empty() && !channel.kind.is_personal() {
            channel.creator_id = members.first().cloned().unwrap_or_default();
        }
        for (index, user) in members.iter().enumerate() {
            let member = Member {
                admin: index == 0 && !channel.kind.is_personal(),
                last_update_at: now,
                ..Member::default()
            };
            channel.members.insert(user.clone(), member);
        }
        let id = channel.id.clone();
        self.channels.insert(id.clone(), channel);
        id
    }

    /// The direct channel of two users, made if there is none; true when it is new.
    pub(crate) fn direct_channel(&mut self, a: &str, b: &str) -> (String, bool) {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        let name = format!("{low}__{high}");
        if let Some(found) = self.channels.values().find(|c| c.name == name) {
            return (found.id.clone(), false);
        }
        let mut members = vec![a.to_owned()];
        if a != b {
            members.push(b.to_owned());
        }
        let channel = Channel {
            kind: Kind::Direct,
            name,
            ..Channel::default()
        };
        (self.add_channel(channel, &members), true)
    }

    /// The group channel of these users, made if there is none; true when it is new.
    pub(crate) fn group_channel(&mut self, users: &[String]) -> (String, bool) {
        let mut ids = users.to_vec();
        ids.sort();
        ids.dedup();
        let name = group_name(&ids);
        if let Some(found) = self.channels.values().find(|c| c.name == name) {
            return (found.id.clone(), false);
        }
        let mut names: Vec<_> = ids
            .iter()
            .filter_map(|id| self.users.get(id))
            .map(|u| u.username.clone())
            .collect();
        names.sort();
        let channel = Channel {
            kind: Kind::Group,
            name,
            display_name: names.join(", "),
            ..Channel::default()
        };
        (self.add_channel(channel, &ids), true)
    }

    /// Adds a member and tells everybody concerned.
    pub(crate) fn join_channel(&mut self, channel: &str, user: &str) {
        let now = self.stamp();
        let Some(c) = self.channels.get_mut(channel) else {
            return;
        };
        let member = Member {
            last_update_at: now,
            msg_count: c.total,
            msg_count_root: c.total_root,
            last_viewed_at: now,
            ..Member::default()
        };
        c.members.insert(user.to_owned(), member);
        let team = c.team_id.clone();
        self.emit_channel(
            channel,
            "user_added",
            json!({"user_id": user, "team_id": team}),
        );
    }

    /// Removes a member; the event has two shapes, one for those who stay and one for who goes. A call
    /// the user is in ends for them.
    pub(crate) fn part_channel(&mut self, channel: &str, user: &str, remover: &str) {
        let Some(c) = self.channels.get_mut(channel) else {
            return;
        };
        if c.members.remove(user).is_none() {
            return;
        }
        self.emit_channel(
            channel,
            "user_removed",
            json!({"user_id": user, "remover_id": remover}),
        );
        self.emit_user(
            user,
            "user_removed",
            json!({"channel_id": channel, "remover_id": remover}),
        );
        self.calls_user_left_channel(channel, user);
    }

    /// Reads everything in a channel.
    pub(crate) fn view_channel(&mut self, channel: &str, user: &str) -> Option<i64> {
        let now = super::now_ms();
        let c = self.channels.get_mut(channel)?;
        let (total, total_root) = (c.total, c.total_root);
        let m = c.members.get_mut(user)?;
        m.msg_count = total;
        m.msg_count_root = total_root;
        m.mention_count = 0;
        m.mention_count_root = 0;
        m.last_viewed_at = now;
        Some(now)
    }

    /// The member object as an event carries it.
    pub(crate) fn member_text(&self, channel: &str, user: &str) -> String {
        self.channels
            .get(channel)
            .map_or(Value::Null, |c| c.member_json(user, true))
            .to_string()
    }
}

/// A group channel is named after its members: the SHA-1 of their sorted ids, in hex.
fn group_name(sorted: &[String]) -> String {
    let mut hash = Sha1::new();
    for id in sorted {
        hash.update(id.as_bytes());
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::group_name;

    #[test]
    fn a_group_is_named_by_the_sha1_of_its_members() {
        // SHA-1("abc"), FIPS 180-4, as three one-letter "ids".
        let ids = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(group_name(&ids), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
