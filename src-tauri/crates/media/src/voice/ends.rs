//! One device end: which device it should be on, opening it, falling back when it fails, returning when the chosen
//! one is back. Pure but for the opening itself, which is a closure.

use std::time::{Duration, Instant};

use calls_core::command::DeviceRole;
use calls_core::id::DeviceId;
use calls_core::port::media::{DeviceProblem, MediaEvent};
use calls_core::snapshot::DeviceRow;

use crate::device::{Devices, Fault};
use crate::error::MediaError;

/// A device that failed is left alone for so long at first…
const REST: Duration = Duration::from_secs(1);
/// …and at most for so long.
const LONGEST_REST: Duration = Duration::from_secs(8);
/// A device that moves nothing for so long is broken, whatever it says.
const STALL: Duration = Duration::from_secs(1);
/// One that was just opened may hold its breath for longer: PulseAudio's virtual ones finish the block that they have
/// begun, and that may be two seconds.
const FIRST_BREATH: Duration = Duration::from_millis(2_500);
/// Moved sound for so long: the device is trusted again.
const TRUST: Duration = Duration::from_secs(3);

/// One end. `P` is the open device.
#[derive(Debug)]
pub struct End<P> {
    role: DeviceRole,
    chosen: Option<DeviceId>,
    open: Option<Open<P>>,
    /// Devices that failed, and until when they rest.
    resting: Vec<Resting>,
    /// The chosen device was in use and went away.
    awaited: bool,
    /// Name of the device that was in use when sound stopped.
    lost: Option<String>,
    said: Said,
}

#[derive(Debug)]
struct Open<P> {
    row: DeviceRow,
    port: P,
    since: Instant,
    moved: Instant,
}

#[derive(Debug)]
struct Resting {
    id: DeviceId,
    until: Instant,
    rest: Duration,
    problem: DeviceProblem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Ready,
    Unavailable(DeviceProblem),
}

impl<P> End<P> {
    /// A closed end.
    #[must_use]
    pub fn new(role: DeviceRole, chosen: Option<DeviceId>) -> Self {
        Self {
            role,
            chosen,
            open: None,
            resting: Vec::new(),
            awaited: false,
            lost: None,
            said: Said::Nothing,
        }
    }

    /// The open device.
    pub fn port(&mut self) -> Option<&mut P> {
        self.open.as_mut().map(|open| &mut open.port)
    }

    /// True if a device is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Another device is wished; `None` follows the system.
    pub fn choose(&mut self, device: Option<DeviceId>) {
        if self.chosen != device {
            self.chosen = device;
            self.awaited = false;
            // A fresh wish deserves a fresh try.
            self.resting.clear();
        }
    }

    /// The open device moved sound.
    pub fn moved(&mut self, now: Instant) {
        if let Some(open) = &mut self.open {
            open.moved = now;
            if now.duration_since(open.since) > TRUST {
                self.resting.retain(|resting| resting.id != open.row.id);
            }
        }
    }

    /// Closes the device.
    pub fn close(&mut self) {
        self.open = None;
        self.said = Said::Nothing;
        self.lost = None;
        self.resting.clear();
    }

    /// Looks at the open device and at the list, and does what is needed. True if the device changed.
    pub fn update(
        &mut self,
        now: Instant,
        devices: &Devices,
        fault: impl FnOnce(&P) -> Option<Fault>,
        mut open: impl FnMut(&DeviceId) -> Result<P, MediaError>,
        tell: &mut dyn FnMut(MediaEvent),
    ) -> bool {
        self.look_for_faults(now, devices, fault);
        let mut changed = false;
        loop {
            let wanted = self.wanted(now, devices).cloned();
            if let (Some(open), Some(wanted)) = (&self.open, &wanted)
                && open.row.id == wanted.id
            {
                break;
            }
            if self.open.take().is_some() {
                changed = true;
            }
            let Some(row) = wanted else {
                self.say_unavailable(now, devices, tell);
                break;
            };
            match open(&row.id) {
                Ok(port) => {
                    changed = true;
                    self.open = Some(Open {
                        row: row.clone(),
                        port,
                        since: now,
                        moved: now,
                    });
                    self.say_open(&row, tell);
                    break;
                }
                Err(error) => {
                    tracing::warn!(role = ?self.role, device = %row.name, %error, "cannot open a sound device");
                    self.rest(row.id.clone(), now, error.problem());
                }
            }
        }
        changed
    }

