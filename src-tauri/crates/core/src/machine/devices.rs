//! Sound devices: which there are, which was chosen, whether they work, and when they are open.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::command::{Command, DeviceRole};
use crate::effect::{Effect, MediaWish, Remember, TrialStep};
use crate::id::DeviceId;
use crate::port::media::DeviceProblem;
use crate::snapshot::{DeviceRow, Devices as Slice, Sound, Trial};

use super::notices::Draft;
use super::out::{Out, Part};

/// How long the loudspeaker stays open for its test: the melody (1.2 s), the opening of a slow device before it, and
/// what devices still hold at its end.
const TEST: Duration = Duration::from_secs(4);

/// Longest sound files: 29 MB each. Nobody shall find a full disk because of a forgotten switch.
const LONGEST_DUMP: Duration = Duration::from_secs(300);

/// How long one is recorded to hear oneself. A microphone that opens slowly takes a part of it.
const RECORDED: Duration = Duration::from_secs(5);

/// How long that is played, with the opening of the loudspeaker and what it still holds at the end.
const PLAYED: Duration = Duration::from_secs(6);

/// The part of the machine that knows the devices.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    slice: Slice,
    watching: bool,
    running: (bool, bool),
    /// The sound files are written.
    dumping_until: Option<Instant>,
    /// The loudspeaker is being tested.
    testing_until: Option<Instant>,
    /// The trial goes on to its next step.
    trial_until: Option<Instant>,
    input: End,
    /// What the chosen devices call themselves.
    names: BTreeMap<DeviceRole, String>,
}

/// Whether an end works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// Closed, or being opened.
    #[default]
    Unknown,
    Ready,
    Problem(DeviceProblem),
}

impl Devices {
    pub(crate) fn slice(&self) -> &Slice {
        &self.slice
    }

    /// The microphone cannot be used.
    pub(crate) fn microphone_fails(&self) -> bool {
        matches!(self.input, End::Problem(_))
    }

    /// The microphone delivers sound.
    pub(crate) fn microphone_works(&self) -> bool {
        self.input == End::Ready
    }

    pub(crate) fn remembered(
        &mut self,
        input: Option<DeviceId>,
        output: Option<DeviceId>,
        names: BTreeMap<DeviceRole, String>,
        sound: Sound,
        out: &mut Out,
    ) {
        self.slice.sound = sound.bounded();
        self.slice.input = input;
        self.slice.output = output;
        self.names = names;
        out.dirty(Part::Devices);
    }

    pub(crate) fn listed(&mut self, rows: Vec<DeviceRow>, out: &mut Out) {
        (self.slice.inputs, self.slice.outputs) = rows
            .into_iter()
            .partition(|row| row.role == DeviceRole::Input);
        for role in [DeviceRole::Input, DeviceRole::Output] {
            self.recognise(role, out);
        }
        out.dirty(Part::Devices);
    }

    /// A chosen device that has another identity now, because it was plugged in elsewhere or the system was set up anew,
    /// is known by its name, if only one device has that.
    fn recognise(&mut self, role: DeviceRole, out: &mut Out) {
        let (rows, chosen) = match role {
            DeviceRole::Input => (&self.slice.inputs, &self.slice.input),
            DeviceRole::Output => (&self.slice.outputs, &self.slice.output),
        };
        let Some(chosen) = chosen else {
            return;
        };
        if let Some(row) = rows.iter().find(|row| row.id == *chosen) {
            let name = row.name.clone();
            if self.names.get(&role) != Some(&name) {
                self.names.insert(role, name.clone());
                out.push(Effect::Remember(Remember::DeviceName(role, Some(name))));
            }
            return;
        }
        let Some(name) = self.names.get(&role) else {
            return;
        };
        let mut alike = rows.iter().filter(|row| row.name == *name);
        if let (Some(row), None) = (alike.next(), alike.next()) {
            let device = Some(row.id.clone());
            self.choose(role, device, out);
        }
    }

    pub(crate) fn choose(&mut self, role: DeviceRole, device: Option<DeviceId>, out: &mut Out) {
        let chosen = match role {
            DeviceRole::Input => &mut self.slice.input,
            DeviceRole::Output => &mut self.slice.output,
        };
        if *chosen == device {
            return;
        }
        chosen.clone_from(&device);
        out.push(Effect::Media(MediaWish::Choose(role, device.clone())));
        out.push(Effect::Remember(Remember::Device(role, device)));
        if self.names.remove(&role).is_some() {
            out.push(Effect::Remember(Remember::DeviceName(role, None)));
        }
        self.recognise(role, out);
        out.dirty(Part::Devices);
    }

    pub(crate) fn set_sound(&mut self, sound: Sound, out: &mut Out) {
        let sound = sound.bounded();
        if self.slice.sound != sound {
            self.slice.sound = sound;
            out.push(Effect::Media(MediaWish::Sound(sound)));
            out.push(Effect::Remember(Remember::Sound(sound)));
            out.dirty(Part::Devices);
        }
    }

    pub(crate) fn deafen(&mut self, deafened: bool, out: &mut Out) {
        if self.slice.deafened != deafened {
            self.slice.deafened = deafened;
            out.push(Effect::Media(MediaWish::Deafen(deafened)));
            out.dirty(Part::Devices);
        }
    }

    /// The melody needs an open loudspeaker; it is closed again when nobody needs it.
    pub(crate) fn test(&mut self, now: Instant, out: &mut Out) {
        self.testing_until = Some(now + TEST);
        out.push(Effect::Media(MediaWish::TestTone));
    }

