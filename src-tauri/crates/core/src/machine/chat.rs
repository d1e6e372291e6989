//! Who hears of what, as far as it is about reading and writing: posts, threads, files, lookups, the channel list.

use std::collections::BTreeSet;

use crate::command::Command;
use crate::effect::Effect;
use crate::id::{ChannelId, FileId, PostId};
use crate::input::{Attach, Now};
use crate::model::Post;
use crate::port::{Reply, Request, RequestError, ServerEvent};

use super::Machine;
use super::account::detailed;
use super::compose::{self, place};
use super::directory::Directory;
use super::finder::Finder;
use super::notices::Draft;
use super::out::{Asked, Part};

mod names;

pub(crate) use names::harmless;

/// Most people in a group channel besides us (mattermost-core §5.2).
const GROUP: usize = 7;

impl Machine {
    pub(super) fn chat_command(&mut self, now: Now, command: Command) {
        if !self.account.is_in() {
            return;
        }
        let again = command.clone();
        let out = &mut self.out;
        match command {
            Command::EditPost { post, text } => {
                let text = text.trim().to_owned();
                if !text.is_empty() {
                    self.wish(
                        again,
                        Request::EditPost {
                            post,
                            message: text,
                        },
                    );
                }
            }
            Command::DeletePost { post } => self.wish(again, Request::DeletePost(post)),
            Command::React { post, emoji, on } => self.react(post, emoji, on),
            Command::OpenThread { channel, root } => self.open_thread(now, channel, root),
            Command::CloseThread => self.thread.close(out),
            Command::FollowThread { root, on } => {
                let team = self
                    .thread
                    .channel()
                    .and_then(|at| self.directory.team_for(at));
                if let Some(team) = team.cloned() {
                    self.thread.followed(&root, on, out);
                    self.timeline.followed(&root, on, out);
                    self.wish(again, Request::FollowThread { team, root, on });
                }
            }
            Command::MarkUnread { post } => self.wish(again, Request::MarkUnread(post)),
            Command::Typing { channel, root } => {
                if self.link.is_up() {
                    self.typing.ours(now.instant, channel, root, out);
                }
            }
            Command::RemoveUpload { upload } => self.compose.uploads.remove(upload, out),
            Command::RetryUpload { upload } => self.compose.uploads.retry(upload, out),
            Command::SaveFile { file, name } => {
                let name = harmless(&name);
                out.push(Effect::Save { file, name });
            }
            Command::Find { text } => self.finder.find(text, &self.directory, out),
            Command::Complete {
                channel,
                root,
                text,
            } => self
                .finder
                .complete(channel, root, text, &self.directory, out),
            Command::OpenGroup { users } => self.open_group(now, users),
            Command::JoinChannel { channel } => {
                let me = self.directory.me().clone();
                let why = Asked::Join(channel.clone());
                out.ask(why, Request::JoinChannel { me, channel });
            }
            Command::LeaveChannel { channel } => self.wish(again, Request::LeaveChannel(channel)),
            Command::MuteChannel { channel, on } => {
                self.directory.set_muted(&channel, on, out);
                let me = self.directory.me().clone();
                self.wish(again, Request::MuteChannel { me, channel, on });
            }
            Command::AllowCalls { channel, on } => {
                self.wish(again, Request::AllowCalls { channel, on });
            }
            Command::SetFavorite { channel, on } => self.directory.set_favorite(&channel, on, out),
            Command::FoldCategory { category, folded } => {
                self.directory.fold(&category, folded, out);
            }
            other => tracing::error!(?other, "a command that nobody takes"),
        }
    }

    /// Asks for something that only has to succeed.
    fn wish(&mut self, command: Command, request: Request) {
        self.out.ask(Asked::Wish(Box::new(command)), request);
    }

    /// Shown at once, taken back if the server does not have it.
    fn react(&mut self, post: PostId, emoji: String, on: bool) {
        let me = self.directory.me().clone();
        self.reacted(&post, &me, &emoji, on);
        self.out.ask(
            Asked::React {
                post: post.clone(),
                emoji: emoji.clone(),
                on,
            },
            Request::React {
                me,
                post,
                emoji,
                on,
            },
        );
    }

    fn reacted(&mut self, post: &PostId, user: &crate::id::UserId, emoji: &str, on: bool) {
        self.timeline.reacted(post, user, emoji, on, &mut self.out);
        self.thread.reacted(post, user, emoji, on, &mut self.out);
        self.chat.reacted(post, user, emoji, on, &mut self.out);
        self.directory.see(user);
    }

    fn open_thread(&mut self, now: Now, channel: ChannelId, root: PostId) {
        let known = self.timeline.of_thread(&channel, &root);
        self.thread
            .open(channel, root, known.into_iter(), &mut self.out);
        self.read_thread(now);
    }

