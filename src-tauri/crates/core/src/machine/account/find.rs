//! Finding the server.

use std::time::Instant;

use crate::command::Command;
use crate::effect::{ClientEvent, Effect, Remember};
use crate::port::{Request, RequestError};
use crate::snapshot::{Account as Phase, ServerInfo};

use super::super::notices::Draft;
use super::super::out::{Asked, Out, Part};
use super::refusal::{detailed, host, unreachable_code};
use super::{Account, Again, Retry};

impl Account {
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

    pub(super) fn find(&mut self, address: String, out: &mut Out) {
        out.forget(|asked| matches!(asked, Asked::Find { .. }));
        out.notices.solve("server.not_mattermost");
        out.notices.solve("server.untrusted");
        out.notices.solve("server.changed");
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
                out.notices.solve("server.untrusted");
                out.notices.solve("server.changed");
                out.push(Effect::Remember(Remember::Server(Some(server.url.clone()))));
                out.tell(ClientEvent::ServerFound {
                    url: server.url.clone(),
                });
                self.set(
                    Phase::SignedOut {
                        server,
                        login: String::new(),
                        code_needed: false,
                        outside: false,
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
}