    /// Records the person for themselves; a call ends that, and a person may.
    pub(crate) fn hear(&mut self, now: Instant, on: bool, out: &mut Out) {
        let next = on.then_some(Trial::Recording);
        if next != self.slice.trial {
            self.try_out(now, next, out);
        }
    }

    fn try_out(&mut self, now: Instant, next: Option<Trial>, out: &mut Out) {
        let (step, lasts) = match next {
            Some(Trial::Recording) => (TrialStep::Record, Some(RECORDED)),
            Some(Trial::Playing) => (TrialStep::Play, Some(PLAYED)),
            None => (TrialStep::End, None),
        };
        self.slice.trial = next;
        self.trial_until = lasts.map(|lasts| now + lasts);
        out.push(Effect::Media(MediaWish::Trial(step)));
        out.dirty(Part::Devices);
    }

    /// Writes the three sound files, or ends that.
    pub(crate) fn dump(&mut self, now: Instant, on: bool, out: &mut Out) {
        self.dumping_until = on.then_some(now + LONGEST_DUMP);
        if self.slice.dumping != on {
            self.slice.dumping = on;
            out.push(Effect::Media(MediaWish::Dump(on)));
            out.dirty(Part::Devices);
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.testing_until
            .into_iter()
            .chain(self.dumping_until)
            .chain(self.trial_until)
            .min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        if self.dumping_until.is_some_and(|until| until <= now) {
            self.dump(now, false, out);
        }
        if self.testing_until.is_some_and(|until| until <= now) {
            self.testing_until = None;
        }
        if self.trial_until.is_some_and(|until| until <= now) {
            let recorded = self.slice.trial == Some(Trial::Recording);
            self.try_out(now, recorded.then_some(Trial::Playing), out);
        }
    }

    /// The device menu is open, or closed.
    pub(crate) fn watch(&mut self, on: bool) {
        self.watching = on;
    }

    /// Opens and closes the ends as they are needed.
    /// `hears`: a call needs the loudspeaker; `talks`: and the microphone.
    pub(crate) fn run(&mut self, now: Instant, (hears, talks): (bool, bool), out: &mut Out) {
        if hears {
            self.hear(now, false, out);
        }
        let trial = self.slice.trial;
        let wanted = (
            talks || self.watching || trial == Some(Trial::Recording),
            hears || self.testing_until.is_some() || trial == Some(Trial::Playing),
        );
        if wanted == self.running {
            return;
        }
        self.running = wanted;
        if !wanted.0 {
            self.input = End::Unknown;
            for code in ["mic.none", "mic.denied", "mic.busy"] {
                out.notices.solve(code);
            }
        }
        if !wanted.1 {
            for code in ["speaker.none", "speaker.denied", "speaker.busy"] {
                out.notices.solve(code);
            }
        }
        out.push(Effect::Media(MediaWish::Run {
            input: wanted.0,
            output: wanted.1,
        }));
    }

    /// Asks for the microphone once more: a person wants to talk (calls-v1-rest §10.2).
    pub(crate) fn reopen_microphone(&mut self, out: &mut Out) {
        let (input, output) = self.running;
        if input {
            for input in [false, true] {
                out.push(Effect::Media(MediaWish::Run { input, output }));
            }
        }
    }

    pub(crate) fn ready(&mut self, role: DeviceRole, out: &mut Out) {
        if role == DeviceRole::Input {
            self.input = End::Ready;
        }
        for code in problems(role) {
            out.notices.solve(code);
        }
    }

    /// `alone`: the person has no microphone, and knows.
    pub(crate) fn unavailable(
        &mut self,
        now: Instant,
        role: DeviceRole,
        problem: DeviceProblem,
        alone: bool,
        out: &mut Out,
    ) {
        if role == DeviceRole::Input {
            self.input = End::Problem(problem);
        }
        let [none, denied, busy] = problems(role);
        let code = match problem {
            DeviceProblem::Missing => none,
            DeviceProblem::Denied => denied,
            DeviceProblem::Busy => busy,
        };
        for other in problems(role) {
            if other != code {
                out.notices.solve(other);
            }
        }
        if alone && code == "mic.none" {
            return;
        }
        if !out.notices.shows(code) {
            let draft = match code {
                "mic.none" => Draft::new(code).retry(Command::ForgoMicrophone),
                _ => Draft::new(code),
            };
            out.notices.raise(now, draft);
        }
    }

    pub(crate) fn lost(
        &mut self,
        now: Instant,
        role: DeviceRole,
        name: &str,
        other: Option<&str>,
        alone: bool,
        out: &mut Out,
    ) {
        let code = match role {
            DeviceRole::Input => "mic.changed",
            DeviceRole::Output => "speaker.changed",
        };
        match other {
            Some(other) => out.notices.raise(
                now,
                Draft::new(code).value("device", name).value("other", other),
            ),
            None => self.unavailable(now, role, DeviceProblem::Missing, alone, out),
        }
    }

    pub(crate) fn back(&mut self, now: Instant, role: DeviceRole, name: &str, out: &mut Out) {
        out.notices.solve(match role {
            DeviceRole::Input => "mic.changed",
            DeviceRole::Output => "speaker.changed",
        });
        self.ready(role, out);
        out.notices
            .raise(now, Draft::new("device.back").value("device", name));
    }
}

/// The notices for an end that does not work: missing, denied, busy.
fn problems(role: DeviceRole) -> [&'static str; 3] {
    match role {
        DeviceRole::Input => ["mic.none", "mic.denied", "mic.busy"],
        DeviceRole::Output => ["speaker.none", "speaker.denied", "speaker.busy"],
    }
}
