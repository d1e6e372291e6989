//! A line: one Mattermost WebSocket that mends itself.
//!
//! One task per line. It authenticates in the upgrade (only then can a connection be resumed), numbers what it
//! sends, checks the numbers of what it hears, asks for a pong at a steady pace and gives the socket up as soon as
//! one is missing. The account's socket and each call's socket are lines with different [`Policy`]s.

use std::time::Duration;

use calls_core::port::{Distrust, Secret};
use calls_core::wire::socket::{self, Event, Frame, Reply};
use calls_core::wire::{self, dc};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::error::{NetError, distrust};
use crate::rest::Rest;
use connect::has_moved;
use pings::Pings;
use resume::{Resume, Taken};

mod connect;
mod pings;
mod resume;
mod words;

pub(crate) use words::LastWords;

/// Events waiting for the owner, who always listens; more would only hide that it does not.
const EVENTS: usize = 256;
/// Commands waiting for the line. A line that is stuck longer than that is about to be given up.
const COMMANDS: usize = 64;
/// No `hello` after this means that the server does not take us for a signed-in user (mattermost-core 12.2).
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take when there is reason to doubt the connection: the computer has slept.
const DOUBT: Duration = Duration::from_secs(3);
/// How long a polite goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// How a line behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Pace of application pings; a pong not there by the next one ends the connection.
    pub(crate) ping: Duration,
    /// Wait before the n-th try, n from 1.
    pub(crate) delay: fn(u32) -> Duration,
    /// Stop trying this long after the loss; `None` tries for ever.
    pub(crate) give_up: Option<Duration>,
}

/// What a line says.
#[derive(Debug)]
pub(crate) enum LineEvent {
    /// Live.
    Up {
        /// Connection id.
        connection: String,
        /// Every event since the last time has been or will be delivered.
        resumed: bool,
    },
    /// An event, in order.
    Event(Box<Event>),
    /// Lost; the next try comes then.
    Down {
        /// Tries that have failed.
        attempt: u32,
        /// Until the next.
        retry_in: Duration,
    },
    /// No more tries. Nothing follows.
    GaveUp(String),
    /// The token is no longer good. Nothing follows.
    Unauthorised,
    /// The server's certificate is not trusted. `Down` follows.
    Untrusted(Distrust),
}

/// A message to the server: an action and its data.
pub(crate) type Action = (String, Option<Value>);

enum Command {
    Send(Action),
    Sdp(Vec<u8>),
    RetryNow,
    Close(LastWords),
}

/// Where a line goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Site address.
    pub(crate) server: String,
    /// Token.
    pub(crate) token: Secret,
    /// To find out whether the session still lives.
    pub(crate) rest: Rest,
}

/// A handle on a line. Dropping it ends the line at once.
#[derive(Debug)]
pub(crate) struct Line {
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Line {
    /// Starts connecting.
    pub(crate) fn open(target: Target, policy: Policy) -> (Self, mpsc::Receiver<LineEvent>) {
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (events, outbox) = mpsc::channel(EVENTS);
        let actor = Actor {
            target,
            policy,
            inbox,
            events,
            resume: Resume::default(),
            closing: None,
            seq: 0,
        };
        let task = tokio::spawn(actor.run());
        (Self { commands, task }, outbox)
    }

    /// Sends an action if the line is up. What is said while it is down is lost: the owner knows, and says it again.
    pub(crate) fn send(&self, action: String, data: Option<Value>) {
        self.command(Command::Send((action, data)));
    }

    /// Sends a compressed session description in a binary frame.
    pub(crate) fn send_sdp(&self, compressed: Vec<u8>) {
        self.command(Command::Sdp(compressed));
    }

    /// Ends the current wait between two tries; looks at once whether a connection that seems open is.
    pub(crate) fn retry_now(&self) {
        self.command(Command::RetryNow);
    }

    fn command(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::debug!("line is closed or stuck: message dropped");
        }
    }