    fn look_for_faults(
        &mut self,
        now: Instant,
        devices: &Devices,
        fault: impl FnOnce(&P) -> Option<Fault>,
    ) {
        let Some(open) = &self.open else { return };
        let gone = devices.find(self.role, &open.row.id).is_none();
        let fault = fault(&open.port);
        let stalled =
            now.duration_since(open.moved) > STALL && now.duration_since(open.since) > FIRST_BREATH;
        if !(gone || fault.is_some() || stalled) {
            return;
        }
        let Some(open) = self.open.take() else { return };
        tracing::warn!(role = ?self.role, device = %open.row.name, gone, ?fault, stalled, "a sound device stopped");
        if !gone {
            // A device that wants to be reopened gets its chance at once, a second one only after a rest.
            let again = fault == Some(Fault::Reopen) || stalled;
            let known = self.resting.iter().any(|resting| resting.id == open.row.id);
            self.rest(open.row.id.clone(), now, DeviceProblem::Busy);
            if again
                && !known
                && let Some(resting) = self.resting.iter_mut().find(|r| r.id == open.row.id)
            {
                resting.until = now;
            }
        }
        if self.chosen.as_ref() == Some(&open.row.id) {
            self.awaited = true;
        }
        self.lost = Some(open.row.name);
    }

