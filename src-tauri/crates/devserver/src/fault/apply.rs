//! What each fault does.

use std::time::Duration;

use serde_json::json;

use super::{Fault, FaultError, RestFault};
use crate::sfu::SfuFault;
use crate::socket::hub::Sabotage;
use crate::world::World;

impl World {
    fn fault_connections(
        &self,
        user: Option<&str>,
        connection: Option<&str>,
    ) -> Result<Vec<String>, FaultError> {
        if let Some(id) = connection {
            return match self.hub.get(id) {
                Some(_) => Ok(vec![id.to_owned()]),
                None => Err(FaultError::Unknown(id.to_owned())),
            };
        }
        let id = user.map(|name| self.fault_user(name)).transpose()?;
        Ok(self.hub.ids(id.as_deref()))
    }

    fn fault_user(&self, name: &str) -> Result<String, FaultError> {
        self.user_named(name)
            .map(|u| u.id.clone())
            .ok_or_else(|| FaultError::Unknown(name.to_owned()))
    }

    fn fault_sessions(
        &self,
        user: Option<&str>,
        session: Option<&str>,
    ) -> Result<Vec<String>, FaultError> {
        if let Some(id) = session {
            return match self.session(id) {
                Some(_) => Ok(vec![id.to_owned()]),
                None => Err(FaultError::Unknown(id.to_owned())),
            };
        }
        let user = user.map(|name| self.fault_user(name)).transpose()?;
        Ok(self
            .calls
            .active
            .values()
            .flat_map(|c| &c.sessions)
            .filter(|s| user.as_ref().is_none_or(|u| s.user == *u))
            .map(|s| s.id.clone())
            .collect())
    }

    pub(super) fn apply_fault(&mut self, fault: Fault) -> Result<(), FaultError> {
        let sabotage = match fault {
            Fault::CutSocket { .. } => Sabotage::Cut,
            Fault::FreezeSocket { .. } => Sabotage::Freeze,
            _ => Sabotage::Vanish,
        };
        match fault {
            Fault::CutSocket { user, connection }
            | Fault::FreezeSocket { user, connection }
            | Fault::VanishSocket { user, connection } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.sabotage(&id, sabotage);
                }
            }
            Fault::DelayEvents {
                user,
                connection,
                ms,
            } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.delay(&id, Duration::from_millis(ms));
                }
            }
            Fault::SwallowEvents {
                user,
                connection,
                event,
                count,
            } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.swallow(&id, &event, count);
                }
            }
            Fault::ForgetConnection { user, connection } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.forget(&id);
                    self.calls_socket_lost(&id);
                }
            }
            Fault::SendGarbage {
                user,
                connection,
                text,
            } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.raw(&id, &text);
                }
            }
            Fault::SendEvent {
                user,
                event,
                data,
                channel,
                count,
            } => {
                let user = self.fault_user(&user)?;
                for n in 0..count.min(10_000) {
                    let text = data.to_string().replace("{n}", &n.to_string());
                    let data = serde_json::from_str(&text).unwrap_or_default();
                    self.emit_user_in(&user, &channel, "", &event, data);
                }
            }
            Fault::RefuseJoin { user, text, count } => {
                self.calls.refusals.push((user, text, count));
            }
            Fault::ExpireSession { user } => {
                let user = user.map(|name| self.fault_user(&name)).transpose()?;
                let tokens: Vec<String> = self
                    .logins
                    .iter()
                    .filter(|(_, l)| user.as_ref().is_none_or(|u| l.user == *u))
                    .map(|(t, _)| t.clone())
                    .collect();
                for token in tokens {
                    self.expire_login(&token);
                }
            }
            Fault::Rest {
                prefix,
                delay_ms,
                html,
                status,
                retry_after,
                count,
            } => self.faults.rest.push(RestFault {
                prefix,
                delay: Duration::from_millis(delay_ms),
                html,
                status,
                retry_after,
                left: count,
            }),
            Fault::ClearRest => self.faults.rest.clear(),
            Fault::Storm { on } => self.faults.storm = on,
            Fault::ConfigChanged => {
                let config = self.client_config(true);
                self.emit_all("config_changed", json!({"config": config}));
            }
            Fault::RemoveFromChannel { user, channel } => {
                let user = self.fault_user(&user)?;
                let id = self
                    .channels
                    .values()
                    .find(|c| c.id == channel || c.name == channel)
                    .map(|c| c.id.clone())
                    .ok_or(FaultError::Unknown(channel))?;
                let admin = self.fault_user("admin")?;
                self.part_channel(&id, &user, &admin);
            }
            // Needs to wait, so it is done outside the lock.
            Fault::RestartSfu => {}
            media => self.apply_media_fault(media)?,
        }
        Ok(())
    }

    fn apply_media_fault(&mut self, fault: Fault) -> Result<(), FaultError> {
        let everybody =
            |user: &Option<String>, session: &Option<String>| user.is_none() && session.is_none();
        match fault {
            Fault::WithholdAnswer { user, session } => {
                for session in self.fault_sessions(user.as_deref(), session.as_deref())? {
                    self.sfu.fault(SfuFault::WithholdAnswer { session });
                }
            }
            Fault::HoldLock {
                user,
                session,
                held,
            } => {
                for session in self.fault_sessions(user.as_deref(), session.as_deref())? {
                    self.sfu.fault(SfuFault::HoldLock { session, held });
                }
            }
            Fault::KickPeer { user, session } => {
                for session in self.fault_sessions(user.as_deref(), session.as_deref())? {
                    self.sfu.fault(SfuFault::Kick { session });
                }
            }
            Fault::DropPackets {
                user,
                session,
                outgoing,
                incoming,
            } => {
                let drop = |session| SfuFault::DropPackets {
                    session,
                    outgoing,
                    incoming,
                };
                if everybody(&user, &session) {
                    self.sfu.fault(drop(None));
                } else {
                    for id in self.fault_sessions(user.as_deref(), session.as_deref())? {
                        self.sfu.fault(drop(Some(id)));
                    }
                }
            }
            Fault::GarblePackets {
                user,
                session,
                noise,
                payload,
            } => {
                let garble = |session| SfuFault::GarblePackets {
                    session,
                    noise,
                    payload,
                };
                if everybody(&user, &session) {
                    self.sfu.fault(garble(None));
                } else {
                    for id in self.fault_sessions(user.as_deref(), session.as_deref())? {
                        self.sfu.fault(garble(Some(id)));
                    }
                }
            }
            Fault::SendData {
                user,
                session,
                text,
                bytes,
            } => {
                for session in self.fault_sessions(user.as_deref(), session.as_deref())? {
                    self.sfu.fault(SfuFault::SendData {
                        session,
                        binary: !text,
                        bytes: bytes.clone(),
                    });
                }
            }
            Fault::Passage { only } => self.sfu.fault(SfuFault::Passage(only)),
            Fault::CutPath { user, session, cut } => {
                if everybody(&user, &session) {
                    self.sfu.fault(SfuFault::CutPath { session: None, cut });
                } else {
                    for id in self.fault_sessions(user.as_deref(), session.as_deref())? {
                        let session = Some(id);
                        self.sfu.fault(SfuFault::CutPath { session, cut });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