    /// Says these last words and closes, within `limit`. If the line is down but was up, or our end of it is gone, it is
    /// opened once more for them: without a goodbye the server keeps a ghost of us.
    pub(crate) async fn close(mut self, last_words: LastWords, limit: Duration) {
        let closing = async {
            let _ = self.commands.send(Command::Close(last_words)).await;
            // Ends by itself, or is ended by dropping below.
            let _ = (&mut self.task).await;
        };
        if timeout(limit, closing).await.is_err() {
            tracing::debug!("line did not close in time");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Actor {
    target: Target,
    policy: Policy,
    inbox: mpsc::Receiver<Command>,
    events: mpsc::Sender<LineEvent>,
    resume: Resume,
    closing: Option<Vec<Action>>,
    /// Number of the last message sent on this connection.
    seq: i64,
}

/// How a connection ended.
enum End {
    Lost(NetError),
    Closed,
}

impl Actor {
    async fn run(mut self) {
        let mut attempt = 0_u32;
        let mut lost_at = Instant::now();
        loop {
            let (was_up, end) = self.connection(&mut attempt).await;
            let End::Lost(error) = end else {
                return;
            };
            if was_up {
                lost_at = Instant::now();
            }
            tracing::debug!(%error, attempt, "connection lost");
            if self.closing.is_some() {
                if was_up {
                    // Over a network that is no more. Once more, over the one there is.
                    continue;
                }
                return;
            }
            if matches!(error, NetError::Unauthorised) {
                self.say(LineEvent::Unauthorised).await;
                return;
            }
            if matches!(error, NetError::Address(_))
                || self
                    .policy
                    .give_up
                    .is_some_and(|limit| lost_at.elapsed() >= limit)
            {
                self.say(LineEvent::GaveUp(error.to_string())).await;
                return;
            }
            if let Some(distrust) = distrust(&error) {
                self.say(LineEvent::Untrusted(distrust)).await;
            }
            attempt += 1;
            let retry_in = (self.policy.delay)(attempt);
            self.say(LineEvent::Down { attempt, retry_in }).await;
            if !self.wait(retry_in).await {
                return;
            }
        }
    }

    async fn say(&self, event: LineEvent) {
        // Fails only when the owner is gone, and then this task is about to be ended.
        let _ = self.events.send(event).await;
    }

    /// Waits between two tries; false when there is no reason to try again.
    async fn wait(&mut self, retry_in: Duration) -> bool {
        let until = Instant::now() + retry_in;
        loop {
            tokio::select! {
                () = sleep_until(until) => return true,
                command = self.inbox.recv() => match command {
                    Some(Command::RetryNow) => return true,
                    Some(Command::Close(words)) => {
                        let again = !words.always.is_empty() && self.resume.known();
                        self.closing = Some(words.all());
                        return again;
                    }
                    Some(Command::Send(_) | Command::Sdp(_)) => {}
                    None => return false,
                },
            }
        }
    }

    /// One connection from opening to its end, and whether it was ever up.
    async fn connection(&mut self, attempt: &mut u32) -> (bool, End) {
        let opening = connect::open(&self.target, &self.resume);
        tokio::pin!(opening);
        let mut stream = loop {
            tokio::select! {
                opened = &mut opening => match opened {
                    Ok(stream) => break stream,
                    Err(NetError::Unauthorised) => {
                        return (false, End::Lost(self.verify(NetError::Unauthorised).await));
                    }
                    Err(error) => return (false, End::Lost(error)),
                },
                command = self.inbox.recv() => match command {
                    Some(Command::Close(words)) if !words.always.is_empty() && self.resume.known() => {
                        self.closing = Some(words.all());
                    }
                    Some(Command::Close(_)) | None => return (false, End::Closed),
                    Some(_) => {}
                },
            }
        };
        let mut live = Live {
            up: false,
            pings: Pings::new(self.policy.ping),
        };
        let hello_by = Instant::now() + HELLO_TIMEOUT;
        // The first ping goes at once: its answer tells which connection this is, if no `hello` does.
        self.seq = 0;
        let mut step = self.ping(&mut live, &mut stream).await;
        let end = loop {
            if let Err(end) = step {
                break end;
            }
            if live.up {
                *attempt = 0;
                if let Some(words) = self.closing.take() {
                    break self.goodbye(&mut stream, words).await;
                }
            }
            step = tokio::select! {
                frame = stream.next() => match frame {
                    Some(Ok(message)) => self.hear(&mut live, message).await,
                    Some(Err(error)) => Err(End::Lost(NetError::offline(error))),
                    None => Err(End::Lost(NetError::Protocol("closed by the server".into()))),
                },
                command = self.inbox.recv() => self.obey(&mut stream, &mut live, command).await,
                () = sleep_until(live.pings.next) => self.ping(&mut live, &mut stream).await,
                () = sleep_until(hello_by), if !live.up => {
                    Err(End::Lost(self.verify(NetError::TimedOut("waiting for hello")).await))
                }
            };
        };
        if !live.up && matches!(end, End::Lost(_)) {
            // Perhaps the server does not like what we want to resume.
            self.resume.forget();
        }
        (live.up, end)
    }

    /// Silence or a refusal may mean that the session is over; only a request can tell.
    async fn verify(&self, otherwise: NetError) -> NetError {
        match self.target.rest.session_lives().await {
            Err(calls_core::port::RequestError::Unauthorised) => NetError::Unauthorised,
            Ok(()) if matches!(otherwise, NetError::Unauthorised) => {
                NetError::Protocol("the WebSocket was refused".into())
            }
            _ => otherwise,
        }
    }

    async fn ping(&mut self, live: &mut Live, stream: &mut connect::Stream) -> Result<(), End> {
        if has_moved(stream) {
            Err(moved())
        } else if live.pings.due(self.seq + 1) {
            self.send(stream, ("ping".to_owned(), None)).await
        } else {
            Err(End::Lost(NetError::TimedOut("waiting for a pong")))
        }
    }

    async fn hear(&mut self, live: &mut Live, message: Message) -> Result<(), End> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => {
                return Err(End::Lost(NetError::Protocol("closed by the server".into())));
            }
            // Pings are answered by the library; servers send no binary frames.
            _ => return Ok(()),
        };
        match socket::read(text.as_bytes()) {
            Ok(Frame::Reply(reply)) => self.replied(live, &reply).await,
            Ok(Frame::Event(event)) => self.happened(live, event).await,
            Err(error) => {
                tracing::debug!(%error, "malformed frame");
                Ok(())
            }
        }
    }

    async fn replied(&mut self, live: &mut Live, reply: &Reply) -> Result<(), End> {
        let status = reply.error.as_ref().map_or(0, |error| error.status_code);
        if reply.status == "FAIL" && status == 401 {
            return Err(End::Lost(NetError::Unauthorised));
        }
        if live.pings.answered(reply.seq_reply) && !live.up && self.resume.known() {
            // An answer and no `hello` before it: the old connection lives on.
            self.rise(live, true).await;
        }
        Ok(())
    }

    async fn happened(&mut self, live: &mut Live, event: Event) -> Result<(), End> {
        match self.resume.take(&event) {
            Taken::Hello { fresh } => {
                self.say(LineEvent::Event(Box::new(event))).await;
                if !live.up || fresh {
                    self.rise(live, !fresh).await;
                }
                Ok(())
            }
            Taken::Next => {
                if !live.up {
                    self.rise(live, true).await;
                }
                self.say(LineEvent::Event(Box::new(event))).await;
                Ok(())
            }
            Taken::Old => Ok(()),
            Taken::Gap => Err(End::Lost(NetError::Protocol("events were lost".into()))),
        }
    }

    async fn rise(&self, live: &mut Live, resumed: bool) {
        live.up = true;
        let connection = self.resume.id().to_owned();
        self.say(LineEvent::Up {
            connection,
            resumed,
        })
        .await;
    }

    async fn obey(
        &mut self,
        stream: &mut connect::Stream,
        live: &mut Live,
        command: Option<Command>,
    ) -> Result<(), End> {
        match command {
            Some(Command::RetryNow) if live.up => {
                if has_moved(stream) {
                    Err(moved())
                } else if live.pings.hurry(self.seq + 1, DOUBT) {
                    self.send(stream, ("ping".to_owned(), None)).await
                } else {
                    Ok(())
                }
            }
            Some(Command::Send(action)) if live.up => self.send(stream, action).await,
            Some(Command::Sdp(compressed)) if live.up => {
                let seq = self.next_seq();
                let frame = dc::write_sdp_frame(seq, compressed)
                    .map_err(|error| End::Lost(NetError::Protocol(error.to_string())))?;
                write(stream, Message::binary(frame)).await
            }
            Some(Command::Send(_) | Command::Sdp(_) | Command::RetryNow) => Ok(()),
            Some(Command::Close(words)) => {
                let again = !words.always.is_empty() && self.resume.known();
                let moved = again && live.up && has_moved(stream);
                if !again || (live.up && !moved) {
                    return Err(self.goodbye(stream, words.always).await);
                }
                self.closing = Some(words.all());
                if moved { Err(self::moved()) } else { Ok(()) }
            }
            None => Err(End::Closed),
        }
    }

    fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }

