//! What is looked up while somebody types: people and channels by name, what may follow a mention or a command.

use crate::id::{ChannelId, PostId, UserId};
use crate::model::{CommandHint, CustomEmoji, FoundChannel, User};
use crate::port::Request;
use crate::snapshot::Finder as Slice;

use super::directory::Directory;
use super::out::{Asked, Out, Part};

/// Longest text that is looked up: names are shorter, and a pasted page is no name.
const LONGEST: usize = 128;

/// The part of the machine that looks things up.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    slice: Slice,
    /// What may follow what is being typed.
    completing: String,
    people: Vec<UserId>,
    commands: Vec<CommandHint>,
    emoji: Vec<CustomEmoji>,
}

impl Finder {
    pub(crate) fn slice(&self) -> &Slice {
        &self.slice
    }

    pub(crate) fn emoji(&self) -> &[CustomEmoji] {
        &self.emoji
    }

    /// What may follow: the text it is for, people, commands.
    pub(crate) fn completions(&self) -> (&str, &[UserId], &[CommandHint]) {
        (&self.completing, &self.people, &self.commands)
    }

    /// Looks for people and channels. What was found before stays until the answer comes.
    pub(crate) fn find(&mut self, text: String, directory: &Directory, out: &mut Out) {
        out.dirty(Part::Finder);
        let text = text.trim().to_owned();
        if text.is_empty() || text.chars().count() > LONGEST {
            self.slice = Slice::default();
            return;
        }
        self.slice.text.clone_from(&text);
        self.slice.busy = true;
        out.ask(
            Asked::Search(text.clone()),
            Request::Find {
                team: directory.team().cloned(),
                text,
            },
        );
    }

    /// Found. An answer to what was typed before is of no interest.
    pub(crate) fn found(
        &mut self,
        text: &str,
        users: &[User],
        mut channels: Vec<FoundChannel>,
        directory: &Directory,
        out: &mut Out,
    ) {
        if self.slice.text != text {
            return;
        }
        channels.retain(|channel| directory.channel(&channel.id).is_none());
        self.slice.busy = false;
        self.slice.people = users
            .iter()
            .filter(|user| !user.deactivated)
            .map(|user| user.id.clone())
            .collect();
        self.slice.channels = channels;
        out.dirty(Part::Finder);
    }

    /// Not found, for want of a connection perhaps.
    pub(crate) fn not_found(&mut self, text: &str, out: &mut Out) {
        if self.slice.text == text {
            self.slice.busy = false;
            out.dirty(Part::Finder);
        }
    }

    /// Asks what may follow.
    pub(crate) fn complete(
        &mut self,
        channel: ChannelId,
        root: Option<PostId>,
        text: String,
        directory: &Directory,
        out: &mut Out,
    ) {
        out.dirty(Part::Compose);
        self.completing.clear();
        self.people.clear();
        self.commands.clear();
        if text.chars().count() > LONGEST {
            return;
        }
        let team = directory.team_for(&channel).cloned();
        let request = match (text.strip_prefix('@'), team) {
            (Some(name), team) => Request::CompleteUser {
                team,
                channel,
                text: name.to_owned(),
            },
            (None, Some(team)) if text.starts_with('/') => Request::CompleteCommand {
                team,
                channel,
                root,
                text: text.clone(),
            },
            _ => return,
        };
        self.completing.clone_from(&text);
        out.forget(|asked| matches!(asked, Asked::Complete(_)));
        out.ask(Asked::Complete(text), request);
    }

    /// People to mention.
    pub(crate) fn completed_people(&mut self, text: &str, users: &[User], out: &mut Out) {
        if self.completing == text {
            self.people = users.iter().map(|user| user.id.clone()).collect();
            out.dirty(Part::Compose);
        }
    }

    /// Commands to run.
    pub(crate) fn completed_commands(
        &mut self,
        text: &str,
        hints: Vec<CommandHint>,
        out: &mut Out,
    ) {
        if self.completing == text {
            self.commands = hints;
            out.dirty(Part::Compose);
        }
    }

    pub(crate) fn load_emoji(out: &mut Out) {
        if !out.waits(|asked| *asked == Asked::Emoji) {
            out.ask(Asked::Emoji, Request::LoadEmoji);
        }
    }

    pub(crate) fn emoji_came(&mut self, mut emoji: Vec<CustomEmoji>, out: &mut Out) {
        emoji.sort_by(|a, b| a.name.cmp(&b.name));
        self.emoji = emoji;
        out.dirty(Part::Emoji);
    }

    pub(crate) fn clear(&mut self, out: &mut Out) {
        *self = Self::default();
        out.dirty(Part::Finder);
        out.dirty(Part::Compose);
        out.dirty(Part::Emoji);
    }
}
