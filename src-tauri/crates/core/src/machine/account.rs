//! Who we are: finding the server, signing in, staying signed in, signing out.

use std::time::{Duration, Instant};

use crate::command::Command;
use crate::effect::{ClientEvent, Effect, LinkWish, Remember};
use crate::input::SavedSession;
use crate::model::User;
use crate::port::{Distrust, Fingerprint, Request, RequestError, Secret};
use crate::snapshot::{Account as Phase, ServerInfo};

use super::notices::Draft;
use super::out::{Asked, Out, Part};

mod find;
mod outside;
mod refusal;
mod sign_in;

pub(crate) use refusal::detailed;
use refusal::{clear_refusals, host, unreachable_code};

/// First wait after a server did not answer; doubled each time.
const RETRY_FIRST: Duration = Duration::from_secs(2);

/// Longest wait. Longer would leave people in front of a server that is back; shorter wears out a struggling one.
const RETRY_MOST: Duration = Duration::from_secs(30);

/// The part of the machine that knows the account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    phase: Phase,
    token: Option<Secret>,
    /// The key store has the session.
    remembered: bool,
    /// The browser is to bring this back.
    outside: Option<Secret>,
    retry: Retry,
}

/// What to ask again when a server did not answer.
#[derive(Debug, Default)]
struct Retry {
    at: Option<Instant>,
    attempts: u32,
    what: Again,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Again {
    #[default]
    Nothing,
    Find(String),
    Resume(SavedSession),
}

impl Retry {
    fn schedule(&mut self, now: Instant) -> Duration {
        let wait = RETRY_FIRST
            .saturating_mul(2_u32.saturating_pow(self.attempts.min(8)))
            .min(RETRY_MOST);
        self.attempts += 1;
        self.at = Some(now + wait);
        wait
    }
}

impl Account {
    pub(crate) fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Signed in, and the channels are known.
    pub(crate) fn is_in(&self) -> bool {
        matches!(self.phase, Phase::SignedIn { .. })
    }

    /// There is a token that was good.
    pub(crate) fn has_session(&self) -> bool {
        self.token.is_some()
    }

    fn server(&self) -> Option<&ServerInfo> {
        match &self.phase {
            Phase::SignedOut { server, .. }
            | Phase::SigningIn { server, .. }
            | Phase::SignedIn { server, .. } => Some(server),
            Phase::NoServer | Phase::Finding { .. } => None,
        }
    }

    /// The site address, without a slash at the end; empty while unknown.
    pub(crate) fn site(&self) -> &str {
        self.server().map_or("", |server| &server.url)
    }

    /// The server's name or address, for sentences.
    pub(crate) fn server_name(&self) -> String {
        self.server()
            .map(|server| host(&server.url).to_owned())
            .unwrap_or_default()
    }

    fn set(&mut self, phase: Phase, out: &mut Out) {
        self.phase = phase;
        out.dirty(Part::Account);
    }

    /// Goes on where the last run stopped.
    pub(crate) fn start(
        &mut self,
        session: Option<SavedSession>,
        server: Option<String>,
        out: &mut Out,
    ) {
        if let Some(session) = session {
            out.ask(
                Asked::Describe,
                Request::FindServer {
                    address: session.server.clone(),
                },
            );
            self.resume(session, out);
        } else if let Some(address) = server {
            self.retry.what = Again::Find(address.clone());
            self.find(address, out);
        }
    }

    fn resume(&mut self, session: SavedSession, out: &mut Out) {
        let server = match self.server() {
            Some(known) if known.url == session.server => known.clone(),
            _ => ServerInfo {
                url: session.server.clone(),
                ..ServerInfo::default()
            },
        };
        self.set(
            Phase::SigningIn {
                server,
                login: session.login.clone(),
            },
            out,
        );
        self.remembered = true;
        out.ask(
            Asked::Resume,
            Request::CheckToken {
                server: session.server.clone(),
                token: session.token.clone(),
            },
        );
        self.retry.at = None;
        self.retry.what = Again::Resume(session);
    }

    /// The first data are here.
    pub(crate) fn loaded(&mut self, me: User, out: &mut Out) {
        let server = match &self.phase {
            Phase::SigningIn { server, .. } | Phase::SignedIn { server, .. } => server.clone(),
            _ => return,
        };
        if !self.is_in() {
            out.tell(ClientEvent::SignedIn {
                user: me.id.clone(),
                username: me.username.clone(),
            });
        }
        let remembered = self.remembered;
        self.set(
            Phase::SignedIn {
                server,
                me,
                remembered,
            },
            out,
        );
    }

    /// Our own account changed.
    pub(crate) fn changed(&mut self, user: &User, out: &mut Out) {
        if let Phase::SignedIn { me, .. } = &mut self.phase
            && me.id == user.id
        {
            *me = user.clone();
            out.dirty(Part::Account);
        }
    }

