//! The voice engine: microphone to frames, packets to loudspeaker. Pure: it counts samples and owns no thread,
//! device or clock; `voice/thread.rs` drives it.

pub mod apm;
pub mod canceller;
mod dump;
pub mod ends;
pub mod gate;
pub mod handle;
pub mod jitter;
pub mod level;
mod lister;
mod melody;
pub mod mixer;
pub mod opus;
pub(crate) mod priority;
pub mod resample;
pub mod stretch;
mod thread;
mod trial;

use std::sync::Arc;

use calls_core::effect::TrialStep;
use calls_core::id::{SessionId, TrackId};
use calls_core::port::media::{EncodedFrame, Layer, MediaKind, MediaPacket, VoiceFigures};
use calls_core::snapshot::Sound;

use crate::block::{BLOCK, Block};
use crate::error::MediaError;
use apm::Apm;
use dump::Dump;
use gate::{Activation, Admitted, Gate, GateSwitch};
use jitter::{JitterBuffer, Rendered};
use level::{Dbov, Floor, Meter, Speaking};
use melody::Melody;
use mixer::{Fader, Mixer, Volume};
use opus::{FRAME, SHORT, VoiceEncoder};
use trial::Trial;

/// The first sound of a track is what is louder than this; softer is the sender's own silence.
const AUDIBLE: Dbov = Dbov(-60.0);

/// Everything between the device ends and the network.
#[derive(Debug)]
pub struct VoiceEngine {
    apm: Apm,
    input_fader: Fader,
    output_fader: Fader,
    sound: Sound,
    deafened: bool,
    activation: Activation,
    melody: Option<Melody>,
    trial: Option<Trial>,
    dump: Option<Dump>,
    meter: Arc<Meter>,
    speaking: Speaking,
    /// Of the microphone, as it comes.
    room: Floor,
    gate: Gate,
    rest: Rest,
    encoder: FrameMaker,
    tracks: Vec<Track>,
    mixer: Mixer,
    scratch: Block,
    /// Of tracks that are gone.
    past: jitter::Figures,
}

/// One remote track.
#[derive(Debug)]
pub struct Track {
    id: TrackId,
    session: SessionId,
    kind: MediaKind,
    buffer: JitterBuffer,
    fader: Fader,
    meter: Arc<Meter>,
    speaking: Speaking,
    heard: bool,
}

impl Track {
    /// A track that nobody has heard yet.
    ///
    /// # Errors
    /// [`MediaError::Failed`] if there is no memory for a decoder.
    pub fn new(
        id: TrackId,
        session: SessionId,
        volume: Volume,
        meter: Arc<Meter>,
    ) -> Result<Self, MediaError> {
        Ok(Self {
            id,
            session,
            kind: MediaKind::Voice,
            buffer: JitterBuffer::new()?,
            fader: Fader::at(volume),
            meter,
            speaking: Speaking::default(),
            heard: false,
        })
    }

    /// The same, carrying something else than a voice.
    #[must_use]
    pub fn carrying(mut self, kind: MediaKind) -> Self {
        self.kind = kind;
        self
    }
}

impl VoiceEngine {
    /// An engine without tracks.
    ///
    /// # Errors
    /// [`MediaError::Failed`] if there is no memory for an encoder.
    pub fn new(sound: Sound, gate: GateSwitch, meter: Arc<Meter>) -> Result<Self, MediaError> {
        let mut engine = Self {
            apm: Apm::new(sound),
            input_fader: Fader::at(Volume::UNITY),
            output_fader: Fader::at(Volume::UNITY),
            sound,
            deafened: false,
            activation: Activation::default(),
            melody: None,
            trial: None,
            dump: None,
            meter,
            speaking: Speaking::default(),
            room: Floor::default(),
            gate: Gate::new(gate),
            rest: Rest::default(),
            encoder: FrameMaker::new()?,
            tracks: Vec::new(),
            mixer: Mixer::new(),
            scratch: Block::SILENCE,
            past: jitter::Figures::default(),
        };
        engine.set_sound(sound);
        Ok(engine)
    }

    /// Takes the next 10 ms of the microphone; yields a frame for every 10 or 20 ms that the gate let through.
    /// `block` is scratch afterwards.
    pub fn capture(&mut self, block: &mut Block) -> Option<EncodedFrame> {
        block.sanitise();
        if let Some(dump) = &mut self.dump {
            dump.near(block);
        }
        self.input_fader.apply(&mut block.0);
        let somebody = self.room.is_exceeded(Dbov::of(&block.0));
        let heard = self.gate.is_open() || self.trial.as_ref().is_some_and(Trial::records);
        let awake = self.rest.wakes(heard);
        if awake {
            self.apm.captured(block);
        }
        if let Some(trial) = &mut self.trial {
            trial.keep(block);
        }
        if let Some(dump) = &mut self.dump {
            dump.clean(block);
        }
        let level = Dbov::of(&block.0);
        // Without processing the noise of the room is in it, which is nobody who talks while muted.
        let voice = if awake || somebody {
            level
        } else {
            Dbov::SILENCE
        };
        self.meter.update(level, self.speaking.update(voice));
        let admitted = self.gate.admit(block, self.activation.wants(level));
        // In a large call the packets would weigh on the server, and 10 ms are the least of its delay.
        let short = self.tracks.len() <= INTIMATE;
        self.encoder.next(admitted, short)
    }

