//! Sound: devices, and the voice engine between them and the network. Screens: capture, VP8, and what is watched.
//!
//! **What it owns.** The microphone and the loudspeaker ([`AudioHost`]), the echo canceller, the Opus codecs,
//! one jitter buffer per remote track, the mixer, and *the* mute gate. It speaks to a call back end only in
//! encoded media ([`calls_core::port::media::MediaPort`]). Of screens it owns what captures them on each system
//! ([`ScreenHost`]) and the VP8 of what is shared and watched; [`Screens`] is all of that as others see it.
//!
//! **Units.** Inside, sound is a [`Block`]: 10 ms, mono, 48 kHz, 480 × `f32` in −1..1. Devices may have any rate
//! from 8 to 192 kHz and any number of channels; `voice/resample.rs` converts at the edge.
//!
//! **Threads.** Device callbacks (owned by the operating system) copy samples into lock-free rings and touch
//! atomics; they neither lock nor allocate, log, or ask the time. One voice thread owns everything else that
//! makes sound: devices wake it, and it moves all whole blocks both ways, and allocates only when a participant
//! or a device comes or goes. A second thread asks the system which devices there are, because that may block. With a
//! sound server on Linux each open device has a thread that does the callbacks' work, and one more is told of changes. On
//! Windows there is such a thread for what other programs play, and on macOS a queue of the system's. What is shared has a
//! thread (`screen/thread.rs`), and so has each screen that is watched (`video/view.rs`).
//!
//! **Time.** [`voice::VoiceEngine`] has no clock. It counts samples, and knows of the world's time only what
//! the packets' arrival stamps say, so that tests run it in virtual time.
//!
//! **What it refuses.** Nothing that a network or a device delivers makes it panic: sequence numbers,
//! timestamps and codec payloads are hostile until proven otherwise, samples may be NaN.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod block;
pub mod device;
pub mod error;
#[cfg(windows)]
pub mod power;
pub mod screen;
pub mod testing;
pub mod video;
pub mod voice;

pub use block::Block;
pub use device::fake::FakeHost;
pub use device::file::{FileHost, PlaySpec, PlaySpecError};
pub use device::{AudioHost, AudioSink, AudioSource, Devices, Fault, Format, system_audio};
pub use error::MediaError;
pub use screen::handle::{ScreenConfig, Screens};
pub use screen::layers::Limits;
pub use screen::memory::{Forgetful, PortalMemory};
pub use screen::none::NoScreens;
pub use screen::system::system_screens;
pub use screen::{ScreenError, ScreenHost, ScreenSource};
pub use voice::handle::{MediaEventSink, Voice, VoiceConfig};
