//! Screens: the picker, our own share, and whose screen is to be seen.
//!
//! A share begins at the screen and ends there: first what is to be shared must open, then the server is asked, then
//! pictures flow. Stopping closes the screen first. The server refuses by saying nothing, so the back end waits for it
//! and tells.

use crate::command::Command;
use crate::effect::{CallWish, ClientEvent, Effect, MediaWish};
use crate::id::{SessionId, SourceId};
use crate::input::{CallNumber, Now};
use crate::port::media::{ShareProblem, ShareRequest, ShareSource};
use crate::port::{CallEvent, CallIntent, ShareTicket};
use crate::snapshot::{OurShare, Share as Slice, SharePicker};

use super::notices::Draft;
use super::out::{Out, Part};

/// The part of the machine that knows screens.
#[derive(Debug, Default)]
pub(crate) struct Share {
    picker: Option<SharePicker>,
    ours: Ours,
    /// Numbers our shares, so that two in a row are two.
    last: u32,
    presenter: Option<SessionId>,
    /// The call that all this is about, and our session in it.
    call: Option<CallNumber>,
    session: Option<SessionId>,
    /// What other programs play can be shared on this machine.
    sound_possible: bool,
    /// Whose shared screen has sound, and how loud we hear it.
    sounding: Option<SessionId>,
    volume: Volume,
    /// Nobody sits at this machine: nothing new is shown.
    locked: bool,
}

/// Per cent.
#[derive(Debug)]
struct Volume(u16);

impl Default for Volume {
    fn default() -> Self {
        Self(100)
    }
}

#[derive(Debug, Default)]
enum Ours {
    #[default]
    Off,
    /// What is to be shared is being opened; a system's dialog may be on screen.
    Opening(Chosen),
    /// The server is being asked.
    Asking(Chosen),
    /// Pictures flow.
    On(Chosen),
}

#[derive(Clone, Debug)]
struct Chosen {
    source: SourceId,
    name: String,
    motion: bool,
    sound: bool,
    paused: bool,
    width: u32,
    height: u32,
    asked_at: std::time::Instant,
}

impl Ours {
    fn chosen(&self) -> Option<&Chosen> {
        match self {
            Self::Off => None,
            Self::Opening(chosen) | Self::Asking(chosen) | Self::On(chosen) => Some(chosen),
        }
    }

    fn chosen_mut(&mut self) -> Option<&mut Chosen> {
        match self {
            Self::Off => None,
            Self::Opening(chosen) | Self::Asking(chosen) | Self::On(chosen) => Some(chosen),
        }
    }
}

impl Share {
    /// The slice of the snapshot.
    pub(crate) fn draw(&self, allowed: bool) -> Slice {
        Slice {
            picker: self.picker.clone(),
            ours: match &self.ours {
                Ours::Off => OurShare::Off,
                Ours::Opening(chosen) | Ours::Asking(chosen) => OurShare::Starting {
                    source: chosen.source.clone(),
                    name: chosen.name.clone(),
                },
                Ours::On(chosen) => OurShare::On {
                    source: chosen.source.clone(),
                    name: chosen.name.clone(),
                    motion: chosen.motion,
                    sound: chosen.sound,
                    paused: chosen.paused,
                    width: chosen.width,
                    height: chosen.height,
                },
            },
            presenter: self.presenter.clone(),
            allowed,
            sound: self.sounding.is_some() && self.sounding == self.presenter,
            volume: self.volume.0,
            locked: self.locked && self.ours.chosen().is_some(),
        }
    }

    /// A person wants to choose.
    pub(crate) fn open_picker(&mut self, now: Now, allowed: bool, out: &mut Out) {
        if self.call.is_none() {
            return;
        }
        if !allowed {
            out.notices.raise(now.instant, Draft::new("share.off"));
            return;
        }
        if self.somebody_else() {
            out.notices.raise(now.instant, Draft::new("share.taken"));
            return;
        }
        let known = self.picker.take().unwrap_or_default();
        self.picker = Some(SharePicker {
            loading: true,
            sound: self.sound_possible,
            ..known
        });
        out.push(Effect::Media(MediaWish::ListScreens));
        out.dirty(Part::Share);
    }

    pub(crate) fn close_picker(&mut self, out: &mut Out) {
        self.picker = None;
        out.dirty(Part::Share);
    }

    fn somebody_else(&self) -> bool {
        self.presenter.is_some() && self.presenter != self.session
    }

