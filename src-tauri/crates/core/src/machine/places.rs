//! Addresses that lead into Mattermost: links to channels and calls, from the system or from a message.
//!
//! An address is somebody else's text. It is taken apart here; it opens only what is known already, on the server
//! that we are signed in to. Another server is named to the person, and nothing is sent to it before they agree.

use crate::command::Command;
use crate::id::ChannelId;
use crate::input::Now;
use crate::port::{Request, Secret};
use crate::snapshot::Account as Phase;

use super::Machine;
use super::notices::Draft;
use super::out::Asked;

/// Longest address looked at; a call link has under 200 characters.
const LONGEST: usize = 2048;

/// Where an address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// `host`, or `host:port` where it is not the scheme's own.
    pub(crate) host: String,
    /// Path below the host, in its parts, as decoded text.
    path: Vec<String>,
    /// `join_call=true`.
    join: bool,
    /// What a browser brings back after a sign-in (mattermost-core §3.4): the client's token, and the server's.
    tokens: Option<(Secret, Secret)>,
}

/// What an address opens on its server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// A channel by name or identity, in a team.
    Channel { team: String, channel: String },
    /// A person's direct channel, by `@name`.
    Person(String),
    /// The end of a sign-in with the browser.
    SignIn,
    /// The server itself.
    Front,
}

impl Address {
    /// Takes an address apart; `None` for one that is not of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > LONGEST {
            return None;
        }
        let parsed = url::Url::parse(text).ok()?;
        // The special schemes have default ports and lower-case hosts; ours are given them.
        let parsed = match parsed.scheme() {
            "https" | "http" => parsed,
            "mattermost" | "halloo" => {
                let (_, rest) = text.split_once(':')?;
                url::Url::parse(&format!("https:{rest}")).ok()?
            }
            _ => return None,
        };
        // Names in front of the host are a way to make an address look like another.
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return None;
        }
        let host = parsed.host_str()?;
        let host = match parsed.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let path = parsed
            .path_segments()?
            .filter(|part| !part.is_empty())
            .map(decoded)
            .collect::<Option<Vec<_>>>()?;
        let join = parsed
            .query_pairs()
            .any(|(key, value)| key == "join_call" && value == "true");
        let word = |name: &str| {
            let mut pairs = parsed.query_pairs();
            let found = pairs.find(|(key, _)| key == name)?.1;
            let sound = !found.is_empty() && found.len() <= 128;
            (sound && found.chars().all(|c| c.is_ascii_alphanumeric()))
                .then(|| Secret::new(found.into_owned()))
        };
        let tokens = word("client_token").zip(word("server_token"));
        Some(Self {
            host,
            path,
            join,
            tokens,
        })
    }

    /// What it opens on a server with this site address; `None` if it is another server's.
    fn on(&self, site: &str) -> Option<Target> {
        let site = url::Url::parse(site).ok()?;
        let host = site.host_str()?;
        let host = match site.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        if host != self.host {
            return None;
        }
        let mut path = self.path.as_slice();
        for part in site.path_segments()?.filter(|part| !part.is_empty()) {
            path = match path.split_first() {
                Some((first, rest)) if first == part => rest,
                _ => return None,
            };
        }
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        Some(match words.as_slice() {
            ["login", "desktop"] => Target::SignIn,
            [team, "channels", channel, ..] => Target::Channel {
                team: (*team).to_owned(),
                channel: (*channel).to_owned(),
            },
            [_, "messages", person, ..] if person.starts_with('@') => {
                Target::Person(person[1..].to_owned())
            }
            _ => Target::Front,
        })
    }
}

