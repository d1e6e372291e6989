//! Signing in, and what the server says to it.

use std::time::Instant;

use crate::command::Command;
use crate::effect::{ClientEvent, Effect, LinkWish, Remember};
use crate::input::SavedSession;
use crate::model::User;
use crate::port::{Request, RequestError, Secret};
use crate::snapshot::Account as Phase;

use super::super::notices::Draft;
use super::super::out::{Asked, Out, Part};
use super::refusal::{clear_refusals, detailed, host, refusal, unreachable_code};
use super::{Account, Retry};

impl Account {
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
        self.outside = None;
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
        out.notices.solve("server.untrusted");
        out.notices.solve("server.changed");
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
                outside: false,
            },
            out,
        );
    }

    pub(super) fn resume_later(&mut self, now: Instant, error: &RequestError, out: &mut Out) {
        let wait = self.retry.schedule(now);
        let notice = Draft::new(match error {
            RequestError::RateLimited { .. } => "link.busy",
            RequestError::Untrusted(_) => unreachable_code(error),
            _ => "link.lost",
        })
        .value("server", self.server_name())
        .value("seconds", wait.as_secs().to_string())
        .retry(Command::Reconnect);
        out.notices.raise(now, detailed(notice, error));
    }
}
