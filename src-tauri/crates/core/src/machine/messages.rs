//! Notifications of messages: by the user's and the channel's settings (mattermost-core §4.4, §5.3), one for each
//! channel, and never more than a person can read.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::alert::{
    AlertSettings, AlertWish, MessageLevel, Note, NoteButton, NoteKey, Words, plain,
};
use crate::effect::Effect;
use crate::id::{ChannelId, PostId};
use crate::model::{ChannelKind, NotifyProps, Post, PostKind, Presence};

use super::directory::Directory;
use super::out::Out;

/// A channel's notification changes at most this often; what comes meanwhile is told with the next one.
const EVERY: Duration = Duration::from_millis(1500);

/// Notifications in [`BURST`]; more channels than this at once are told in one.
const MOST: usize = 5;

const BURST: Duration = Duration::from_secs(10);

/// Channels with a notification. More are not read, and the oldest are withdrawn.
const KEPT: usize = 20;

/// The part of the machine that tells of messages.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    waiting: BTreeMap<ChannelId, Waiting>,
    /// When something was shown, lately.
    shown: VecDeque<Instant>,
    /// Messages that came in a burst, of whichever channel.
    many: u32,
    many_shown: bool,
    flush_many: Option<Instant>,
}

/// What is unread in a channel since its notification was first shown.
#[derive(Debug)]
struct Waiting {
    count: u32,
    title: Words,
    body: String,
    silent: bool,
    /// When it was last shown; `None` if never.
    at: Option<Instant>,
    /// There is something new to show.
    dirty: bool,
}

/// What the messages need to know of the rest.
pub(crate) struct Around<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) props: &'a NotifyProps,
    pub(crate) settings: &'a AlertSettings,
    /// The person looks at that channel.
    pub(crate) looking: bool,
    /// The chat of the call that we are in.
    pub(crate) call_thread: Option<&'a PostId>,
    /// Quiet hours.
    pub(crate) quiet: bool,
}

/// Whether a post is told at all.
pub(crate) fn is_told(post: &Post, mentions_me: bool, around: &Around<'_>) -> bool {
    let Around {
        directory,
        props,
        settings,
        ..
    } = around;
    let (Some(channel), Some(member)) = (
        directory.channel(&post.channel),
        directory.membership(&post.channel),
    ) else {
        return false;
    };
    let own = post.author == *directory.me() && post.override_name.is_empty();
    let personal = channel.kind.is_personal();
    let ringing = directory
        .calls
        .config()
        .is_some_and(|config| config.ringing);
    let kind = match &post.kind {
        PostKind::System | PostKind::Ephemeral => false,
        // The ring stands for it (calls-v1-rest §15.5).
        PostKind::Call(_) => !(ringing && personal),
        PostKind::Message | PostKind::Recording { .. } | PostKind::Other => true,
    };
    let busy = matches!(
        directory.presence(directory.me()),
        Presence::Dnd | Presence::Ooo
    );
    let blocked = settings.blocked.contains_key(&post.author);
    if own || !kind || around.looking || busy || blocked || member.muted || around.quiet {
        return false;
    }
    let level = match member.desktop.as_str() {
        "" | "default" => MessageLevel::named(props.desktop()),
        own => MessageLevel::named(own),
    };
    let reply = post.root.is_some();
    let call_chat = reply && post.root.as_ref() == around.call_thread && !settings.call_chat;
    // Replies in collapsed threads are told to those who follow them; who that is, only mentions tell us.
    let thread = reply && directory.collapsed_threads();
    match level {
        MessageLevel::None => false,
        _ if mentions_me => true,
        _ if call_chat || thread => false,
        MessageLevel::All => true,
        MessageLevel::Mention => personal,
    }
}

impl Messages {
    /// A post has come.
    pub(crate) fn posted(
        &mut self,
        now: Instant,
        post: &Post,
        mentions_me: bool,
        around: &Around<'_>,
        out: &mut Out,
    ) {
        if !is_told(post, mentions_me, around) {
            return;
        }
        let directory = around.directory;
        let Some(channel) = directory.channel(&post.channel) else {
            return;
        };
        let author = if post.override_name.is_empty() {
            directory.name_of(&post.author)
        } else {
            post.override_name.clone()
        };
        let author = plain(&author, 60);
        let title = if channel.kind == ChannelKind::Direct {
            Words::Plain(author)
        } else {
            Words::In {
                name: author,
                place: plain(&directory.channel_name(channel), 50),
            }
        };
        let body = if around.settings.message_text {
            plain(&post.message, 200)
        } else {
            String::new()
        };
        let member = directory.membership(&post.channel);
        let waiting = self
            .waiting
            .entry(post.channel.clone())
            .or_insert_with(|| Waiting {
                count: 0,
                title: Words::default(),
                body: String::new(),
                silent: false,
                at: None,
                dirty: false,
            });
        waiting.count = waiting.count.saturating_add(1);
        waiting.title = title;
        waiting.body = body;
        waiting.silent =
            !around.props.sound() || member.is_some_and(|member| member.desktop_sound == "off");
        waiting.dirty = true;
        self.flush(now, out);
        self.trim(out);
    }