    /// The microphone was not captured for so many samples (48 kHz): the network's clock goes on all the same.
    pub fn skip_capture(&mut self, samples: u64) {
        self.encoder.skip(samples);
        self.meter.clear();
    }

    /// Makes the next 10 ms for the loudspeaker. `first` is told each session whose first sound this is.
    pub fn render(&mut self, out: &mut Block, mut first: impl FnMut(&SessionId)) {
        for track in &mut self.tracks {
            let rendered = track.buffer.render(&mut self.scratch.0);
            let level = if rendered == Rendered::Sound {
                let level = Dbov::of(&self.scratch.0);
                if !track.heard && level > AUDIBLE && track.kind == MediaKind::Voice {
                    track.heard = true;
                    first(&track.session);
                }
                level
            } else {
                Dbov::SILENCE
            };
            if rendered != Rendered::Silence {
                track.fader.apply(&mut self.scratch.0);
                self.mixer.add(&self.scratch.0);
            }
            track.meter.update(level, track.speaking.update(level));
        }
        if let Some(melody) = &mut self.melody
            && melody.next(&mut self.scratch.0)
        {
            self.mixer.add(&self.scratch.0);
        } else {
            self.melody = None;
        }
        if let Some(trial) = &mut self.trial
            && trial.next(&mut self.scratch.0)
        {
            self.mixer.add(&self.scratch.0);
        }
        self.mixer.finish(out);
        self.output_fader.apply(&mut out.0);
        out.sanitise();
        if self.rest.is_awake() {
            self.apm.played(out);
        }
        if let Some(dump) = &mut self.dump {
            dump.far(out);
        }
    }

    /// Adds a track; one with the same identity is replaced.
    pub fn open_track(&mut self, track: Track) {
        self.close_track(&track.id.clone());
        self.tracks.push(track);
    }

    /// Removes a track.
    pub fn close_track(&mut self, id: &TrackId) {
        if let Some(n) = self.tracks.iter().position(|track| track.id == *id) {
            let track = self.tracks.swap_remove(n);
            track.meter.clear();
            add(&mut self.past, &track.buffer.figures());
        }
    }

    /// Takes a packet of a track; packets of unknown tracks are ignored.
    pub fn push(&mut self, id: &TrackId, packet: MediaPacket) {
        if let Some(track) = self.tracks.iter_mut().find(|track| track.id == *id) {
            track.buffer.push(packet);
        }
    }

    /// How loud a session's voice, or the sound of its screen, is played.
    pub fn set_volume(&mut self, session: &SessionId, kind: MediaKind, volume: Volume) {
        for track in &mut self.tracks {
            if track.session == *session && track.kind == kind {
                track.fader.set(volume);
            }
        }
    }

    /// What a report tells of our packets: the share that got lost, 0..1, and whether they queue up on the way.
    pub fn set_loss(&mut self, share: f32, congested: bool) {
        self.encoder.opus.set_loss(share, congested);
    }

    /// Changes what is done to the sound, from the next block on.
    pub fn set_sound(&mut self, sound: Sound) {
        self.sound = sound;
        self.apm.set(sound);
        self.input_fader
            .set(Volume::from_percent(sound.input_volume));
        self.activation
            .set(sound.threshold.map(|level| Dbov(f32::from(level))));
        self.fade_output();
    }

    /// Nothing of the others is heard; meters and figures go on.
    pub fn set_deafened(&mut self, deafened: bool) {
        self.deafened = deafened;
        self.fade_output();
    }

    fn fade_output(&mut self) {
        let percent = if self.deafened {
            0
        } else {
            self.sound.output_volume
        };
        self.output_fader.set(Volume::from_percent(percent));
    }

    /// Begins the melody of the loudspeaker test.
    pub fn play_melody(&mut self) {
        self.melody = Some(Melody::default());
    }

    /// Keeps what the microphone hears, plays it, or forgets it. Nothing of it passes the gate.
    pub fn try_out(&mut self, step: TrialStep) {
        match step {
            TrialStep::Record => self.trial = Some(Trial::begin()),
            TrialStep::Play => {
                if let Some(trial) = &mut self.trial {
                    trial.play();
                }
            }
            TrialStep::End => self.trial = None,
        }
    }

    /// Writes what comes, what is played and what is sent, or ends it.
    pub(crate) fn set_dump(&mut self, dump: Option<Dump>) {
        self.dump = dump;
    }

    /// Whether the microphone's sound is not processed, because nobody has heard it for long.
    #[must_use]
    pub fn rests(&self) -> bool {
        !self.rest.is_awake()
    }

    /// True if nobody can be heard.
    #[must_use]
    pub fn has_no_tracks(&self) -> bool {
        self.tracks.is_empty()
    }