    /// The device to be on: the chosen one, else the system's default, else any; never one that rests.
    fn wanted<'a>(&self, now: Instant, devices: &'a Devices) -> Option<&'a DeviceRow> {
        let rested = |row: &&DeviceRow| {
            !self
                .resting
                .iter()
                .any(|resting| resting.id == row.id && resting.until > now)
        };
        self.chosen
            .as_ref()
            .and_then(|id| devices.find(self.role, id))
            .filter(rested)
            .or_else(|| devices.default_of(self.role).filter(rested))
            .or_else(|| devices.of(self.role).find(rested))
    }

    fn rest(&mut self, id: DeviceId, now: Instant, problem: DeviceProblem) {
        let at = self.resting.iter().position(|resting| resting.id == id);
        let rest = at.map_or(REST, |at| {
            (self.resting.swap_remove(at).rest * 2).min(LONGEST_REST)
        });
        // Devices come and go; forget those that have long rested.
        self.resting
            .retain(|resting| resting.until + LONGEST_REST * 4 > now);
        self.resting.push(Resting {
            id,
            until: now + rest,
            rest,
            problem,
        });
    }

    fn say_open(&mut self, row: &DeviceRow, tell: &mut dyn FnMut(MediaEvent)) {
        let is_chosen = self.chosen.as_ref() == Some(&row.id);
        let role = self.role;
        let lost = self.lost.take();
        if is_chosen && self.awaited {
            self.awaited = false;
            // Reopened at once: nobody noticed.
            if lost.as_ref() != Some(&row.name) {
                tell(MediaEvent::DeviceBack {
                    role,
                    name: row.name.clone(),
                });
            }
        } else if let Some(name) = lost
            && name != row.name
            && self.said == Said::Ready
        {
            tell(MediaEvent::DeviceLost {
                role,
                name,
                now: Some(row.name.clone()),
            });
        }
        if self.said != Said::Ready {
            self.said = Said::Ready;
            tell(MediaEvent::Ready(role));
        }
    }

    fn say_unavailable(
        &mut self,
        now: Instant,
        devices: &Devices,
        tell: &mut dyn FnMut(MediaEvent),
    ) {
        let role = self.role;
        if let Some(name) = self.lost.take()
            && self.said == Said::Ready
        {
            tell(MediaEvent::DeviceLost {
                role,
                name,
                now: None,
            });
        }
        // What stands in the way of the device that is wished most.
        let first = self
            .chosen
            .as_ref()
            .and_then(|id| devices.find(role, id))
            .or_else(|| devices.default_of(role));
        let problem = first.map_or(DeviceProblem::Missing, |row| {
            self.resting
                .iter()
                .find(|resting| resting.id == row.id && resting.until > now)
                .map_or(DeviceProblem::Busy, |resting| resting.problem)
        });
        if self.said != Said::Unavailable(problem) {
            self.said = Said::Unavailable(problem);
            tell(MediaEvent::Unavailable(role, problem));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device that refuses, and how.
    type Refusal = (&'static str, fn() -> MediaError);

    struct Rig {
        end: End<String>,
        devices: Devices,
        now: Instant,
        broken: Vec<Refusal>,
        fault: Option<Fault>,
    }

    impl Rig {
        fn new(chosen: Option<&str>, devices: &[(&str, bool)]) -> Self {
            let mut rig = Self {
                end: End::new(DeviceRole::Output, chosen.map(DeviceId::from)),
                devices: Devices::default(),
                now: Instant::now(),
                broken: Vec::new(),
                fault: None,
            };
            rig.list(devices);
            rig
        }

        fn list(&mut self, devices: &[(&str, bool)]) {
            self.devices.rows = devices
                .iter()
                .map(|(id, is_default)| DeviceRow {
                    id: (*id).into(),
                    name: (*id).to_owned(),
                    role: DeviceRole::Output,
                    is_default: *is_default,
                })
                .collect();
        }

        fn update(&mut self) -> Vec<MediaEvent> {
            let mut events = Vec::new();
            let broken = self.broken.clone();
            let fault = self.fault.take();
            self.end.update(
                self.now,
                &self.devices,
                |_| fault,
                |id| match broken.iter().find(|(name, _)| *name == id.as_str()) {
                    Some((_, error)) => Err(error()),
                    None => Ok(id.as_str().to_owned()),
                },
                &mut |event| events.push(event),
            );
            events
        }

        fn pass(&mut self, ms: u64) {
            self.now += Duration::from_millis(ms);
        }

        fn on(&mut self) -> Option<String> {
            self.end.port().cloned()
        }
    }

    const ROLE: DeviceRole = DeviceRole::Output;

    #[test]
    fn the_chosen_device_is_left_when_it_vanishes_and_used_again_when_it_is_back() {
        let both = [("a", true), ("b", false)];
        let mut rig = Rig::new(Some("b"), &both);
        assert_eq!(rig.update(), [MediaEvent::Ready(ROLE)]);
        assert_eq!(rig.on().unwrap(), "b");
        rig.list(&both[..1]);
        assert_eq!(
            rig.update(),
            [MediaEvent::DeviceLost {
                role: ROLE,
                name: "b".into(),
                now: Some("a".into())
            }]
        );
        assert_eq!(rig.on().unwrap(), "a");
        rig.list(&both);
        assert_eq!(
            rig.update(),
            [MediaEvent::DeviceBack {
                role: ROLE,
                name: "b".into()
            }]
        );
        assert_eq!(rig.on().unwrap(), "b");
    }

    #[test]
    fn without_a_choice_the_systems_default_is_followed_silently() {
        let mut rig = Rig::new(None, &[("a", true), ("b", false)]);
        rig.update();
        rig.list(&[("a", false), ("b", true)]);
        assert_eq!(rig.update(), []);
        assert_eq!(rig.on().unwrap(), "b");
    }

    #[test]
    fn no_device_at_all_is_said_once_and_its_arrival_too() {
        let mut rig = Rig::new(None, &[]);
        assert_eq!(
            rig.update(),
            [MediaEvent::Unavailable(ROLE, DeviceProblem::Missing)]
        );
        for _ in 0..10 {
            rig.pass(1_000);
            assert_eq!(rig.update(), []);
        }
        rig.list(&[("a", true)]);
        assert_eq!(rig.update(), [MediaEvent::Ready(ROLE)]);
    }

    #[test]
    fn the_only_device_vanishing_is_a_loss_without_replacement() {
        let mut rig = Rig::new(None, &[("a", true)]);
        rig.update();
        rig.list(&[]);
        assert_eq!(
            rig.update(),
            [
                MediaEvent::DeviceLost {
                    role: ROLE,
                    name: "a".into(),
                    now: None
                },
                MediaEvent::Unavailable(ROLE, DeviceProblem::Missing)
            ]
        );
        rig.list(&[("a", true)]);
        assert_eq!(rig.update(), [MediaEvent::Ready(ROLE)]);
    }

    #[test]
    fn a_refusing_device_is_passed_over_and_tried_again_later() {
        let mut rig = Rig::new(Some("b"), &[("a", true), ("b", false)]);
        rig.broken = vec![("b", || MediaError::Busy(None))];
        assert_eq!(rig.update(), [MediaEvent::Ready(ROLE)]);
        assert_eq!(rig.on().unwrap(), "a");
        rig.broken.clear();
        rig.pass(500);
        rig.end.moved(rig.now);
        rig.update();
        assert_eq!(rig.on().unwrap(), "a");
        rig.pass(600);
        rig.end.moved(rig.now);
        rig.update();
        assert_eq!(rig.on().unwrap(), "b");
    }

    #[test]
    fn a_forbidden_device_is_said_to_be_forbidden_once() {
        let mut rig = Rig::new(None, &[("a", true)]);
        rig.broken = vec![("a", || MediaError::Denied)];
        let mut said = Vec::new();
        for _ in 0..60 {
            said.extend(rig.update());
            rig.pass(500);
        }
        assert_eq!(said, [MediaEvent::Unavailable(ROLE, DeviceProblem::Denied)]);
    }

    #[test]
    fn a_device_that_moves_nothing_is_reopened_and_then_left() {
        let mut rig = Rig::new(None, &[("a", true), ("b", false)]);
        rig.update();
        rig.pass(2_600);
        assert_eq!(rig.update(), [], "reopened at once, silently");
        assert_eq!(rig.on().unwrap(), "a");
        rig.pass(2_600);
        assert_eq!(
            rig.update(),
            [MediaEvent::DeviceLost {
                role: ROLE,
                name: "a".into(),
                now: Some("b".into())
            }]
        );
        assert_eq!(rig.on().unwrap(), "b");
    }

    #[test]
    fn a_fault_reopens_the_same_device() {
        let mut rig = Rig::new(Some("a"), &[("a", true)]);
        rig.update();
        rig.fault = Some(Fault::Reopen);
        assert_eq!(rig.update(), []);
        assert_eq!(rig.on().unwrap(), "a");
    }
}
