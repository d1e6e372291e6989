//! Who we are: finding the server, signing in, staying signed in, signing out.

use std::time::{Duration, Instant};

use crate::command::Command;
use crate::effect::{ClientEvent, Effect, LinkWish, Remember};
use crate::input::SavedSession;
use crate::model::User;
use crate::port::{Request, RequestError, Secret};
use crate::snapshot::{Account as Phase, ServerInfo};

use super::notices::Draft;
use super::out::{Asked, Out, Part};

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

    /// A person gives an address.
    pub(crate) fn find_server(&mut self, address: &str, out: &mut Out) {
        let address = address.trim();
        let allowed = matches!(
            self.phase,
            Phase::NoServer | Phase::Finding { .. } | Phase::SignedOut { .. }
        );
        if address.is_empty() || !allowed {
            return;
        }
        self.retry = Retry::default();
        self.find(address.to_owned(), out);
    }

    fn find(&mut self, address: String, out: &mut Out) {
        out.forget(|asked| matches!(asked, Asked::Find { .. }));
        out.notices.solve("server.not_mattermost");
        self.retry.at = None;
        self.set(
            Phase::Finding {
                address: address.clone(),
            },
            out,
        );
        out.ask(
            Asked::Find {
                address: address.clone(),
            },
            Request::FindServer { address },
        );
    }

    /// The answer to [`Account::find_server`].
    pub(crate) fn found(
        &mut self,
        now: Instant,
        address: String,
        result: Result<ServerInfo, RequestError>,
        out: &mut Out,
    ) {
        match result {
            Ok(server) => {
                self.retry = Retry::default();
                out.notices.solve("server.none");
                out.push(Effect::Remember(Remember::Server(Some(server.url.clone()))));
                out.tell(ClientEvent::ServerFound {
                    url: server.url.clone(),
                });
                self.set(
                    Phase::SignedOut {
                        server,
                        login: String::new(),
                        code_needed: false,
                    },
                    out,
                );
            }
            Err(error) => {
                let code = unreachable_code(&error);
                let notice =
                    Draft::new(code)
                        .value("server", host(&address))
                        .retry(Command::FindServer {
                            address: address.clone(),
                        });
                out.notices.raise(now, detailed(notice, &error));
                out.tell(ClientEvent::SignInRefused {
                    code: code.to_owned(),
                });
                // An address that worked the last time is tried again: the network may come later than we do.
                let again = matches!(self.retry.what, Again::Find(_)) && code == "server.none";
                if again {
                    self.retry.schedule(now);
                } else {
                    self.set(Phase::NoServer, out);
                }
            }
        }
    }

    /// What the server of a kept session calls itself. A failure does not matter.
    pub(crate) fn described(&mut self, found: ServerInfo, out: &mut Out) {
        match &mut self.phase {
            Phase::SignedOut { server, .. }
            | Phase::SigningIn { server, .. }
            | Phase::SignedIn { server, .. }
                if server.url == found.url =>
            {
                *server = found;
                out.dirty(Part::Account);
            }
            _ => {}
        }
    }

    pub(crate) fn sign_in(
        &mut self,
        login: String,
        password: String,
        code: Option<String>,
        out: &mut Out,
    ) {
        let Phase::SignedOut { server, .. } = &self.phase else {
            return;
        };
        let server = server.clone();
        clear_refusals(out);
        let code = code.filter(|code| !code.trim().is_empty());
        out.ask(
            Asked::SignIn {
                code_given: code.is_some(),
            },
            Request::SignIn {
                server: server.url.clone(),
                login: login.clone(),
                password: Secret::new(password),
                code: code.map(Secret::new),
            },
        );
        self.set(Phase::SigningIn { server, login }, out);
    }

    pub(crate) fn sign_in_with_token(&mut self, token: String, out: &mut Out) {
        let Phase::SignedOut { server, login, .. } = &self.phase else {
            return;
        };
        let (server, login) = (server.clone(), login.clone());
        clear_refusals(out);
        out.ask(
            Asked::Token,
            Request::CheckToken {
                server: server.url.clone(),
                token: Secret::new(token),
            },
        );
        self.set(Phase::SigningIn { server, login }, out);
    }

    /// The server knows us. What follows: the socket, and over it the first data.
    pub(crate) fn accepted(&mut self, token: Secret, me: User, out: &mut Out) {
        let Phase::SigningIn { server, login } = &mut self.phase else {
            return;
        };
        login.clone_from(&me.username);
        let url = server.url.clone();
        clear_refusals(out);
        out.notices.solve("account.expired");
        out.notices.solve("server.none");
        self.retry = Retry::default();
        self.token = Some(token.clone());
        out.push(Effect::Account {
            server: url.clone(),
            token: Some(token.clone()),
        });
        out.push(Effect::Remember(Remember::Session(Some(SavedSession {
            server: url.clone(),
            login: me.username.clone(),
            token: token.clone(),
        }))));
        out.push(Effect::Link(LinkWish::Open { server: url, token }));
        out.dirty(Part::Account);
    }

    /// The server does not let us in, or does not answer.
    pub(crate) fn refused(
        &mut self,
        now: Instant,
        asked: &Asked,
        error: &RequestError,
        out: &mut Out,
    ) {
        let Phase::SigningIn { server, login } = &self.phase else {
            return;
        };
        let (server, login) = (server.clone(), login.clone());
        if *asked == Asked::Resume {
            if *error == RequestError::Unauthorised {
                self.expire(now, out);
            } else {
                self.resume_later(now, error, out);
            }
            return;
        }
        let code_given = *asked == Asked::SignIn { code_given: true };
        let (code, code_needed) = match refusal(asked, error) {
            // The server says the same whether the code is missing or malformed.
            "account.mfa_needed" if code_given => ("account.bad_code", true),
            code => (
                code,
                matches!(code, "account.mfa_needed" | "account.bad_code"),
            ),
        };
        let mut notice = Draft::new(code).value("server", host(&server.url));
        if let RequestError::RateLimited { after } = error {
            notice = notice.value("seconds", after.as_secs().max(1).to_string());
        }
        out.notices.raise(now, detailed(notice, error));
        out.tell(ClientEvent::SignInRefused {
            code: code.to_owned(),
        });
        self.set(
            Phase::SignedOut {
                server,
                login,
                code_needed,
            },
            out,
        );
    }

    fn resume_later(&mut self, now: Instant, error: &RequestError, out: &mut Out) {
        let wait = self.retry.schedule(now);
        let notice = Draft::new(match error {
            RequestError::RateLimited { .. } => "link.busy",
            _ => "link.lost",
        })
        .value("server", self.server_name())
        .value("seconds", wait.as_secs().to_string())
        .retry(Command::Reconnect);
        out.notices.raise(now, detailed(notice, error));
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
        if self.has_session() {
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
        if let (Some(server), false) = (self.server(), self.has_session()) {
            let server = server.url.clone();
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
        self.remembered = false;
        self.retry = Retry::default();
        self.set(
            Phase::SignedOut {
                server,
                login,
                code_needed: false,
            },
            out,
        );
    }

    /// A person wants another server.
    pub(crate) fn change_server(&mut self, out: &mut Out) {
        out.forget(|asked| {
            matches!(
                asked,
                Asked::Find { .. } | Asked::SignIn { .. } | Asked::Token | Asked::Resume
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

/// Notices about a sign-in that failed are solved by the next try.
fn clear_refusals(out: &mut Out) {
    for code in [
        "account.wrong",
        "account.bad_token",
        "account.mfa_needed",
        "account.bad_code",
        "account.locked",
        "account.inactive",
        "account.unverified",
        "account.mfa_enrol",
        "account.refused",
        "link.busy",
        "link.lost",
    ] {
        out.notices.solve(code);
    }
}

/// The address without scheme: what people call a server.
fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, host)| host)
}

fn unreachable_code(error: &RequestError) -> &'static str {
    match error {
        RequestError::Offline(_) | RequestError::TimedOut => "server.none",
        RequestError::RateLimited { .. } => "link.busy",
        RequestError::NotUnderstood(_)
        | RequestError::Unauthorised
        | RequestError::Refused { .. } => "server.not_mattermost",
    }
}

/// Why a sign-in failed (mattermost-core §3.1).
fn refusal(asked: &Asked, error: &RequestError) -> &'static str {
    match error {
        RequestError::Unauthorised if *asked == Asked::Token => "account.bad_token",
        RequestError::Unauthorised => "account.wrong",
        RequestError::Refused { id, status, .. } => match id.as_str() {
            "mfa.validate_token.authenticate.app_error" => "account.mfa_needed",
            "api.user.check_user_mfa.bad_code.app_error" => "account.bad_code",
            "api.user.login.blank_pwd.app_error" => "account.wrong",
            "api.user.login.inactive.app_error" => "account.inactive",
            "api.user.login.not_verified.app_error" => "account.unverified",
            "api.context.mfa_required.app_error" => "account.mfa_enrol",
            id if id.contains("invalid_credentials") => "account.wrong",
            id if id.starts_with("api.user.check_user_login_attempts.too_many") => "account.locked",
            "" if *status >= 500 => "server.none",
            _ if *asked == Asked::Token && *status == 401 => "account.bad_token",
            _ => "account.refused",
        },
        _ => unreachable_code(error),
    }
}

/// Adds the error's own words.
pub(crate) fn detailed(notice: Draft, error: &RequestError) -> Draft {
    notice.detail(match error {
        RequestError::Refused { message, .. } if !message.is_empty() => message.clone(),
        error => error.to_string(),
    })
}