    /// Writes the receiving half of the figures.
    pub fn figures(&self, figures: &mut VoiceFigures) {
        let mut sum = self.past;
        let mut target: f32 = 0.0;
        for track in &self.tracks {
            add(&mut sum, &track.buffer.figures());
            target = target.max(track.buffer.target());
        }
        figures.jitter_target_ms = target;
        figures.samples = sum.samples;
        figures.concealed = sum.concealed;
        figures.packets_in = sum.packets;
        figures.packets_late = sum.late;
    }
}

fn add(sum: &mut jitter::Figures, more: &jitter::Figures) {
    sum.samples += more.samples;
    sum.concealed += more.concealed;
    sum.recovered += more.recovered;
    sum.packets += more.packets;
    sum.late += more.late;
    sum.refused += more.refused;
    sum.cut += more.cut;
    sum.stretched += more.stretched;
}

/// Voices of others up to which a call counts as small.
const INTIMATE: usize = 3;

/// Lets the processing of the microphone's sound rest while nobody hears it: it is most of what a listener costs. Both of its
/// ends stop at once, so that it goes on with the room, the noise and the loudness that it knew.
#[derive(Debug, Default)]
struct Rest {
    /// Blocks since the gate was closed, up to [`Self::AFTER`].
    closed: u32,
}

impl Rest {
    /// 5 s: who pushes to talk, or has been muted for a word, is in the middle of it.
    const AFTER: u32 = 500;

    /// Takes the next block; says whether it is to be processed.
    fn wakes(&mut self, gate_is_open: bool) -> bool {
        self.closed = if gate_is_open {
            0
        } else {
            (self.closed + 1).min(Self::AFTER)
        };
        self.is_awake()
    }

    fn is_awake(&self) -> bool {
        self.closed < Self::AFTER
    }
}

/// One or two admitted blocks to one encoded frame.
#[derive(Debug)]
struct FrameMaker {
    opus: VoiceEncoder,
    pcm: [f32; FRAME],
    filled: usize,
    /// Samples of the frame that is being filled.
    length: usize,
    talk_start: bool,
    /// Whether something was let through since the gate was closed last.
    talking: bool,
    /// Timestamp of the next captured sample; runs whether or not the gate is open.
    rtp_time: u32,
}

impl FrameMaker {
    fn new() -> Result<Self, MediaError> {
        Ok(Self {
            opus: VoiceEncoder::new()?,
            pcm: [0.0; FRAME],
            filled: 0,
            length: FRAME,
            talk_start: false,
            talking: false,
            rtp_time: 0,
        })
    }

    /// Takes the next block; `short` frames are wished, and made unless the network wants long ones.
    fn next(&mut self, admitted: Option<Admitted<'_>>, short: bool) -> Option<EncodedFrame> {
        self.rtp_time = self.rtp_time.wrapping_add(BLOCK as u32);
        let Some(admitted) = admitted else {
            return self.farewell();
        };
        if admitted.is_first() {
            self.opus.reset();
            self.filled = 0;
            self.talk_start = true;
        }
        self.talking = true;
        if self.filled == 0 {
            self.length = if short && !self.opus.wants_long_frames() {
                SHORT
            } else {
                FRAME
            };
        }
        self.pcm[self.filled..self.filled + BLOCK].copy_from_slice(&admitted.block().0);
        self.filled += BLOCK;
        if self.filled < self.length {
            return None;
        }
        self.filled = 0;
        self.encode(self.length)
    }

    /// With the first block behind a closed gate: one frame of silence, made here and not by the microphone.
    ///
    /// Receivers go on for a while with the last sound they got, and fade it: Chromium was heard repeating a tone for
    /// 450 ms after a mute, and for half of that at full volume. After silence it goes on with silence. Half a frame
    /// from before the gate closed is not sent.
    fn farewell(&mut self) -> Option<EncodedFrame> {
        let pending = std::mem::take(&mut self.filled);
        if !std::mem::take(&mut self.talking) {
            return None;
        }
        self.pcm.fill(0.0);
        self.encode(BLOCK + pending)
    }

    /// The frame in `pcm`, whose first sample was captured `age` samples before the newest one's end.
    fn encode(&mut self, age: usize) -> Option<EncodedFrame> {
        let pcm = &self.pcm[..self.length];
        let data = self.opus.encode(pcm)?;
        Some(EncodedFrame {
            kind: MediaKind::Voice,
            layer: Layer::default(),
            rtp_time: self.rtp_time.wrapping_sub(age as u32),
            duration: self.length as u32,
            key: false,
            level: Some(Dbov::of(pcm).to_extension()),
            talk_start: std::mem::take(&mut self.talk_start),
            data,
        })
    }

    fn skip(&mut self, samples: u64) {
        // The network's clock wraps; so may this.
        self.rtp_time = self.rtp_time.wrapping_add(samples as u32);
        self.filled = 0;
        self.opus.interrupt();
    }
}

#[cfg(test)]
mod tests;
