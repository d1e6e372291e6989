//! The jitter buffer of one remote track: turns packets that come unevenly, twice, late or never into sound that
//! goes on evenly.
//!
//! Playout pulls; the network pushes; nobody asks a clock. The buffer keeps a *place in the sender's time* (the
//! timestamp of the next sample to be played). When a packet is missing at its turn, there are three cases, told
//! apart by what comes next:
//!
//! - **A later packet is here: it was lost.** Its redundancy gives the lost one back (Opus in-band FEC or deep
//!   redundancy), else the decoder conceals. The place goes on. Copies of earlier packets that came along with it are
//!   packets like any other.
//! - **Nothing is here: it is late, or all are lost.** The decoder conceals and the place *stands still*. If the
//!   packet then comes, nothing was lost but the wait has grown by itself, which is the fastest possible growth. If a
//!   later one comes, the concealed time is taken off the gap.
//! - **Nothing comes for long, or the next number follows but its time does not:** the sender paused (muted, DTX).
//!   Not a loss; silence, or the noise of the sender's room if its last packet said that it only pauses (DTX).
//!
//! The wait so found is compared with what [`arrival::Arrivals`] says is needed; the difference is worked off by
//! playing faster or slower by whole periods of the voice ([`crate::voice::stretch`]).

pub mod arrival;
mod fifo;
mod repair;
pub mod shelf;
mod steer;

use calls_core::port::media::MediaPacket;

use crate::block::BLOCK;
use crate::error::MediaError;
use crate::voice::opus::{self, VoiceDecoder};
use arrival::{Arrivals, Ms};
use fifo::Fifo;
use shelf::{Filed, Shelf, Stored};

/// What a buffer counts; all in samples or packets since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Samples played, pauses left out.
    pub samples: u64,
    /// Of these, made up for packets that were lost or late.
    pub concealed: u64,
    /// Samples given back by redundancy; not concealed.
    pub recovered: u64,
    /// Packets that came.
    pub packets: u64,
    /// Packets that came too late, or twice.
    pub late: u64,
    /// Packets that were no Opus, or did not fit the stream.
    pub refused: u64,
    /// Samples cut out to catch up.
    pub cut: u64,
    /// Samples put in to wait longer.
    pub stretched: u64,
}

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// Sound of the sender, at least in part.
    Sound,
    /// Nothing is being said: the noise of the sender's room.
    Comfort,
    /// Nothing is being said: silence.
    Silence,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Nothing to play.
    Silent,
    /// Sound is here, and waits for so many samples more.
    Waiting {
        left: usize,
    },
    Playing,
}

/// Concealment goes on for so long, fading from [`FADE`] on, then there is silence: 100 ms.
const CONCEAL: usize = 4_800;
/// A sender that pauses says every 400 ms that it is still there (libopus, `MAX_CONSECUTIVE_DTX`); after so long without, it
/// has gone, or was muted: 1 s.
const COMFORT: usize = 48_000;
/// Longest silence that is kept because timestamps say so while packets are here already: 0.5 s.
const FARTHEST: usize = 24_000;

/// The jitter buffer of one track.
#[derive(Debug)]
pub struct JitterBuffer {
    shelf: Shelf,
    arrivals: Arrivals,
    decoder: VoiceDecoder,
    phase: Phase,
    /// Decoded and not yet played.
    pcm: Fifo,
    /// The next packet in the order.
    next_seq: i64,
    /// Timestamp right behind what was decoded.
    next_rtp: i64,
    /// Samples played while the place stood still.
    held: usize,
    /// Samples of [`Self::held`] of which it is not known yet whether they replace lost sound or are a pause.
    undecided: u64,
    /// Wait that packets find now: the mean of the last few.
    delay: Ms,
    since_stretch: u32,
    /// The last packet said that the sender only pauses.
    pauses: bool,
    /// Packet whose deep redundancy was read last, and how many samples before it that covers.
    deep: Option<(i64, usize)>,
    /// Overhears some, to tell what it is worth.
    #[cfg(test)]
    deaf: Deaf,
    /// Loudness at which concealment ended, to start from.
    loudness: f32,
    scratch: Vec<f32>,
    figures: Figures,
}

impl JitterBuffer {
    /// An empty buffer.
    ///
    /// # Errors
    /// [`MediaError::Failed`] if there is no memory for a decoder.
    pub fn new() -> Result<Self, MediaError> {
        Ok(Self {
            shelf: Shelf::new(),
            arrivals: Arrivals::new(),
            decoder: VoiceDecoder::new()?,
            phase: Phase::Silent,
            pcm: Fifo::new(),
            next_seq: i64::MIN,
            next_rtp: 0,
            held: 0,
            undecided: 0,
            delay: 0.0,
            since_stretch: 0,
            pauses: false,
            deep: None,
            #[cfg(test)]
            deaf: Deaf::default(),
            loudness: 1.0,
            scratch: vec![0.0; opus::LONGEST],
            figures: Figures::default(),
        })
    }