    /// A person shares something, in place of what they shared before.
    pub(crate) fn start(&mut self, now: Now, request: ShareRequest, allowed: bool, out: &mut Out) {
        if self.call.is_none() {
            return;
        }
        if !allowed {
            out.notices.raise(now.instant, Draft::new("share.off"));
            return;
        }
        if self.somebody_else() {
            out.notices.raise(now.instant, Draft::new("share.taken"));
            return;
        }
        self.withdraw(out);
        let name = self
            .picker
            .take()
            .and_then(|picker| {
                let mut sources = picker.sources.into_iter();
                sources.find(|source| source.id == request.source)
            })
            .map(|source| source.name)
            .unwrap_or_default();
        for code in PROBLEMS {
            out.notices.solve(code);
        }
        self.ours = Ours::Opening(Chosen {
            source: request.source.clone(),
            name,
            motion: request.motion,
            sound: request.sound,
            paused: false,
            width: 0,
            height: 0,
            asked_at: now.instant,
        });
        out.push(Effect::Media(MediaWish::Share(Some(request))));
        if self.locked {
            out.push(Effect::Media(MediaWish::SharePause(true)));
        }
        out.dirty(Part::Share);
    }

    /// A person stops sharing.
    pub(crate) fn stop(&mut self, out: &mut Out) {
        if self.ours.chosen().is_some() {
            self.withdraw(out);
            out.tell(ClientEvent::ShareStopped { code: None });
        }
    }

    /// The screen first, then the server.
    fn withdraw(&mut self, out: &mut Out) {
        let before = std::mem::take(&mut self.ours);
        if before.chosen().is_none() {
            return;
        }
        out.push(Effect::Media(MediaWish::Share(None)));
        if let (Some(call), Ours::Asking(_) | Ours::On(_)) = (self.call, &before) {
            let intent = CallIntent::Share(None);
            out.push(Effect::Call(call, CallWish::Apply(intent)));
        }
        out.dirty(Part::Share);
    }

    pub(crate) fn set_motion(&mut self, motion: bool, out: &mut Out) {
        if let Some(chosen) = self.ours.chosen_mut() {
            chosen.motion = motion;
            out.push(Effect::Media(MediaWish::ShareMotion(motion)));
            out.dirty(Part::Share);
        }
    }

    pub(crate) fn pause(&mut self, paused: bool, out: &mut Out) {
        if let Some(chosen) = self.ours.chosen_mut() {
            chosen.paused = paused;
            out.push(Effect::Media(MediaWish::SharePause(paused || self.locked)));
            out.dirty(Part::Share);
        }
    }

    /// The machine was locked or unlocked. The lock screen is nobody's business, and neither is what a person would
    /// have seen on their own screen while away: the picture is held, and goes on as it was.
    pub(crate) fn set_locked(&mut self, locked: bool, out: &mut Out) {
        if std::mem::replace(&mut self.locked, locked) == locked {
            return;
        }
        if let Some(chosen) = self.ours.chosen() {
            let held = chosen.paused || locked;
            out.push(Effect::Media(MediaWish::SharePause(held)));
            out.dirty(Part::Share);
        }
    }

    /// How loud the sound of the shared screen is heard. It holds until somebody else presents.
    pub(crate) fn set_volume(&mut self, percent: u16, out: &mut Out) {
        self.volume = Volume(percent.min(200));
        if let Some(session) = self.presenter.clone() {
            let wish = MediaWish::ShareVolume(session, self.volume.0);
            out.push(Effect::Media(wish));
        }
        out.dirty(Part::Share);
    }

    /// Whether this machine's sound can go along.
    pub(crate) fn sound_possible(&mut self, possible: bool, out: &mut Out) {
        self.sound_possible = possible;
        if let Some(picker) = &mut self.picker {
            picker.sound = possible;
            out.dirty(Part::Share);
        }
    }

    /// Our share goes on without its sound.
    pub(crate) fn silent(&mut self, now: Now, out: &mut Out) {
        if let Some(chosen) = self.ours.chosen_mut().filter(|chosen| chosen.sound) {
            chosen.sound = false;
            out.notices.raise(now.instant, Draft::new("share.silent"));
            out.dirty(Part::Share);
        }
    }

    /// A whole screen of this machine is being shown to others: what pops up on it is shown to them, too.
    pub(crate) fn shows_everything(&self) -> bool {
        self.ours
            .chosen()
            .is_some_and(|chosen| !chosen.source.as_str().starts_with("window:"))
    }

    /// The sources that were asked for.
    pub(crate) fn listed(&mut self, found: Result<Vec<ShareSource>, ShareProblem>, out: &mut Out) {
        if let Some(picker) = &mut self.picker {
            picker.loading = false;
            match found {
                Ok(sources) => {
                    picker.sources = sources;
                    picker.problem = None;
                }
                Err(problem) => {
                    picker.sources.clear();
                    picker.problem = Some(code_of(problem).to_owned());
                }
            }
            out.dirty(Part::Share);
        }
    }

    /// What is to be shared is open.
    pub(crate) fn opened(&mut self, width: u32, height: u32, out: &mut Out) {
        let (Some(call), Ours::Opening(chosen)) = (self.call, &mut self.ours) else {
            return;
        };
        (chosen.width, chosen.height) = (width, height);
        self.last += 1;
        let ticket = ShareTicket {
            number: self.last,
            sound: chosen.sound,
        };
        self.ours = Ours::Asking(chosen.clone());
        let intent = CallIntent::Share(Some(ticket));
        out.push(Effect::Call(call, CallWish::Apply(intent)));
    }