    async fn send(&mut self, stream: &mut connect::Stream, action: Action) -> Result<(), End> {
        let request = wire::socket::Request {
            action: action.0,
            seq: self.next_seq(),
            data: action.1,
        };
        match serde_json::to_string(&request) {
            Ok(text) => write(stream, Message::text(text)).await,
            Err(error) => {
                tracing::warn!(%error, "message cannot be written");
                Ok(())
            }
        }
    }

    async fn goodbye(&mut self, stream: &mut connect::Stream, words: Vec<Action>) -> End {
        for action in words {
            if self.send(stream, action).await.is_err() {
                return End::Closed;
            }
        }
        // The server closes after our close frame; nothing is lost if it does not.
        let _ = timeout(GOODBYE, async {
            let _ = stream.close(None).await;
            while let Some(Ok(_)) = stream.next().await {}
        })
        .await;
        End::Closed
    }
}

fn moved() -> End {
    End::Lost(NetError::offline(std::io::Error::from(
        std::io::ErrorKind::AddrNotAvailable,
    )))
}

async fn write(stream: &mut connect::Stream, message: Message) -> Result<(), End> {
    // A socket that takes nothing for so long is dead, whatever TCP still hopes.
    match timeout(HELLO_TIMEOUT, stream.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(End::Lost(NetError::offline(error))),
        Err(_) => Err(End::Lost(NetError::TimedOut("writing"))),
    }
}

struct Live {
    up: bool,
    pings: Pings,
}

#[cfg(test)]
mod tests;