    /// Takes a packet.
    pub fn push(&mut self, packet: MediaPacket) {
        self.figures.packets += 1;
        let arrived = packet.arrived;
        let before = self.shelf.newest_seq();
        let redundancy = self.redundancy(&packet.data);
        let deep = redundancy.is_some() && opus::may_be_deep(&packet.data);
        let data = packet.data.clone();
        match self.shelf.file(packet) {
            Filed::Refused => self.figures.refused += 1,
            Filed::Twice => self.figures.late += 1,
            Filed::Late { rtp } => {
                self.figures.late += 1;
                self.arrivals.note(arrived, rtp, false);
            }
            Filed::Restarted { seq, rtp } => {
                self.settle(true);
                self.pcm.clear();
                self.arrivals.note(arrived, rtp, true);
                self.begin(seq, rtp, 0.0);
            }
            Filed::Kept { seq, rtp } => {
                let begins = self.phase == Phase::Silent;
                let late = self.arrivals.note(arrived, rtp, begins);
                match self.phase {
                    Phase::Silent => {
                        self.settle_pause(seq, rtp);
                        self.begin(seq, rtp, late);
                    }
                    Phase::Waiting { .. } if seq < self.next_seq => {
                        // An older one overtook the start: the place goes back to it, the wait stays as long.
                        self.next_seq = seq;
                        self.next_rtp = rtp;
                    }
                    Phase::Waiting { .. } => {}
                    Phase::Playing => {
                        let slack = (rtp - self.place() - self.held as i64) as f32 / 48.0;
                        self.delay += (slack + late - self.delay) / 16.0;
                    }
                }
                let copied = self.take_copies(seq, rtp, &data);
                if let Some(before) = before.filter(|before| seq > before + 1 && !begins) {
                    let lost = (seq - before - 1) as usize;
                    self.wait_for_lost(lost, late, copied, redundancy, deep);
                }
            }
        }
    }

    /// Makes the next 10 ms.
    pub fn render(&mut self, out: &mut [f32; BLOCK]) -> Rendered {
        self.since_stretch = self.since_stretch.saturating_add(1);
        let mut filled = 0;
        let mut sound = 0;
        let mut comfort = false;
        while filled < BLOCK {
            let rest = &mut out[filled..];
            match self.phase {
                Phase::Silent => {
                    comfort |= self.rest(rest);
                    self.held = self.held.saturating_add(rest.len());
                    break;
                }
                Phase::Waiting { left } => {
                    let n = left.min(rest.len());
                    comfort |= self.rest(&mut rest[..n]);
                    filled += n;
                    self.phase = if n == left {
                        Phase::Playing
                    } else {
                        Phase::Waiting { left: left - n }
                    };
                }
                Phase::Playing => {
                    if self.pcm.is_empty() {
                        self.produce();
                    } else {
                        if sound == 0 {
                            self.steer();
                        }
                        let n = self.pcm.pop(rest);
                        filled += n;
                        sound += n;
                    }
                }
            }
        }
        self.figures.samples += sound as u64;
        if sound > 0 {
            Rendered::Sound
        } else if comfort {
            Rendered::Comfort
        } else {
            Rendered::Silence
        }
    }

    /// What is heard while nothing is said: the noise of the sender's room, if it only pauses. True if there is any.
    fn rest(&mut self, out: &mut [f32]) -> bool {
        if !self.pauses || self.held >= COMFORT {
            out.fill(0.0);
            return false;
        }
        // The decoder knows the noise from before, and makes it in whole grains; of noise nobody misses the rest.
        let samples = out.len().next_multiple_of(opus::GRAIN);
        self.decoder.conceal(&mut self.scratch[..samples]);
        out.copy_from_slice(&self.scratch[..out.len()]);
        true
    }

    /// The wait that is aimed at, 8 to 200 ms.
    #[must_use]
    pub fn target(&self) -> Ms {
        self.arrivals.target()
    }

    /// The wait that packets find now, milliseconds.
    #[must_use]
    pub fn delay(&self) -> Ms {
        self.delay
    }

    /// Counters.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// Timestamp of the next sample to be played.
    fn place(&self) -> i64 {
        self.next_rtp - self.pcm.len() as i64
    }

    /// A talk spurt begins with this packet, which is `late` against the fastest ones.
    fn begin(&mut self, seq: i64, rtp: i64, late: Ms) {
        self.next_seq = seq;
        self.next_rtp = rtp;
        self.held = 0;
        self.undecided = 0;
        let wait = (self.target() - late).max(0.0);
        self.delay = wait + late;
        self.phase = Phase::Waiting {
            left: (wait * 48.0) as usize,
        };
    }

