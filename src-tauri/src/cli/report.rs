//! What happens, one line each: a JSON object for scripts or a sentence for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use calls_client::ClientEvent;
use calls_core::id::SessionId;
use calls_core::port::EndReason;
use serde_json::{Value, json};

/// Writes what happens.
pub(crate) struct Report<W> {
    json: bool,
    out: W,
    /// Names by session, to say who is heard first.
    names: BTreeMap<SessionId, String>,
    me: Option<SessionId>,
}

impl<W: Write> Report<W> {
    pub(crate) fn new(json: bool, out: W) -> Self {
        Self {
            json,
            out,
            names: BTreeMap::new(),
            me: None,
        }
    }

    /// Writes an event, if it is one that is told.
    ///
    /// # Errors
    ///
    /// When nobody reads any more: time to leave.
    pub(crate) fn event(&mut self, event: &ClientEvent) -> io::Result<()> {
        match event {
            ClientEvent::Joined { session } => self.me = Some(session.clone()),
            ClientEvent::Participant {
                session,
                name,
                joined: true,
                ..
            } => {
                self.names.insert(session.clone(), name.clone());
            }
            _ => {}
        }
        let line = if self.json {
            self.object(event).map(|value| value.to_string())
        } else {
            self.sentence(event)
        };
        match line {
            Some(line) => {
                writeln!(self.out, "{line}")?;
                // A script waits for the line.
                self.out.flush()
            }
            None => Ok(()),
        }
    }

    /// Writes something that is not an event of the client's.
    ///
    /// # Errors
    ///
    /// When nobody reads any more.
    pub(crate) fn problem(&mut self, code: &str, detail: &str) -> io::Result<()> {
        self.event(&ClientEvent::Notice {
            code: code.to_owned(),
            detail: Some(detail.to_owned()),
        })
    }

    fn object(&self, event: &ClientEvent) -> Option<Value> {
        Some(match event {
            ClientEvent::ServerFound { url } => json!({"event": "server", "url": url}),
            ClientEvent::SignedIn { user, username } => {
                json!({"event": "signed_in", "user_id": user, "username": username})
            }
            ClientEvent::SignInRefused { code } => json!({"event": "refused", "code": code}),
            ClientEvent::Joined { session } => json!({"event": "joined", "session_id": session}),
            ClientEvent::Connected { after, again } => {
                json!({"event": "connected", "ms": milliseconds(*after), "again": again})
            }
            ClientEvent::Participant {
                session,
                user,
                name,
                joined,
            } => json!({
                "event": "participant", "session_id": session, "user_id": user, "name": name,
                "present": joined, "me": self.me.as_ref() == Some(session),
            }),
            ClientEvent::FirstAudio { session, after } => json!({
                "event": "first_audio", "session_id": session, "from": self.name(session),
                "ms": milliseconds(*after),
            }),
            ClientEvent::Quality(quality) => json!({
                "event": "stats",
                "rtt_ms": rounded(quality.rtt_ms),
                "loss": rounded(quality.loss),
                "jitter_ms": rounded(quality.jitter_ms),
                "jitter_target_ms": rounded(quality.jitter_target_ms),
                "concealed_ratio": rounded(quality.concealed_ratio),
                "bitrate_in": quality.bitrate_in,
                "bitrate_out": quality.bitrate_out,
                "mos": rounded(quality.mos),
                "xruns": quality.xruns,
                "share": quality.share,
                "watch": quality.watch,
            }),
            ClientEvent::ShareStarted {
                source,
                width,
                height,
                after,
            } => json!({
                "event": "share_started", "source": source, "width": width, "height": height,
                "ms": milliseconds(*after),
            }),
            ClientEvent::ShareStopped { code } => json!({"event": "share_stopped", "code": code}),
            ClientEvent::Presenter { session, on } => json!({
                "event": "presenter", "session_id": session, "from": self.name(session), "on": on,
                "me": self.me.as_ref() == Some(session),
            }),
            ClientEvent::ScreenFrame(frame) => json!({
                "event": "screen_frame", "session_id": frame.session, "n": frame.n,
                "width": frame.width, "height": frame.height, "key": frame.key,
                "bytes": frame.bytes, "code": frame.code, "clock": frame.at, "stored": frame.stored,
            }),
            ClientEvent::Recording { on } => json!({"event": "recording", "on": on}),
            ClientEvent::Notice { code, detail } => {
                json!({"event": "notice", "code": code, "detail": detail})
            }
            ClientEvent::Ended { reason, code } => {
                json!({"event": "ended", "reason": reason_word(reason), "code": code})
            }
        })
    }