    /// Shows what may be shown now.
    fn flush(&mut self, now: Instant, out: &mut Out) {
        while let Some(at) = self.shown.front()
            && now.saturating_duration_since(*at) >= BURST
        {
            self.shown.pop_front();
        }
        let mut moved = Vec::new();
        for (channel, waiting) in &mut self.waiting {
            let early = waiting
                .at
                .is_some_and(|at| now.saturating_duration_since(at) < EVERY);
            if !waiting.dirty || early {
                continue;
            }
            if self.shown.len() >= MOST {
                if waiting.at.is_none() {
                    moved.push(channel.clone());
                }
                continue;
            }
            self.shown.push_back(now);
            let again = waiting.at.is_some();
            waiting.at = Some(now);
            waiting.dirty = false;
            let text = waiting.body.clone();
            let body = match waiting.count {
                1 => Words::Plain(text),
                count => Words::New { text, count },
            };
            out.push(Effect::Alert(AlertWish::Show(Box::new(Note {
                server: None,
                key: NoteKey::Messages(channel.clone()),
                channel: Some(channel.clone()),
                title: waiting.title.clone(),
                body,
                // The first one is heard, not each that joins it.
                silent: waiting.silent || again,
                buttons: vec![NoteButton::Reply],
            }))));
        }
        for channel in moved {
            if let Some(waiting) = self.waiting.remove(&channel) {
                self.many = self.many.saturating_add(waiting.count);
                self.flush_many.get_or_insert(now + EVERY);
            }
        }
        if self.flush_many.is_some_and(|at| now >= at) {
            self.flush_many = None;
            self.many_shown = true;
            out.push(Effect::Alert(AlertWish::Show(Box::new(Note {
                server: None,
                key: NoteKey::ManyMessages,
                channel: None,
                title: Words::New {
                    text: String::new(),
                    count: self.many,
                },
                body: Words::default(),
                silent: true,
                buttons: Vec::new(),
            }))));
        }
    }

    fn trim(&mut self, out: &mut Out) {
        while self.waiting.len() > KEPT {
            let oldest = self
                .waiting
                .iter()
                .min_by_key(|(_, waiting)| waiting.at)
                .map(|(channel, _)| channel.clone());
            match oldest {
                Some(channel) => self.seen(&channel, out),
                None => return,
            }
        }
    }

    /// The person has read a channel, here or elsewhere.
    pub(crate) fn seen(&mut self, channel: &ChannelId, out: &mut Out) {
        if let Some(waiting) = self.waiting.remove(channel)
            && waiting.at.is_some()
        {
            out.push(Effect::Alert(AlertWish::Withdraw(NoteKey::Messages(
                channel.clone(),
            ))));
        }
    }

    /// The person is back at the window.
    pub(crate) fn attended(&mut self, out: &mut Out) {
        self.many = 0;
        self.flush_many = None;
        if std::mem::take(&mut self.many_shown) {
            out.push(Effect::Alert(AlertWish::Withdraw(NoteKey::ManyMessages)));
        }
    }

    /// Channels that have a notification.
    pub(crate) fn channels(&self) -> Vec<ChannelId> {
        self.waiting.keys().cloned().collect()
    }

    /// Forgets everything, for another account.
    pub(crate) fn clear(&mut self, out: &mut Out) {
        for channel in self.channels() {
            self.seen(&channel, out);
        }
        self.attended(out);
        self.shown.clear();
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.flush(now, out);
        }
    }

    /// When something more may be shown.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let full = (self.shown.len() >= MOST)
            .then(|| self.shown.front().map(|at| *at + BURST))
            .flatten();
        self.waiting
            .values()
            .filter(|waiting| waiting.dirty)
            .filter_map(|waiting| waiting.at)
            .map(|at| (at + EVERY).max(full.unwrap_or(at)))
            .chain(self.flush_many)
            .min()
    }
}