    /// Sound comes after a silence: was it a pause, or was something lost in it?
    fn settle_pause(&mut self, seq: i64, rtp: i64) {
        let gap = (rtp - self.next_rtp).max(0) as u64;
        if seq != self.next_seq && self.next_seq != i64::MIN {
            // Lost: the silent part was not heard either. Beyond a second it is an interruption, not a loss.
            let unheard = (self.held as u64).min(gap).min(48_000);
            let silent = unheard.saturating_sub(self.undecided);
            self.figures.samples += silent;
            self.figures.concealed += silent;
            self.settle(true);
        } else {
            // The numbers go on. If time went on as well, nobody spoke; if not, the packet is very late.
            self.settle(gap * 2 < self.held as u64);
        }
    }

    /// Decides what the undecided samples were.
    fn settle(&mut self, lost: bool) {
        if lost {
            self.figures.concealed += self.undecided;
        }
        self.undecided = 0;
    }

    /// Decodes, recovers or conceals some sound, or ends the talk spurt. Makes progress in every case.
    fn produce(&mut self) {
        let Some(first) = self.shelf.first() else {
            if self.held >= CONCEAL || self.pauses {
                self.phase = Phase::Silent;
            } else {
                self.conceal(BLOCK);
            }
            return;
        };
        let gap = (first.rtp - self.next_rtp).max(0) as usize;
        let contiguous = first.seq == self.next_seq;
        let (seq, rtp) = (first.seq, first.rtp);
        let Some(missing) = gap.checked_sub(self.held).filter(|missing| *missing > 0) else {
            // In time, or late: what was concealed meanwhile was either the lost sound, or is added to the wait.
            if gap < self.held {
                self.delay += (self.held - gap) as f32 / 48.0;
            }
            if self.held > 0 {
                let pause = contiguous && gap >= self.held;
                self.settle(!pause);
                self.held = 0;
            }
            self.decode();
            return;
        };
        if self.held >= CONCEAL {
            // Too long to make up: silence until its time comes.
            if !contiguous {
                self.settle(true);
            }
            self.next_seq = seq;
            self.next_rtp = rtp;
            self.held = 0;
            self.undecided = 0;
            // A timestamp from the far future must not silence the track for hours.
            self.phase = Phase::Waiting {
                left: missing.min(FARTHEST),
            };
            return;
        }
        let redundancy = self.redundancy(&first.data).filter(|_| !contiguous);
        match redundancy {
            Some(frame) if frame == missing => {
                let data = first.data.clone();
                self.settle(true);
                self.held = 0;
                if self.decoder.recover(&data, &mut self.scratch[..frame]) {
                    self.pcm.push(&self.scratch[..frame]);
                    self.figures.recovered += frame as u64;
                } else {
                    self.conceal(frame);
                    self.settle(true);
                    self.held = 0;
                }
                self.next_rtp = rtp;
                self.next_seq = seq;
                self.shelf.expect(seq);
            }
            // Its beginning has been made up already: its rest is better than more of that.
            Some(frame) if frame > missing && self.held > 0 => {
                let data = first.data.clone();
                self.settle(true);
                if self.decoder.recover(&data, &mut self.scratch[..frame]) {
                    self.come_back(frame - missing);
                    self.pcm.push(&self.scratch[frame - missing..frame]);
                    self.figures.recovered += missing as u64;
                } else {
                    self.conceal(missing);
                    self.settle(true);
                }
                self.held = 0;
                self.next_rtp = rtp;
                self.next_seq = seq;
                self.shelf.expect(seq);
            }
            Some(frame) if frame < missing => self.recover_deep(missing, missing - frame),
            _ if !contiguous => self.recover_deep(missing, missing),
            _ => self.conceal(missing.min(BLOCK)),
        }
    }

    /// Decodes the first packet on the shelf.
    fn decode(&mut self) {
        let Some(Stored {
            seq,
            rtp,
            duration,
            data,
            copied,
        }) = self.shelf.take_first()
        else {
            return;
        };
        self.pauses = opus::is_pause(&data);
        let length = match self.decoder.decode(&data, &mut self.scratch) {
            Some(length) => length,
            None => {
                // The outside was Opus, the inside was not.
                self.figures.refused += 1;
                self.figures.concealed += duration as u64;
                self.decoder.conceal(&mut self.scratch[..duration]);
                duration
            }
        };
        if copied {
            self.figures.recovered += length as u64;
        }
        self.come_back(0);
        self.pcm.push(&self.scratch[..length]);
        self.next_seq = seq + 1;
        self.next_rtp = rtp + length as i64;
    }
}

/// What a buffer overhears.
#[cfg(test)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Deaf {
    /// Nothing.
    #[default]
    No,
    /// Copies of earlier packets, which only our own clients send.
    ToCopies,
    /// Redundancy of any kind.
    ToAll,
}

#[cfg(test)]
mod tests;