/// Per cent decoding of one part of a path; `None` if it hides a slash or is no text.
fn decoded(part: &str) -> Option<String> {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let hex = part.get(at + 1..at + 3)?;
            out.push(u8::from_str_radix(hex, 16).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    let text = String::from_utf8(out).ok()?;
    let odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
    (!text.contains(odd) && text != "." && text != "..").then_some(text)
}

/// Whether an address leads to a server with this site address.
pub(crate) fn is_address_of(text: &str, site: &str) -> bool {
    Address::parse(text).is_some_and(|address| address.on(site).is_some())
}

impl Machine {
    /// Opens what an address leads to.
    pub(super) fn open_address(&mut self, now: Now, text: &str) {
        let Some(address) = Address::parse(text) else {
            self.out
                .notices
                .raise(now.instant, Draft::new("link.refused"));
            return;
        };
        let site = match self.account.phase() {
            Phase::SignedIn { server, .. } => server.url.clone(),
            Phase::SigningIn { server, .. } | Phase::SignedOut { server, .. }
                if address.on(&server.url) == Some(Target::SignIn) =>
            {
                if let Some((ours, theirs)) = address.tokens {
                    self.account
                        .back_from_outside(now.instant, &ours, theirs, &mut self.out);
                }
                return;
            }
            Phase::SigningIn { server, .. } | Phase::SignedOut { server, .. } => {
                // Opened as soon as we are in; only the newest.
                if address.on(&server.url).is_some() {
                    self.address = Some(text.to_owned());
                } else {
                    self.foreign(now, &address);
                }
                return;
            }
            Phase::NoServer | Phase::Finding { .. } => {
                let notice = Draft::new("link.new_server")
                    .value("server", address.host.clone())
                    .retry(Command::FindServer {
                        address: address.host.clone(),
                    });
                self.out.notices.raise(now.instant, notice);
                return;
            }
        };
        match address.on(&site) {
            None => self.foreign(now, &address),
            // A sign-in that nobody waits for any more is none.
            Some(Target::Front | Target::SignIn) => {}
            Some(Target::Person(name)) => match self.directory.user_named(&name) {
                Some(user) => self.command(now, Command::OpenDirect { user }),
                None => self.nowhere(now),
            },
            Some(Target::Channel { team, channel }) => {
                self.open_target(now, team, channel, address.join);
            }
        }
    }

    /// After sign-in: what was asked for before it.
    pub(super) fn open_waiting_address(&mut self, now: Now) {
        if let Some(text) = self.address.take() {
            self.open_address(now, &text);
        }
    }

    fn open_target(&mut self, now: Now, team: String, channel: String, join: bool) {
        let by_id = ChannelId::from(channel.as_str());
        let known = if self.directory.channel(&by_id).is_some() {
            Some(by_id.clone())
        } else {
            self.directory
                .channel_named(&team, &channel)
                .map(|channel| channel.id.clone())
        };
        match known {
            Some(channel) => self.open_linked(now, &channel, join),
            // We may be a member without knowing yet; the server says.
            None if by_id.is_well_formed() => {
                self.out
                    .ask(Asked::Link { join }, Request::LoadChannel(by_id));
            }
            None => {
                let name = channel;
                self.out
                    .ask(Asked::Link { join }, Request::FindChannel { team, name });
            }
        }
    }

    /// Shows a channel that a link names, and joins its call if the link says so. A link that would *start* a call asks.
    pub(super) fn open_linked(&mut self, now: Now, channel: &ChannelId, join: bool) {
        self.command(
            now,
            Command::OpenChannel {
                channel: channel.clone(),
            },
        );
        if !join || self.call.channel() == Some(channel) {
            return;
        }
        let wish = Command::JoinCall {
            channel: channel.clone(),
            title: None,
            switch: false,
        };
        let blocked = self.directory.call_blocked(channel);
        if self.directory.calls.running(channel).is_some() || blocked == Some("call.archived") {
            // Where there is nothing to join or start, that is said.
            self.command(now, wish);
            return;
        }
        let place = self
            .directory
            .channel(channel)
            .map(|place| self.directory.channel_name(place))
            .unwrap_or_default();
        let notice = Draft::new("link.start").value("channel", place).retry(wish);
        self.out.notices.raise(now.instant, notice);
    }

    /// The channel that a link names is not there for us.
    pub(super) fn nowhere(&mut self, now: Now) {
        self.out
            .notices
            .raise(now.instant, Draft::new("link.nowhere"));
    }

    fn foreign(&mut self, now: Now, address: &Address) {
        let notice = Draft::new("link.foreign").value("server", address.host.clone());
        self.out.notices.raise(now.instant, notice);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const ID: &str = "abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn a_call_link_is_understood_in_every_spelling() {
        for (text, join) in [
            (
                format!("https://chat.example.org/team/channels/{ID}?join_call=true"),
                true,
            ),
            (
                format!("mattermost://chat.example.org/team/channels/{ID}?join_call=true"),
                true,
            ),
            (
                format!("halloo://Chat.Example.org/team/channels/{ID}"),
                false,
            ),
            (
                format!("https://chat.example.org:443/team/channels/{ID}?join_call=TRUE"),
                false,
            ),
        ] {
            let address = Address::parse(&text).unwrap();
            assert_eq!(address.join, join, "{text}");
            let target = Target::Channel {
                team: "team".to_owned(),
                channel: ID.to_owned(),
            };
            assert_eq!(
                address.on("https://chat.example.org"),
                Some(target),
                "{text}"
            );
            assert_eq!(address.on("https://chat.example.com"), None);
            assert_eq!(address.on("https://chat.example.org:8065"), None);
        }
    }

    #[test]
    fn a_subpath_is_part_of_the_server() {
        let address = Address::parse("https://h/mm/team/channels/off-topic").unwrap();
        assert!(matches!(
            address.on("https://h/mm"),
            Some(Target::Channel { .. })
        ));
        assert_eq!(address.on("https://h/other"), None);
    }

    #[test]
    fn hostile_addresses_are_none_of_ours() {
        let long = format!("https://h/{}", "a".repeat(LONGEST));
        for text in [
            "",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "smb://host/share",
            "halloo:",
            "halloo:///team/channels/x",
            "https://chat.example.org@evil.example/team/channels/x",
            "https://user:word@h/team/channels/x",
            "https://h/team/channels/..%2f..%2fx",
            "https://h/team/channels/a%00b",
            "https://h/team/channels/%ff",
            "https://h/%zz",
            long.as_str(),
        ] {
            let parsed = Address::parse(text);
            let leads = parsed
                .as_ref()
                .and_then(|address| address.on("https://chat.example.org"));
            assert_eq!(leads, None, "{text}: {parsed:?}");
        }
    }
}