    /// Whether the key store took the session.
    pub(crate) fn kept(&mut self, now: Instant, kept: bool, out: &mut Out) {
        self.remembered = kept && self.has_session();
        if let Phase::SignedIn { remembered, .. } = &mut self.phase {
            *remembered = kept;
            out.dirty(Part::Account);
        }
        if !kept && self.has_session() {
            out.notices.raise(now, Draft::new("secrets.none"));
        }
    }

    /// A person signs out. The server is told; the rest happens at once.
    pub(crate) fn sign_out(&mut self, out: &mut Out) {
        let waiting = match &self.retry.what {
            // It may be reached now, and has a session to end although it has not taken us back yet.
            Again::Resume(session) if !self.has_session() => Some(session.clone()),
            _ => None,
        };
        let ends = self.has_session() || waiting.is_some();
        if let Some(session) = waiting {
            out.push(Effect::Account {
                server: session.server,
                token: Some(session.token),
            });
        }
        if ends {
            out.ask(Asked::SignOut, Request::SignOut);
        }
        self.leave(out);
    }

    /// The session is over.
    pub(crate) fn expire(&mut self, now: Instant, out: &mut Out) {
        if matches!(self.phase, Phase::SignedOut { .. } | Phase::NoServer) {
            return;
        }
        let notice = Draft::new("account.expired").value("server", self.server_name());
        out.notices.raise(now, notice);
        out.tell(ClientEvent::SignInRefused {
            code: "account.expired".to_owned(),
        });
        if let (Some(server), true) = (self.server(), self.has_session()) {
            let server = server.url.clone();
            out.push(Effect::Account {
                server,
                token: None,
            });
        }
        self.leave(out);
    }

    /// The token of a session that was signed out is forgotten only now: the request needed it.
    pub(crate) fn signed_out(&mut self, out: &mut Out) {
        if !self.has_session() {
            let server = self.site().to_owned();
            out.push(Effect::Account {
                server,
                token: None,
            });
        }
    }

    fn leave(&mut self, out: &mut Out) {
        let (server, login) = match &self.phase {
            Phase::SignedIn { server, me, .. } => (server.clone(), me.username.clone()),
            Phase::SigningIn { server, login } | Phase::SignedOut { server, login, .. } => {
                (server.clone(), login.clone())
            }
            Phase::NoServer | Phase::Finding { .. } => return,
        };
        out.push(Effect::Link(LinkWish::Close));
        out.push(Effect::Remember(Remember::Session(None)));
        self.token = None;
        self.outside = None;
        self.remembered = false;
        self.retry = Retry::default();
        self.set(
            Phase::SignedOut {
                server,
                login,
                code_needed: false,
                outside: false,
            },
            out,
        );
    }

    /// A person wants another server.
    pub(crate) fn change_server(&mut self, out: &mut Out) {
        out.forget(|asked| {
            matches!(
                asked,
                Asked::Find { .. }
                    | Asked::SignIn { .. }
                    | Asked::Token
                    | Asked::Outside
                    | Asked::Resume
            )
        });
        self.leave(out);
        self.retry = Retry::default();
        out.push(Effect::Remember(Remember::Server(None)));
        clear_refusals(out);
        out.notices.solve("server.none");
        out.notices.solve("server.not_mattermost");
        self.set(Phase::NoServer, out);
    }

    /// A person does not want to wait.
    pub(crate) fn retry_now(&mut self, now: Instant, out: &mut Out) {
        if self.retry.at.is_some() {
            self.retry.at = Some(now);
            self.handle_timeout(now, out);
        }
    }

    /// The server's certificate is not, or no longer, one that is trusted.
    pub(crate) fn distrusts(&mut self, now: Instant, distrust: Distrust, out: &mut Out) {
        let error = RequestError::Untrusted(distrust);
        let notice = Draft::new(unreachable_code(&error))
            .value("server", self.server_name())
            .retry(Command::Reconnect);
        out.notices.raise(now, detailed(notice, &error));
    }

    /// A person trusts a certificate that they were shown. What is to be tried again.
    pub(crate) fn trust(
        &mut self,
        host: &str,
        fingerprint: &str,
        out: &mut Out,
    ) -> Option<Command> {
        let shown = out.notices.find(|notice| {
            let has = |key: &str, value: &str| notice.values.get(key).is_some_and(|it| it == value);
            matches!(&*notice.code, "server.untrusted" | "server.changed")
                && has("host", host)
                && has("fingerprint", fingerprint)
        });
        let retry = shown?.retry.clone();
        let fingerprint = Fingerprint::read(fingerprint)?;
        out.push(Effect::Trust {
            host: host.to_owned(),
            fingerprint: fingerprint.clone(),
        });
        out.push(Effect::Remember(Remember::Trust(
            host.to_owned(),
            fingerprint,
        )));
        out.notices.solve("server.untrusted");
        out.notices.solve("server.changed");
        retry
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        if self.retry.at.is_none_or(|at| now < at) {
            return;
        }
        self.retry.at = None;
        match self.retry.what.clone() {
            Again::Nothing => {}
            Again::Find(address) => self.find(address, out),
            Again::Resume(session) => self.resume(session, out),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.retry.at
    }
}
