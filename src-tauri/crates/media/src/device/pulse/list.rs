//! Which devices there are, kept by a thread that the server tells of every change.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use calls_core::command::DeviceRole;
use calls_core::id::DeviceId;
use calls_core::snapshot::DeviceRow;
use libpulse_binding::callbacks::ListResult;
use libpulse_binding::context::subscribe::InterestMaskSet;

use super::{HOST, Link, PATIENCE};
use crate::device::{Devices, NAME};
use crate::error::MediaError;

/// A server that is not there is looked for so often.
const RETRY: Duration = Duration::from_secs(3);
/// The watch looks so often whether it is still wanted.
const TURN: Duration = Duration::from_secs(1);

/// The list of devices, up to date.
pub(in crate::device) struct Watch {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    told: Condvar,
    stopped: AtomicBool,
}

#[derive(Default)]
enum Seen {
    /// The first attempt has not ended.
    #[default]
    Trying,
    /// There is no server.
    Absent,
    Present(Devices),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, seen: Seen) {
        *self.lock() = seen;
        self.told.notify_all();
    }
}

impl Watch {
    /// Starts watching.
    pub(in crate::device) fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let spawned = std::thread::Builder::new()
            .name("sound-devices".to_owned())
            .spawn(move || {
                while !theirs.stopped.load(Ordering::Acquire) {
                    if let Err(error) = watch(&theirs) {
                        tracing::debug!(%error, "no sound server");
                    }
                    theirs.tell(Seen::Absent);
                    std::thread::sleep(RETRY);
                }
            });
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread for the list of sound devices");
            shared.tell(Seen::Absent);
        }
        Self { shared }
    }

    /// The devices there are now, none if no sound server runs. Waits for the first answer only.
    pub(in crate::device) fn devices(&self) -> Option<Devices> {
        let seen = self.shared.lock();
        let (seen, _) = self
            .shared
            .told
            .wait_timeout_while(seen, 2 * PATIENCE, |seen| matches!(seen, Seen::Trying))
            .unwrap_or_else(PoisonError::into_inner);
        match &*seen {
            Seen::Trying | Seen::Absent => None,
            Seen::Present(devices) => Some(devices.clone()),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
    }
}

/// Until the server goes away or the watch is stopped.
fn watch(shared: &Shared) -> Result<(), MediaError> {
    let mut link = Link::open()?;
    let changed = Rc::new(Cell::new(true));
    let flag = Rc::clone(&changed);
    link.context
        .set_subscribe_callback(Some(Box::new(move |_, _, _| flag.set(true))));
    let wanted = InterestMaskSet::SINK | InterestMaskSet::SOURCE | InterestMaskSet::SERVER;
    let _subscribed = link.context.subscribe(wanted, |_| {});
    while link.is_up() && !shared.stopped.load(Ordering::Acquire) {
        if changed.take() {
            shared.tell(Seen::Present(list(&mut link)?));
        } else {
            link.turn(TURN)?;
        }
    }
    Ok(())
}

/// What the server has said of its list so far.
#[derive(Default)]
struct Found {
    rows: Vec<(String, DeviceRow)>,
    default_sink: Option<String>,
    default_source: Option<String>,
    answers: u8,
    failed: bool,
}

impl Found {
    fn add(&mut self, role: DeviceRole, name: &str, description: Option<&str>) {
        let row = DeviceRow {
            id: DeviceId::new(format!("{HOST}{name}")),
            name: description.unwrap_or(name).chars().take(NAME).collect(),
            role,
            is_default: false,
        };
        self.rows.push((name.to_owned(), row));
    }

    /// The answers may have come in any order: defaults are marked at the end.
    fn finish(self) -> Devices {
        let Self {
            rows,
            default_sink,
            default_source,
            ..
        } = self;
        let rows = rows.into_iter().map(|(name, mut row)| {
            let default = match row.role {
                DeviceRole::Input => &default_source,
                DeviceRole::Output => &default_sink,
            };
            row.is_default = default.as_ref() == Some(&name);
            row
        });
        Devices::told_apart(rows.collect())
    }
}

/// Asks for loudspeakers, microphones (without the outputs' monitors) and the defaults.
fn list(link: &mut Link) -> Result<Devices, MediaError> {
    let found = Rc::new(RefCell::new(Found::default()));
    let ask = link.context.introspect();
    let sinks = {
        let found = Rc::clone(&found);
        ask.get_sink_info_list(move |item| {
            let mut found = found.borrow_mut();
            match item {
                ListResult::Item(sink) => {
                    if let Some(name) = &sink.name {
                        found.add(DeviceRole::Output, name, sink.description.as_deref());
                    }
                }
                ListResult::End => found.answers += 1,
                ListResult::Error => found.failed = true,
            }
        })
    };
    let sources = {
        let found = Rc::clone(&found);
        ask.get_source_info_list(move |item| {
            let mut found = found.borrow_mut();
            match item {
                ListResult::Item(source) if source.monitor_of_sink.is_some() => {}
                ListResult::Item(source) => {
                    if let Some(name) = &source.name {
                        found.add(DeviceRole::Input, name, source.description.as_deref());
                    }
                }
                ListResult::End => found.answers += 1,
                ListResult::Error => found.failed = true,
            }
        })
    };
    let server = {
        let found = Rc::clone(&found);
        ask.get_server_info(move |server| {
            let mut found = found.borrow_mut();
            found.default_sink = server.default_sink_name.as_deref().map(str::to_owned);
            found.default_source = server.default_source_name.as_deref().map(str::to_owned);
            found.answers += 1;
        })
    };
    let end = Instant::now() + PATIENCE;
    while found.borrow().answers < 3 && !found.borrow().failed {
        if !link.is_up() || Instant::now() >= end {
            return Err(MediaError::Busy(None));
        }
        link.turn(PATIENCE)?;
    }
    // No answer comes any more, so that the closures, and with them their shares of `found`, may go.
    drop((sinks, sources, server));
    if found.borrow().failed {
        return Err(MediaError::Failed(None));
    }
    Ok(found.take().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_marked_in_their_role_whatever_came_first() {
        let found = Found {
            default_sink: Some("usb".to_owned()),
            default_source: Some("usb.monitor".to_owned()),
            ..Found::default()
        };
        let mut found = found;
        found.add(DeviceRole::Output, "usb", Some("Headset"));
        found.add(DeviceRole::Output, "pci", Some("Headset"));
        found.add(DeviceRole::Input, "usb", None);
        let rows = found.finish().rows;
        let said: Vec<_> = rows
            .iter()
            .map(|row| (row.id.as_str(), row.name.as_str(), row.is_default))
            .collect();
        assert_eq!(
            said,
            [
                ("pulseaudio:usb", "Headset", true),
                ("pulseaudio:pci", "Headset (2)", false),
                ("pulseaudio:usb", "usb", false),
            ]
        );
    }
}