    /// The person sees the open thread.
    pub(super) fn read_thread(&mut self, now: Now) {
        let (Some(root), Some(channel)) = (self.thread.root(), self.thread.channel()) else {
            return;
        };
        if !self.focused || !self.directory.collapsed_threads() || !self.link.is_up() {
            return;
        }
        if let Some(team) = self.directory.team_for(channel).cloned() {
            let at = self.clock.server_now(now.unix).max(self.thread.newest());
            let root = root.clone();
            self.out
                .ask(Asked::View, Request::ReadThread { team, root, at });
        }
    }

    fn open_group(&mut self, now: Now, users: Vec<crate::id::UserId>) {
        let others: BTreeSet<_> = users
            .into_iter()
            .filter(|user| user != self.directory.me())
            .collect();
        match others.len() {
            0 => {}
            1 => {
                if let Some(user) = others.into_iter().next() {
                    self.command(now, Command::OpenDirect { user });
                }
            }
            2..=GROUP => {
                let users = others.into_iter().collect();
                self.out.ask(Asked::Direct, Request::OpenGroup(users));
            }
            _ => {
                let notice = Draft::new("group.too_many").value("max", GROUP.to_string());
                self.out.notices.raise(now.instant, notice);
            }
        }
    }

    // ---- Files.

    pub(super) fn attach(&mut self, now: Now, attach: Attach) {
        if !self.account.is_in() {
            return;
        }
        let (name, largest) = (attach.name.clone(), self.directory.max_file_size());
        if let Err(why) = self.compose.uploads.attach(attach, largest, &mut self.out) {
            let notice = match why {
                compose::Refused::TooMany => {
                    Draft::new("file.too_many").value("max", compose::MOST.to_string())
                }
                compose::Refused::TooLarge => Draft::new("file.too_large")
                    .value("name", name)
                    .value("max", (largest / (1024 * 1024)).to_string()),
            };
            self.out.notices.raise(now.instant, notice);
        }
    }

    pub(super) fn saved(&mut self, now: Now, file: &FileId, result: Result<String, RequestError>) {
        let notice = match result {
            Ok(path) => Draft::new("file.saved").value("path", path),
            Err(error) => {
                tracing::info!(%file, %error, "a file was not saved");
                detailed(Draft::new("file.not_saved"), &error)
            }
        };
        self.out.notices.raise(now.instant, notice);
    }

    // ---- What the server tells.

    pub(super) fn chat_event(&mut self, now: Now, event: ServerEvent) {
        let out = &mut self.out;
        match event {
            ServerEvent::Reacted {
                post,
                user,
                emoji,
                on,
            } => self.reacted(&post, &user, &emoji, on),
            ServerEvent::Typing {
                channel,
                root,
                user,
            } => {
                self.directory.see(&user);
                self.typing.heard(now.instant, channel, root, user, out);
            }
            ServerEvent::Followed { root, on } => {
                self.thread.followed(&root, on, out);
                self.timeline.followed(&root, on, out);
            }
            ServerEvent::CategoriesChanged(team) => Directory::load_categories(&team, out),
            ServerEvent::EmojiChanged => Finder::load_emoji(out),
            other => tracing::error!(?other, "an event that nobody hears"),
        }
    }

    /// A post was made; the channel's parts know already.
    pub(super) fn chat_posted(&mut self, now: Now, post: &Post) {
        self.thread.posted(post, &mut self.out);
        self.typing
            .posted(&post.channel, &post.author, &mut self.out);
        if post.root.is_some() && post.root.as_ref() == self.thread.root() {
            self.read_thread(now);
        }
    }

    /// After the link was away, or at the first time.
    pub(super) fn chat_missed(&mut self) {
        self.thread.refresh(&mut self.out);
        Finder::load_emoji(&mut self.out);
    }

    pub(super) fn chat_clear(&mut self) {
        self.thread.close(&mut self.out);
        self.typing.clear(&mut self.out);
        self.finder.clear(&mut self.out);
        self.compose.uploads.clear(&mut self.out);
    }

    // ---- Answers.

