//! An SFU in another process, so that the rest of the server, and the client, can be tried with a media
//! server that we did not write (rtcd's own packages behind a small adapter).
//!
//! One TCP connection; one JSON object a line each way. To the SFU:
//! `{"op":"open","session","call","dc"}`, `{"op":"close"|"mute"|"unmute"|"screen_off","session"}`,
//! `{"op":"sdp"|"ice"|"screen_on","session","data"}`. From it:
//! `{"ev":"signal","session","json"}`, `{"ev":"voice_on"|"voice_off"|"closed","session"}`.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::{CloseReason, Request, SfuEvent, SfuStats};

/// Carries requests and events between the server and the foreign SFU until either side ends.
pub(super) async fn run(
    stream: TcpStream,
    mut requests: mpsc::Receiver<Request>,
    events: mpsc::Sender<SfuEvent>,
) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    loop {
        tokio::select! {
            request = requests.recv() => {
                let line = match request {
                    None => return,
                    Some(Request::Stop(reply)) => {
                        let _ = reply.send(()); // The one who stops us may have stopped waiting.
                        return;
                    }
                    Some(Request::Stats(reply)) => {
                        let _ = reply.send(SfuStats::default()); // As above.
                        continue;
                    }
                    Some(request) => spell(request),
                };
                let Some(line) = line else { continue };
                if writer.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                    tracing::error!("the foreign SFU is gone");
                    return;
                }
            }
            line = lines.next_line() => {
                let Ok(Some(line)) = line else {
                    tracing::error!("the foreign SFU is gone");
                    return;
                };
                let Some(event) = understand(&line) else { continue };
                if events.send(event).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Connects to the foreign SFU.
pub(super) async fn connect(addr: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn spell(request: Request) -> Option<Value> {
    Some(match request {
        Request::Open {
            session,
            call,
            dc_signaling,
        } => json!({"op": "open", "session": session, "call": call, "dc": dc_signaling}),
        Request::Close(session) => json!({"op": "close", "session": session}),
        Request::Sdp(session, data) => json!({"op": "sdp", "session": session, "data": data}),
        Request::Candidate(session, data) => json!({"op": "ice", "session": session, "data": data}),
        Request::Mute(session, true) => json!({"op": "mute", "session": session}),
        Request::Mute(session, false) => json!({"op": "unmute", "session": session}),
        Request::Screen(session, Some(stream)) => json!({
            "op": "screen_on", "session": session,
            "data": json!({"screenStreamID": stream}).to_string(),
        }),
        Request::Screen(session, None) => json!({"op": "screen_off", "session": session}),
        // Cameras and faults are our own SFU's business.
        Request::Video(..) | Request::Fault(_) | Request::Stats(_) | Request::Stop(_) => {
            return None;
        }
    })
}

fn understand(line: &str) -> Option<SfuEvent> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let session = text("session")?;
    match value.get("ev").and_then(Value::as_str)? {
        "signal" => Some(SfuEvent::Signal {
            session,
            json: text("json")?,
        }),
        "voice_on" => Some(SfuEvent::VoiceOn { session }),
        "voice_off" => Some(SfuEvent::VoiceOff { session }),
        "closed" => Some(SfuEvent::Closed {
            session,
            reason: CloseReason::PeerClosed,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_foreign_sfu_are_understood_and_garbage_is_not() {
        assert_eq!(
            understand(r#"{"ev":"signal","session":"s","json":"{}"}"#),
            Some(SfuEvent::Signal {
                session: "s".into(),
                json: "{}".into()
            })
        );
        assert_eq!(
            understand(r#"{"ev":"voice_on","session":"s"}"#),
            Some(SfuEvent::VoiceOn {
                session: "s".into()
            })
        );
        for garbage in [
            "",
            "{",
            "[]",
            r#"{"ev":"signal","session":"s"}"#,
            r#"{"ev":"x","session":"s"}"#,
        ] {
            assert_eq!(understand(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_screen_is_announced_as_the_plugin_does() {
        let line = spell(Request::Screen("s".into(), Some("stream".into())));
        assert_eq!(
            line,
            Some(json!({"op":"screen_on","session":"s","data":"{\"screenStreamID\":\"stream\"}"}))
        );
    }
}
