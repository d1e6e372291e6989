//! Posts of the channels that were opened: pages, what came since, what is shown.

use std::collections::{BTreeMap, VecDeque};

use crate::id::{ChannelId, Millis, PostId, UserId};
use crate::model::{Post, PostKind};
use crate::port::{Page, Request};
use crate::snapshot::Timeline as Slice;

use super::compose::Compose;
use super::directory::Directory;
use super::out::{Asked, Out, Part};
use super::row::{pending_row, react, row};
use super::typing::Typing;

/// Posts of a page, as the network asks for them. What comes beyond that is roots of replies.
const PAGE: usize = 60;

/// The same of an older page.
const OLDER: usize = 200;

/// So many posts in an answer to [`Page::Since`] mean that more were cut off (mattermost-core §7.3).
const CUT_OFF: usize = 1000;

/// Channels whose posts are kept. The one opened longest ago is forgotten first, and loaded again when opened.
const ROOMS: usize = 24;

/// Posts kept of a channel that is not open.
const POSTS: usize = 500;

/// The part of the machine that knows posts.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    open: Option<ChannelId>,
    rooms: BTreeMap<ChannelId, Room>,
    /// Rooms, the one opened last at the end.
    recent: VecDeque<ChannelId>,
}

/// The posts of one channel that we have.
#[derive(Debug, Default)]
struct Room {
    posts: BTreeMap<PostId, Post>,
    loaded: bool,
    /// Events may have been missed since it was loaded.
    stale: bool,
    /// … and again while what was missed is on its way: the answer may be older than that.
    again: bool,
    at_start: bool,
    /// Nothing older than this is complete.
    floor: Millis,
    /// Everything that changed until then is here: what came since is asked for from here. Only pages and events of an
    /// unbroken link move it. The answer to a post of ours does not: others may have written before it, unheard.
    newest_change: Millis,
    /// When the person last looked, if there was something new when the channel was opened.
    unread_since: Option<Millis>,
    first_unread: Option<PostId>,
}

impl Room {
    /// An event moves the time until which everything is here, as long as none was missed before it.
    fn heard(&mut self, post: &Post, told: bool) {
        if told && self.loaded && !self.stale {
            self.newest_change = self.newest_change.max(post.update_at);
        }
    }

    fn insert(&mut self, post: Post) {
        if post.delete_at > 0 {
            self.delete(&post.id);
            return;
        }
        // An edit of something that we do not show, or a root far above: it would stand there without its neighbours.
        let known = self.posts.contains_key(&post.id);
        if known || self.at_start || post.create_at >= self.floor {
            self.posts.insert(post.id.clone(), post);
        }
    }

    /// Removes a post, and with a root its replies.
    fn delete(&mut self, id: &PostId) {
        self.posts
            .retain(|key, post| key != id && post.root.as_ref() != Some(id));
    }

    fn find_first_unread(&mut self, directory: &Directory) {
        let Some(since) = self.unread_since.take() else {
            return;
        };
        self.first_unread = self
            .posts
            .values()
            .filter(|post| post.create_at > since && post.author != *directory.me())
            .filter(|post| !matches!(post.kind, PostKind::System | PostKind::Ephemeral))
            .filter(|post| !(directory.collapsed_threads() && post.root.is_some()))
            .min_by_key(|post| (post.create_at, post.id.clone()))
            .map(|post| post.id.clone());
    }

    /// Forgets the oldest posts of a long room.
    fn trim(&mut self) {
        if self.posts.len() <= POSTS {
            return;
        }
        let mut times: Vec<_> = self.posts.values().map(|post| post.create_at).collect();
        times.sort_unstable();
        self.floor = times[times.len() - POSTS];
        self.at_start = false;
        let floor = self.floor;
        self.posts.retain(|_, post| post.create_at >= floor);
    }
}

impl Timeline {
    /// Shows a channel. `unread_since`: when the person last looked, if something is new.
    pub(crate) fn open(
        &mut self,
        channel: &ChannelId,
        unread_since: Option<Millis>,
        directory: &Directory,
        out: &mut Out,
    ) {
        if let Some(before) = self.open.take()
            && before != *channel
            && let Some(room) = self.rooms.get_mut(&before)
        {
            room.trim();
        }
        self.open = Some(channel.clone());
        self.recent.retain(|id| id != channel);
        self.recent.push_back(channel.clone());
        if self.recent.len() > ROOMS
            && let Some(oldest) = self.recent.pop_front()
        {
            self.rooms.remove(&oldest);
        }
        let room = self.rooms.entry(channel.clone()).or_default();
        room.first_unread = None;
        room.unread_since = unread_since;
        if room.loaded {
            room.find_first_unread(directory);
        }
        self.refresh(channel, out);
        out.dirty(Part::Timeline);
    }