    fn sentence(&self, event: &ClientEvent) -> Option<String> {
        Some(match event {
            ClientEvent::ServerFound { url } => format!("Found {url}."),
            ClientEvent::SignedIn { username, .. } => format!("Signed in as {username}."),
            ClientEvent::SignInRefused { code } => format!("Not signed in ({code})."),
            ClientEvent::Joined { .. } => "Let in; connecting.".to_owned(),
            ClientEvent::Connected { after, again } => {
                format!(
                    "{} after {} ms.",
                    if *again {
                        "Connected again"
                    } else {
                        "Connected"
                    },
                    milliseconds(*after)
                )
            }
            ClientEvent::Participant {
                session,
                name,
                joined,
                ..
            } => {
                if self.me.as_ref() == Some(session) {
                    return None;
                }
                format!(
                    "{name} {}.",
                    if *joined { "is in the call" } else { "left" }
                )
            }
            ClientEvent::FirstAudio { session, after } => {
                format!(
                    "First sound of {} after {} ms.",
                    self.name(session),
                    milliseconds(*after)
                )
            }
            ClientEvent::Recording { on: true } => "The call is being recorded.".to_owned(),
            ClientEvent::Recording { on: false } => "The recording has stopped.".to_owned(),
            ClientEvent::Quality(quality) => format!(
                "{:.0} ms round trip, {:.1} % lost, {:.0} ms buffer, {:.1} % concealed, {} kbit/s in, {} kbit/s out",
                quality.rtt_ms,
                quality.loss * 100.0,
                quality.jitter_target_ms,
                quality.concealed_ratio * 100.0,
                quality.bitrate_in / 1000,
                quality.bitrate_out / 1000,
            ),
            ClientEvent::ShareStarted { width, height, .. } => {
                format!("Your screen is shown ({width}×{height}).")
            }
            ClientEvent::ShareStopped { code: None } => "Your screen is not shown any more.".into(),
            ClientEvent::ShareStopped { code: Some(code) } => {
                format!("Your screen is not shown ({code}).")
            }
            ClientEvent::Presenter { session, on } => format!(
                "{} {}.",
                self.name(session),
                if *on {
                    "shows a screen"
                } else {
                    "shows no screen any more"
                }
            ),
            // For people, the pictures themselves are enough.
            ClientEvent::ScreenFrame(_) => return None,
            ClientEvent::Notice {
                code,
                detail: Some(detail),
            } => format!("{code}: {detail}"),
            ClientEvent::Notice { code, detail: None } => code.clone(),
            ClientEvent::Ended {
                reason,
                code: Some(code),
            } => format!("Over: {} ({code}).", reason_word(reason)),
            ClientEvent::Ended { reason, code: None } => format!("Over: {}.", reason_word(reason)),
        })
    }

    fn name(&self, session: &SessionId) -> String {
        self.names
            .get(session)
            .cloned()
            .unwrap_or_else(|| session.to_string())
    }
}

fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Four digits after the point: enough for a share of lost packets, and without the noise of `f32`.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 10_000.0).round() / 10_000.0
}

fn reason_word(reason: &EndReason) -> &'static str {
    match reason {
        EndReason::Left => "left",
        EndReason::EndedForAll => "ended",
        EndReason::Removed => "removed",
        EndReason::Refused(_) => "refused",
        EndReason::MediaTimeout => "no_media",
        EndReason::Lost(_) => "lost",
        EndReason::Unauthorised => "unauthorised",
        EndReason::Unsupported(_) => "unsupported",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use calls_core::id::UserId;
    use std::time::Duration;

    fn told(json: bool, events: &[ClientEvent]) -> Vec<String> {
        let mut out = Vec::new();
        let mut report = Report::new(json, &mut out);
        for event in events {
            report.event(event).unwrap();
        }
        String::from_utf8(out)
            .unwrap()
            .lines()
            .map(ToOwned::to_owned)
            .collect()
    }

    fn story() -> Vec<ClientEvent> {
        let session = SessionId::from("s1");
        vec![
            ClientEvent::Joined {
                session: SessionId::from("s0"),
            },
            ClientEvent::Participant {
                session: session.clone(),
                user: UserId::from("u1"),
                name: "Bob \"B\"\nTanaka".to_owned(),
                joined: true,
            },
            ClientEvent::FirstAudio {
                session,
                after: Duration::from_micros(123_450),
            },
            ClientEvent::Ended {
                reason: EndReason::Lost("x".to_owned()),
                code: Some("call.lost".to_owned()),
            },
        ]
    }

    #[test]
    fn every_line_is_one_object_whatever_people_are_called() {
        let lines = told(true, &story());
        assert_eq!(lines.len(), 4);
        let read: Vec<Value> = lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(read[0], json!({"event": "joined", "session_id": "s0"}));
        assert_eq!(read[1]["name"], "Bob \"B\"\nTanaka");
        assert_eq!(read[1]["me"], false);
        assert_eq!(read[2]["ms"], 123.5);
        assert_eq!(read[2]["from"], "Bob \"B\"\nTanaka");
        assert_eq!(
            read[3],
            json!({"event": "ended", "reason": "lost", "code": "call.lost"})
        );
    }

    #[test]
    fn people_get_sentences() {
        let lines = told(false, &story());
        assert_eq!(lines.first().unwrap(), "Let in; connecting.");
        assert_eq!(lines.last().unwrap(), "Over: lost (call.lost).");
    }

    #[test]
    fn nobody_reading_is_told_to_the_caller() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut report = Report::new(true, Closed);
        assert!(
            report
                .event(&ClientEvent::ServerFound { url: String::new() })
                .is_err()
        );
    }
}
