//! [`Studio`]: voice and screens, of which there is one each, lent to one client at a time.
//!
//! A client holds a [`Lease`]. What it wishes of sound and screens is done while the lease is its own, and else only
//! remembered, as far as it will matter when it gets the lease: which ends it wants open, its gate, whether it hears.
//! The devices of a client that lost the lease are closed, and opened anew for the next one if that wants them, so that
//! each learns of its own microphone and nobody's sound runs on into another's call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calls_core::effect::MediaWish;
use calls_core::input::Input;
use calls_core::port::media::MediaEvent;
use calls_media::{AudioHost, ScreenConfig, Screens, Voice, VoiceConfig};

use crate::ClientConfig;
use crate::conductor::Inbox;
use crate::perform::CallPort;

/// Voice and screens, and who has them.
pub(crate) struct Studio {
    voice: Arc<Voice>,
    screens: Arc<Screens>,
    /// Held while something is done, so that what one client wished comes before or after a lease is passed on, never
    /// astride. Never taken by who tells events, which the voice thread does.
    desk: Mutex<Desk>,
    ears: Arc<Mutex<Ears>>,
}

/// Who may do something.
#[derive(Default)]
struct Desk {
    holder: Option<u32>,
    /// The holder's call.
    port: Option<Arc<CallPort>>,
}

/// Who hears something.
#[derive(Default)]
struct Ears {
    holder: Option<u32>,
    last: u32,
    inboxes: Vec<(u32, Inbox)>,
    /// The devices there are, for clients that come later.
    devices: Option<MediaEvent>,
}

impl Ears {
    fn tell(&mut self, event: MediaEvent) {
        if matches!(event, MediaEvent::Devices(_)) {
            for (_, inbox) in &self.inboxes {
                inbox.send(Input::Media(event.clone()));
            }
            self.devices = Some(event);
        } else if let Some((_, inbox)) =
            self.inboxes.iter().find(|(id, _)| Some(*id) == self.holder)
        {
            inbox.send(Input::Media(event));
        }
    }
}

impl Studio {
    /// Starts the voice engine, as the first client wants it. No device is opened yet.
    pub(crate) fn open(config: &ClientConfig, audio: Arc<dyn AudioHost>) -> Self {
        let ears = Arc::new(Mutex::new(Ears::default()));
        let sink = |ears: &Arc<Mutex<Ears>>| {
            let ears = Arc::clone(ears);
            Arc::new(move |event| lock(&ears).tell(event))
        };
        let voice = Voice::start(
            Arc::clone(&audio),
            VoiceConfig {
                input: config.input.clone(),
                output: config.output.clone(),
                sound: config.sound,
                dumps: config.dumps.clone(),
            },
            sink(&ears),
        );
        let screens = Screens::new(
            Arc::clone(&config.screens.host),
            ScreenConfig {
                limits: config.screens.limits,
                save: config.screens.save.clone(),
                sound: Some(audio),
            },
            sink(&ears),
        );
        Self {
            voice: Arc::new(voice),
            screens: Arc::new(screens),
            desk: Mutex::default(),
            ears,
        }
    }

    pub(crate) fn screens(&self) -> &Arc<Screens> {
        &self.screens
    }

    fn perform(&self, wish: MediaWish) {
        match wish {
            MediaWish::Run { input, output } => self.voice.set_running(input, output),
            MediaWish::Gate(open) => self.voice.set_gate(open),
            MediaWish::Choose(role, device) => self.voice.choose(role, device),
            MediaWish::Volume(session, percent) => self.voice.set_volume(&session, percent),
            MediaWish::ShareVolume(session, percent) => {
                self.voice.set_share_volume(&session, percent);
            }
            MediaWish::Sound(sound) => self.voice.set_sound(sound),
            MediaWish::Deafen(deafened) => self.voice.set_deafened(deafened),
            MediaWish::TestTone => self.voice.play_test_tone(),
            MediaWish::Trial(step) => self.voice.try_out(step),
            MediaWish::Dump(on) => self.voice.dump(on),
            MediaWish::ListScreens => self.screens.list(),
            MediaWish::Share(request) => self.screens.share(request),
            MediaWish::ShareMotion(motion) => self.screens.set_motion(motion),
            MediaWish::SharePause(paused) => self.screens.pause(paused),
        }
    }
}

/// A client's right to sound and screens, while it is its own.
pub(crate) struct Lease {
    studio: Arc<Studio>,
    id: u32,
    wishes: Mutex<Wishes>,
}

/// The first client's number.
const FIRST: u32 = 1;

/// What a client wants of the engine whenever it has it.
#[derive(Clone, Copy, Debug, Default)]
struct Wishes {
    input: bool,
    output: bool,
    gate: bool,
    deafened: bool,
}