    /// Shows none.
    pub(crate) fn close(&mut self, out: &mut Out) {
        if self.open.take().is_some() {
            out.dirty(Part::Timeline);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, out: &mut Out) {
        *self = Self::default();
        out.dirty(Part::Timeline);
    }

    /// We are no longer in the channel.
    pub(crate) fn forget(&mut self, channel: &ChannelId, out: &mut Out) {
        self.rooms.remove(channel);
        self.recent.retain(|id| id != channel);
        if self.open.as_ref() == Some(channel) {
            self.close(out);
        }
    }

    /// Events may have been missed: the open channel catches up now, the others when they are opened.
    pub(crate) fn missed(&mut self, out: &mut Out) {
        for (channel, room) in &mut self.rooms {
            room.stale = true;
            room.again = out.waits(|asked| {
                matches!(asked, Asked::Posts { channel: of, page: Page::Newest | Page::Since(_) } if of == channel)
            });
        }
        self.resumed(out);
    }

    /// The link is back and nothing was missed, but what was asked for may have been lost with it.
    pub(crate) fn resumed(&mut self, out: &mut Out) {
        if let Some(open) = self.open.clone() {
            self.refresh(&open, out);
        }
    }

    /// Loads what a channel lacks.
    pub(crate) fn refresh(&mut self, channel: &ChannelId, out: &mut Out) {
        let Some(room) = self.rooms.get(channel) else {
            return;
        };
        let page = match room {
            Room { loaded: false, .. } => Page::Newest,
            // An empty channel has no time to begin from.
            Room {
                stale: true,
                newest_change: 0,
                ..
            } => Page::Newest,
            Room { stale: true, .. } => Page::Since(room.newest_change),
            _ => return,
        };
        self.ask(channel, page, out);
    }

    fn ask(&mut self, channel: &ChannelId, page: Page, out: &mut Out) {
        let why = Asked::Posts {
            channel: channel.clone(),
            page: page.clone(),
        };
        if !out.waits(|asked| *asked == why) {
            out.ask(
                why,
                Request::LoadPosts {
                    channel: channel.clone(),
                    page,
                },
            );
            out.dirty(Part::Timeline);
        }
    }

    pub(crate) fn load_older(&mut self, out: &mut Out) {
        let Some((channel, room)) = self
            .open
            .clone()
            .and_then(|channel| Some((channel.clone(), self.rooms.get(&channel)?)))
        else {
            return;
        };
        if !room.loaded || room.at_start {
            return;
        }
        let oldest = room
            .posts
            .values()
            .filter(|post| post.kind != PostKind::Ephemeral)
            .min_by_key(|post| (post.create_at, post.id.clone()))
            .map(|post| post.id.clone());
        if let Some(oldest) = oldest {
            self.ask(&channel, Page::Before(oldest), out);
        }
    }

    /// Posts came. The channel may have been forgotten since they were asked for.
    pub(crate) fn loaded(
        &mut self,
        channel: &ChannelId,
        page: &Page,
        mut posts: Vec<Post>,
        at_start: bool,
        directory: &Directory,
        out: &mut Out,
    ) {
        let Some(room) = self.rooms.get_mut(channel) else {
            return;
        };
        out.dirty(Part::Timeline);
        posts.retain(|post| post.channel == *channel);
        if !matches!(page, Page::Before(_)) {
            let newest = posts.iter().map(|post| post.update_at).max();
            room.newest_change = room.newest_change.max(newest.unwrap_or(0));
        }
        match page {
            Page::Since(_) if posts.len() >= CUT_OFF => {
                // Which ones were cut off nobody can say: begin anew.
                room.posts
                    .retain(|_, post| post.kind == PostKind::Ephemeral);
                room.loaded = false;
                room.again = false;
                room.at_start = false;
                room.newest_change = 0;
                self.ask(channel, Page::Newest, out);
            }
            Page::Since(_) => {
                room.stale = std::mem::take(&mut room.again);
                for post in posts {
                    room.insert(post);
                }
            }
            Page::Newest | Page::Before(_) => {
                posts.sort_by(|a, b| (b.create_at, &b.id).cmp(&(a.create_at, &a.id)));
                posts.truncate(if *page == Page::Newest { PAGE } else { OLDER });
                let oldest = posts.last().map_or(Millis::MAX, |post| post.create_at);
                room.floor = if room.loaded {
                    room.floor.min(oldest)
                } else {
                    oldest
                };
                room.at_start |= at_start;
                if *page == Page::Newest {
                    if room.stale && room.loaded {
                        // What was deleted meanwhile is not in the page.
                        room.posts
                            .retain(|_, post| post.kind == PostKind::Ephemeral);
                    }
                    room.stale = std::mem::take(&mut room.again);
                }
                room.loaded = true;
                for post in posts {
                    room.insert(post);
                }
                room.find_first_unread(directory);
            }
        }
        // Asked once more, if something was missed in the meantime. An older page is no reason.
        if !matches!(page, Page::Before(_)) {
            self.refresh(channel, out);
        }
    }

    /// Posts could not be had. Asked again when the link comes up, or the channel is opened.
    pub(crate) fn failed(&mut self, channel: &ChannelId, out: &mut Out) {
        if let Some(room) = self.rooms.get_mut(channel) {
            room.stale = true;
            room.again = false;
        }
        out.dirty(Part::Timeline);
    }

    /// A post was made or changed. `told`: by an event; else by the answer to our own request.
    pub(crate) fn posted(&mut self, post: &Post, told: bool, out: &mut Out) {
        let Some(room) = self.rooms.get_mut(&post.channel) else {
            return;
        };
        // While the first page is on its way, newer posts are kept; older ones come with it.
        if !room.loaded {
            room.floor = 0;
        }
        let fresh = !room.posts.contains_key(&post.id);
        room.heard(post, told);
        room.insert(post.clone());
        if let Some(root) = &post.root
            && fresh
            && post.kind == PostKind::Message
            && let Some(root) = room.posts.get_mut(root)
        {
            root.reply_count += 1;
        }
        if self.open.as_ref() == Some(&post.channel) {
            out.dirty(Part::Timeline);
        } else {
            room.trim();
        }
    }

    /// A post was edited, or its card changed.
    pub(crate) fn edited(&mut self, post: &Post, told: bool, out: &mut Out) {
        let Some(room) = self.rooms.get_mut(&post.channel) else {
            return;
        };
        if room.posts.contains_key(&post.id) {
            room.heard(post, told);
            // An edit that was overtaken by a newer one changes nothing.
            if room.posts[&post.id].update_at <= post.update_at {
                room.insert(post.clone());
            }
            out.dirty(Part::Timeline);
        }
    }

    pub(crate) fn deleted(&mut self, channel: &ChannelId, post: &PostId, out: &mut Out) {
        if let Some(room) = self.rooms.get_mut(channel) {
            room.delete(post);
            out.dirty(Part::Timeline);
        }
    }

    /// Where a post is, if it is among those that we have.
    pub(crate) fn channel_of(&self, id: &PostId) -> Option<ChannelId> {
        let mut rooms = self.rooms.iter();
        rooms
            .find(|(_, room)| room.posts.contains_key(id))
            .map(|(channel, _)| channel.clone())
    }

    /// Whether a post is among those that we have.
    pub(crate) fn knows(&self, post: &Post) -> bool {
        let room = self.rooms.get(&post.channel);
        room.is_some_and(|room| room.posts.contains_key(&post.id))
    }

    /// What we have of a thread.
    pub(crate) fn of_thread(&self, channel: &ChannelId, root: &PostId) -> Vec<Post> {
        let room = self.rooms.get(channel).into_iter();
        room.flat_map(|room| room.posts.values())
            .filter(|post| post.id == *root || post.root.as_ref() == Some(root))
            .cloned()
            .collect()
    }

    /// Somebody reacted, or took it back.
    pub(crate) fn reacted(
        &mut self,
        id: &PostId,
        user: &UserId,
        emoji: &str,
        on: bool,
        out: &mut Out,
    ) {
        for room in self.rooms.values_mut() {
            if let Some(post) = room.posts.get_mut(id) {
                react(post, user, emoji, on);
                out.dirty(Part::Timeline);
            }
        }
    }

    /// We follow a thread from now on, or no more.
    pub(crate) fn followed(&mut self, root: &PostId, on: bool, out: &mut Out) {
        for room in self.rooms.values_mut() {
            if let Some(post) = room.posts.get_mut(root) {
                post.following = Some(on);
                out.dirty(Part::Timeline);
            }
        }
    }

    /// Who wrote what we have: their presence is shown.
    pub(crate) fn authors(&self) -> impl Iterator<Item = crate::id::UserId> {
        self.open
            .as_ref()
            .and_then(|open| self.rooms.get(open))
            .into_iter()
            .flat_map(|room| room.posts.values().map(|post| post.author.clone()))
    }

    /// The slice of the snapshot.
    pub(crate) fn draw(
        &self,
        directory: &Directory,
        compose: &Compose,
        typing: &Typing,
        out: &Out,
    ) -> Slice {
        let Some(channel) = &self.open else {
            return Slice::default();
        };
        let Some(room) = self.rooms.get(channel) else {
            return Slice::default();
        };
        let mut posts: Vec<_> = room
            .posts
            .values()
            .filter(|post| !(directory.collapsed_threads() && post.root.is_some()))
            .collect();
        posts.sort_by(|a, b| (a.create_at, &a.id).cmp(&(b.create_at, &b.id)));
        let mut rows: Vec<_> = posts.into_iter().map(|post| row(post, directory)).collect();
        // Where replies live in threads only, those on their way do, too.
        let waiting = compose
            .waiting(channel)
            .filter(|pending| !(directory.collapsed_threads() && pending.root.is_some()));
        rows.extend(waiting.map(|pending| pending_row(pending, directory)));
        let older = out.waits(|asked| {
            matches!(asked, Asked::Posts { channel: of, page: Page::Before(_) } if of == channel)
        });
        Slice {
            channel: Some(channel.clone()),
            posts: rows,
            loading: !room.loaded,
            loading_older: older,
            at_start: room.at_start,
            first_unread: room.first_unread.clone(),
            typing: typing.names(channel, None, directory),
        }
    }
}
