//! Signing in with the person's own browser, at GitLab, Google, Microsoft, OpenID Connect or SAML: the "desktop token"
//! way (mattermost-core §3.4). The browser comes back with a `mattermost:` link; only one that carries the token of
//! this very attempt is believed, so that nobody can sign a person in to an account that is not theirs.

use std::time::Instant;

use crate::alert::AlertWish;
use crate::effect::Effect;
use crate::port::{Request, Secret};
use crate::snapshot::{Account as Phase, OutsideService};

use super::super::notices::Draft;
use super::super::out::{Asked, Out};
use super::Account;
use super::refusal::clear_refusals;

/// Digits of our token (32 bytes; the server cuts longer ones).
const TOKEN: usize = 64;

impl Account {
    /// Opens the browser.
    pub(crate) fn sign_in_outside(&mut self, service: OutsideService, token: &str, out: &mut Out) {
        let Phase::SignedOut { server, login, .. } = &self.phase else {
            return;
        };
        let sound = token.len() == TOKEN && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !sound || !server.outside.iter().any(|one| one.service == service) {
            tracing::warn!("a sign-in with the browser that cannot be");
            return;
        }
        let (server, login) = (server.clone(), login.clone());
        clear_refusals(out);
        self.outside = Some(Secret::new(token));
        let address = format!("{}/{}?desktop_token={token}", server.url, service.path());
        out.push(Effect::Alert(AlertWish::Browse(address)));
        self.set(
            Phase::SignedOut {
                server,
                login,
                code_needed: false,
                outside: true,
            },
            out,
        );
    }

    /// The person does not wait for the browser any more.
    pub(crate) fn cancel_outside(&mut self, out: &mut Out) {
        self.outside = None;
        if let Phase::SignedOut { outside, .. } = &mut self.phase {
            *outside = false;
            out.dirty(super::super::out::Part::Account);
        }
    }

    /// The browser has brought something back: `ours` must be the token that we sent it out with.
    pub(crate) fn back_from_outside(
        &mut self,
        now: Instant,
        ours: &Secret,
        theirs: Secret,
        out: &mut Out,
    ) {
        let Phase::SignedOut { server, login, .. } = &self.phase else {
            return;
        };
        if self.outside.as_ref() != Some(ours) {
            out.notices.raise(now, Draft::new("sso.stale"));
            return;
        }
        self.outside = None;
        let (server, login) = (server.clone(), login.clone());
        out.ask(
            Asked::Outside,
            Request::SignInOutside {
                server: server.url.clone(),
                token: theirs,
            },
        );
        out.push(Effect::Alert(AlertWish::Front));
        self.set(Phase::SigningIn { server, login }, out);
    }
}