impl Lease {
    /// A lease for one client more; the first one's is its own at once.
    pub(crate) fn new(studio: Arc<Studio>, inbox: Inbox) -> Self {
        let id = {
            let mut ears = lock(&studio.ears);
            ears.last += 1;
            if let Some(devices) = ears.devices.clone() {
                inbox.send(Input::Media(devices));
            }
            let id = ears.last;
            ears.inboxes.push((id, inbox));
            id
        };
        let lease = Self {
            studio,
            id,
            wishes: Mutex::default(),
        };
        if id == FIRST {
            lease.take(None);
        }
        lease
    }

    pub(crate) fn voice(&self) -> &Arc<Voice> {
        &self.studio.voice
    }

    pub(crate) fn screens(&self) -> &Arc<Screens> {
        &self.studio.screens
    }

    /// Does what is wished, or keeps it in mind.
    pub(crate) fn perform(&self, wish: MediaWish) {
        let desk = lock(&self.studio.desk);
        {
            let mut wishes = lock(&self.wishes);
            match wish {
                MediaWish::Run { input, output } => {
                    (wishes.input, wishes.output) = (input, output);
                }
                MediaWish::Gate(open) => wishes.gate = open,
                MediaWish::Deafen(deafened) => wishes.deafened = deafened,
                _ => {}
            }
        }
        if desk.holder == Some(self.id) {
            self.studio.perform(wish);
        }
    }

    /// Takes sound and screens from whoever has them; `port` is the call that they are taken for.
    pub(crate) fn take(&self, port: Option<Arc<CallPort>>) {
        let mut desk = lock(&self.studio.desk);
        if desk.holder == Some(self.id) {
            if port.is_some() {
                desk.port = port;
            }
            return;
        }
        let passed = desk.holder.is_some();
        if let Some(call) = std::mem::replace(&mut desk.port, port) {
            call.retire();
        }
        if passed {
            self.studio.screens.share(None);
            self.studio.voice.rest();
        }
        desk.holder = Some(self.id);
        lock(&self.studio.ears).holder = Some(self.id);
        let wishes = *lock(&self.wishes);
        self.studio.perform(MediaWish::Deafen(wishes.deafened));
        self.studio.perform(MediaWish::Gate(wishes.gate));
        self.studio.perform(MediaWish::Run {
            input: wishes.input,
            output: wishes.output,
        });
    }

    /// Gives the lease up for good; the last one gets the engine to close.
    pub(crate) fn end(self) -> Option<Voice> {
        {
            let mut desk = lock(&self.studio.desk);
            if desk.holder == Some(self.id) {
                *desk = Desk::default();
            }
            let mut ears = lock(&self.studio.ears);
            ears.inboxes.retain(|(id, _)| *id != self.id);
            ears.holder.take_if(|holder| *holder == self.id);
        }
        Arc::into_inner(Arc::into_inner(self.studio)?.voice)
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use calls_core::command::DeviceRole;
    use calls_media::FakeHost;
    use tokio::sync::mpsc::Receiver;

    /// A client's way to sound, and what it hears of it.
    fn client(studio: &Arc<Studio>) -> (Lease, Receiver<Input>) {
        let (inbox, heard) = Inbox::new();
        (Lease::new(Arc::clone(studio), inbox), heard)
    }

    const BOTH: MediaWish = MediaWish::Run {
        input: true,
        output: true,
    };

    /// Waits until both ends are said to work; everything that was told until then.
    async fn ready(heard: &mut Receiver<Input>) -> Vec<Input> {
        let mut told = Vec::new();
        let both = async {
            for role in [DeviceRole::Input, DeviceRole::Output] {
                let ready = Input::Media(MediaEvent::Ready(role));
                while !told.contains(&ready) {
                    told.push(heard.recv().await.unwrap());
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), both)
            .await
            .unwrap();
        told
    }

    #[tokio::test]
    async fn sound_is_one_clients_at_a_time_and_the_next_learns_of_its_own_microphone() {
        let host = Arc::new(FakeHost::with_signal(
            calls_media::device::signal::Signal::Silence,
        ));
        let studio = Arc::new(Studio::open(&ClientConfig::default(), host));
        let (first, mut at_first) = client(&studio);
        let (second, mut at_second) = client(&studio);
        drop(studio);
        first.perform(BOTH);
        ready(&mut at_first).await;
        // Only kept in mind.
        second.perform(BOTH);
        second.take(None);
        let told = ready(&mut at_second).await;
        let devices = |one: &Input| matches!(one, Input::Media(MediaEvent::Devices(_)));
        assert!(
            told.iter().any(devices),
            "who comes later knows the devices"
        );
        // The first has lost it, and hears no more of it.
        first.perform(MediaWish::Run {
            input: false,
            output: false,
        });
        while let Ok(late) = at_first.try_recv() {
            assert!(devices(&late), "{late:?}");
        }
        first.take(None);
        first.perform(BOTH);
        ready(&mut at_first).await;
        assert!(second.end().is_none(), "the other needs the engine");
        first.end().expect("the last one closes it").close();
    }
}