    /// The share could not begin, or ended by itself.
    pub(crate) fn closed(&mut self, now: Now, problem: ShareProblem, out: &mut Out) {
        // The person, or the system, may think better of it.
        self.fail(now, code_of(problem), true, out);
    }

    /// Our share is over; `again` offers to begin the same anew.
    fn fail(&mut self, now: Now, code: &'static str, again: bool, out: &mut Out) {
        let Some(chosen) = self.ours.chosen().cloned() else {
            return;
        };
        self.withdraw(out);
        let mut notice = Draft::new(code);
        if again {
            notice = notice.retry(Command::StartShare {
                source: chosen.source,
                motion: chosen.motion,
                sound: chosen.sound,
            });
        }
        out.notices.raise(now.instant, notice);
        out.tell(ClientEvent::ShareStopped {
            code: Some(code.to_owned()),
        });
    }

    /// What the call tells, as far as screens are concerned.
    pub(crate) fn hear(&mut self, now: Now, number: CallNumber, event: &CallEvent, out: &mut Out) {
        if self.call != Some(number) {
            return;
        }
        match event {
            CallEvent::Accepted(session) => {
                let again = self.session.replace(session.clone()).is_some();
                // Joined anew after a loss: nobody's screen goes on being shown without their knowing
                // (calls-v1-signaling C2).
                if again {
                    self.fail(now, "share.lost", true, out);
                }
            }
            CallEvent::Sharing(session) => self.presents(now, session.clone(), out),
            CallEvent::State(state) => self.presents(now, state.sharing.clone(), out),
            CallEvent::Left(session) if self.presenter.as_ref() == Some(session) => {
                self.presents(now, None, out);
            }
            CallEvent::ShareReady => {
                if let Ours::Asking(chosen) = &self.ours {
                    let chosen = chosen.clone();
                    out.tell(ClientEvent::ShareStarted {
                        source: chosen.source.clone(),
                        width: chosen.width,
                        height: chosen.height,
                        after: now.instant.saturating_duration_since(chosen.asked_at),
                    });
                    self.ours = Ours::On(chosen);
                    out.dirty(Part::Share);
                }
            }
            CallEvent::ShareRefused => self.fail(now, "share.refused", false, out),
            CallEvent::ShareEnded => self.fail(now, "share.ended", false, out),
            CallEvent::StopShareRequested => self.fail(now, "share.stopped_by", false, out),
            CallEvent::ShareSilent => self.silent(now, out),
            CallEvent::SharedSound(session, on) => {
                if *on {
                    self.sounding = Some(session.clone());
                } else if self.sounding.as_ref() == Some(session) {
                    self.sounding = None;
                }
                out.dirty(Part::Share);
            }
            _ => {}
        }
    }

    fn presents(&mut self, _now: Now, presenter: Option<SessionId>, out: &mut Out) {
        if self.presenter == presenter {
            return;
        }
        let before = std::mem::replace(&mut self.presenter, presenter.clone());
        if let Some(session) = before.clone().filter(|_| self.volume.0 != 100) {
            // What was too loud, or too soft, is over.
            self.volume = Volume::default();
            let wish = MediaWish::ShareVolume(session, self.volume.0);
            out.push(Effect::Media(wish));
        }
        if let Some(session) = before {
            out.tell(ClientEvent::Presenter { session, on: false });
        }
        if let Some(session) = presenter {
            out.tell(ClientEvent::Presenter { session, on: true });
        }
        if self.somebody_else() && self.picker.is_some() {
            self.picker = None;
        }
        out.dirty(Part::Share);
    }

    /// The call that we are in now: another one, or none, ends everything here.
    pub(crate) fn follow(&mut self, call: Option<CallNumber>, out: &mut Out) {
        if self.call == call {
            return;
        }
        self.stop(out);
        let (last, locked, sound_possible) = (self.last, self.locked, self.sound_possible);
        *self = Self {
            call,
            last,
            locked,
            sound_possible,
            ..Self::default()
        };
        out.dirty(Part::Share);
    }
}

/// Notices about a share that did not begin or go on.
const PROBLEMS: [&str; 12] = [
    "share.silent",
    "share.gone",
    "share.denied",
    "share.cancelled",
    "share.no_portal",
    "share.no_pipewire",
    "share.unsupported",
    "share.failed",
    "share.refused",
    "share.ended",
    "share.lost",
    "share.stopped_by",
];

fn code_of(problem: ShareProblem) -> &'static str {
    match problem {
        ShareProblem::Gone => "share.gone",
        ShareProblem::Denied => "share.denied",
        ShareProblem::Cancelled => "share.cancelled",
        ShareProblem::NoPortal => "share.no_portal",
        ShareProblem::NoPipeWire => "share.no_pipewire",
        ShareProblem::Unsupported => "share.unsupported",
        ShareProblem::Failed => "share.failed",
    }
}