    pub(super) fn chat_answered(&mut self, now: Now, asked: Asked, reply: Reply) {
        let out = &mut self.out;
        match (asked, reply) {
            (Asked::Wish(command), reply) => self.wish_came_true(*command, reply),
            (Asked::React { .. } | Asked::Typing | Asked::PutCategories(_), _) => {}
            (Asked::Thread(root), Reply::Thread { posts }) => {
                let me = self.directory.me().clone();
                for post in &posts {
                    self.directory.see(&post.author);
                    self.compose.arrived(now.instant, post, &me, out);
                }
                self.thread.loaded(&root, posts, out);
            }
            (Asked::Categories(_), Reply::Categories(team, categories)) => {
                self.directory.categories_came(&team, categories, out);
            }
            (Asked::Emoji, Reply::Emoji(emoji)) => self.finder.emoji_came(emoji, out),
            (Asked::Search(text), Reply::Matches { users, channels }) => {
                self.finder
                    .found(&text, &users, channels, &self.directory, out);
                self.directory.met_by_chance(users, out);
            }
            (Asked::Complete(text), Reply::Users(users)) => {
                self.finder.completed_people(&text, &users, out);
                self.directory.met_by_chance(users, out);
            }
            (Asked::Complete(text), Reply::Hints(hints)) => {
                self.finder.completed_commands(&text, hints, out);
            }
            (Asked::Join(_), Reply::Channel(channel, member, users)) => {
                self.channel_came(now, *channel, *member, users, true);
            }
            (asked, reply) => {
                tracing::warn!(?asked, ?reply, "an answer to something else");
            }
        }
    }

    fn wish_came_true(&mut self, command: Command, reply: Reply) {
        let out = &mut self.out;
        match (command, reply) {
            (Command::EditPost { .. }, Reply::Post(post)) => {
                self.timeline.edited(&post, false, out);
                self.thread.posted(&post, out);
                self.chat.edited(&post, out);
            }
            (Command::DeletePost { post }, _) => {
                if let Some(channel) = self.timeline.channel_of(&post) {
                    self.timeline.deleted(&channel, &post, out);
                }
                self.thread.deleted(&post, out);
                self.chat.deleted(&post, out);
            }
            (Command::MarkUnread { post }, _) => {
                let channel = self.timeline.channel_of(&post);
                if let Some(channel) = channel.or_else(|| self.thread.channel().cloned()) {
                    Directory::load_channel(&channel, out);
                }
            }
            _ => {}
        }
    }

    /// What is to be said and taken back when something fails. `None`: it was no business of ours.
    pub(super) fn chat_failed(&mut self, now: Now, asked: Asked, error: &RequestError) {
        let (instant, out) = (now.instant, &mut self.out);
        match asked {
            Asked::Wish(command) => {
                if let Command::MuteChannel { channel, on } = &*command {
                    self.directory.set_muted(channel, !on, out);
                }
                if let Command::FollowThread { root, on } = &*command {
                    self.thread.followed(root, !on, out);
                    self.timeline.followed(root, !on, out);
                }
                let code = match &*command {
                    Command::EditPost { .. } => "post.not_edited",
                    Command::DeletePost { .. } => "post.not_deleted",
                    _ => "request.failed",
                };
                let notice = Draft::new(code).retry(*command);
                out.notices.raise(instant, detailed(notice, error));
            }
            Asked::React { post, emoji, on } => {
                let me = self.directory.me().clone();
                self.reacted(&post, &me, &emoji, !on);
                let notice = Draft::new("request.failed").retry(Command::React { post, emoji, on });
                self.out.notices.raise(instant, detailed(notice, error));
            }
            Asked::Thread(root) => {
                let gone = matches!(
                    error,
                    RequestError::Refused {
                        status: 403 | 404,
                        ..
                    }
                );
                self.thread.failed(&root, gone, out);
            }
            Asked::PutCategories(team) => {
                Directory::load_categories(&team, out);
                out.notices
                    .raise(instant, detailed(Draft::new("request.failed"), error));
            }
            Asked::Search(text) => self.finder.not_found(&text, out),
            Asked::Join(channel) => {
                let notice = Draft::new("request.failed").retry(Command::JoinChannel { channel });
                out.notices.raise(instant, detailed(notice, error));
            }
            // Asked again at their own time, or when they are needed.
            other => tracing::debug!(?other, %error, "request failed"),
        }
    }

    /// The slice of what is being written.
    pub(super) fn draw_compose(&self) -> crate::snapshot::Compose {
        let (text, people, commands) = self.finder.completions();
        crate::snapshot::Compose {
            uploads: self.compose.uploads.rows(),
            text: text.to_owned(),
            people: people.to_vec(),
            commands: commands.to_vec(),
        }
    }

    /// Files of a place go with the post that is sent now; `None` while some are not there yet.
    pub(super) fn files_for(
        &mut self,
        channel: &ChannelId,
        root: Option<&PostId>,
    ) -> Option<Vec<FileId>> {
        let place = place(channel, root);
        if self.compose.uploads.pending(&place) {
            return None;
        }
        let files = self.compose.uploads.take(&place, &mut self.out);
        if !files.is_empty() {
            self.out.dirty(Part::Compose);
        }
        Some(files)
    }
}
