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
pub mod shelf;

use bytes::Bytes;
use calls_core::port::media::MediaPacket;

use crate::block::BLOCK;
use crate::error::MediaError;
use crate::voice::opus::{self, VoiceDecoder};
use crate::voice::stretch::{self, Likeness};
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
/// Full loudness for the first 40 ms of concealment.
const FADE: usize = 1_920;
/// A wait that differs from the target by more than this is corrected between words, where nobody hears it, milliseconds.
/// Corrections are never much longer than what is to be corrected, so that one is not undone by the next.
const OFF: Ms = 3.0;
/// Within words it must be longer by more than this: a voice that is bent is worse than one that comes a little later.
const TOO_LONG: Ms = 15.0;
/// Within words it must be shorter by more than this: the packets themselves lengthen it when it must be, by being late.
const TOO_SHORT: Ms = 4.0;
/// A correction may go so far beyond the target, milliseconds: the periods of a voice do not come in all lengths.
const BEYOND: Ms = 4.0;
/// Beyond this a rough cut is better than the delay, milliseconds.
const FAR: Ms = 60.0;
/// Blocks between two careful corrections: 50 ms, at most 20 % faster or slower.
const PATIENCE: u32 = 5;
/// More than this is not worked off but thrown away, milliseconds.
const HOPELESS: Ms = 600.0;
/// Lost packets in a row that are waited for where redundancy reaches so far back: 60 ms, beyond which the wait hurts more
/// than the loss.
const MOST_WAITED_FOR: usize = 3;
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

    /// Samples of the lost frame that a packet gives back, if any.
    fn redundancy(&self, packet: &[u8]) -> Option<usize> {
        #[cfg(test)]
        if self.deaf == Deaf::ToAll {
            return None;
        }
        opus::redundancy(packet)
    }

    /// Files the copies of earlier packets that came along with this one. Says how far back they go, in samples.
    fn take_copies(&mut self, seq: i64, rtp: i64, data: &Bytes) -> usize {
        #[cfg(test)]
        if self.deaf != Deaf::No {
            return 0;
        }
        let mut reach = 0;
        for copy in opus::copied(data) {
            reach = copy.samples as usize;
            let (before, began) = (seq - copy.packets, rtp - copy.samples);
            let length = (self.next_rtp - began).max(0) as usize;
            match &mut self.phase {
                // The start itself was lost: the place goes back to it if that costs no wait.
                Phase::Waiting { left } if before + 1 == self.next_seq && *left >= length => {
                    if self.shelf.file_copy(before, began, copy.data) {
                        *left -= length;
                        self.next_seq = before;
                        self.next_rtp = began;
                    }
                }
                _ if before >= self.next_seq && began >= self.next_rtp => {
                    self.shelf.file_copy(before, began, copy.data);
                }
                _ => break,
            }
        }
        reach
    }

    /// `count` packets before the one that came just now, which was `late`, are missing: those that it gives back, by copies
    /// that go back so many samples or by redundancy, are worth to be waited for.
    fn wait_for_lost(
        &mut self,
        count: usize,
        late: Ms,
        copied: usize,
        redundancy: Option<usize>,
        deep: bool,
    ) {
        if copied > 0 {
            // All that they can bring is waited for, so that the wait stays as it is with each kind of burst.
            self.arrivals.note_recoverable(late + copied as Ms / 48.0);
            return;
        }
        let frame = redundancy.unwrap_or(opus::FRAME);
        let reach = match redundancy {
            _ if deep => MOST_WAITED_FOR * frame,
            Some(frame) => frame,
            None => 0,
        };
        for lost in (1..=count.min(MOST_WAITED_FOR)).filter(|lost| lost * frame <= reach) {
            self.arrivals
                .note_recoverable(late + (lost * frame) as Ms / 48.0);
        }
    }

    /// Makes up to 10 ms of what is lost, `before` samples before the first packet on the shelf, from the deep redundancy of
    /// the first one that came itself (copies have none); conceals if there is none. At most `most` samples.
    fn recover_deep(&mut self, before: usize, most: usize) {
        let length = most.min(BLOCK);
        let (Some(first), Some(source)) = (self.shelf.first(), self.shelf.first_itself()) else {
            return self.conceal(length);
        };
        let before = before + (source.rtp - first.rtp).max(0) as usize;
        let seq = source.seq;
        let reach = match self.deep {
            Some((read, reach)) if read == seq => reach,
            _ => {
                let reach = self.decoder.read_deep(&source.data);
                #[cfg(test)]
                let reach = if self.deaf == Deaf::ToAll { 0 } else { reach };
                self.deep = Some((seq, reach));
                reach
            }
        };
        let whole = length - length % opus::GRAIN;
        if before > reach
            || whole == 0
            || !self
                .decoder
                .recover_deep(before, &mut self.scratch[..whole])
        {
            return self.conceal(length);
        }
        self.come_back(0);
        self.pcm.push(&self.scratch[..whole]);
        self.figures.recovered += whole as u64;
        // As with what was concealed, the place stands still until the packet is decoded; but this was not made up.
        self.held += whole;
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

    /// Concealment may have faded out: what is decoded comes back in 2.5 ms, from this sample on, instead of with a
    /// click.
    fn come_back(&mut self, at: usize) {
        if self.loudness >= 1.0 {
            return;
        }
        let from = self.loudness;
        for (n, sample) in self.scratch[at..].iter_mut().take(opus::GRAIN).enumerate() {
            *sample *= from + (1.0 - from) * n as f32 / opus::GRAIN as f32;
        }
        self.loudness = 1.0;
    }

    /// Makes up some samples while the place stands still.
    fn conceal(&mut self, samples: usize) {
        // The decoder wants whole grains; a gap that is none comes from a strange sender and is rounded.
        let samples = samples.next_multiple_of(opus::GRAIN).min(opus::LONGEST);
        let pcm = &mut self.scratch[..samples];
        self.decoder.conceal(pcm);
        for (n, sample) in pcm.iter_mut().enumerate() {
            let faded = (self.held + n).saturating_sub(FADE) as f32 / (CONCEAL - FADE) as f32;
            self.loudness = (1.0 - faded).max(0.0);
            *sample *= self.loudness;
        }
        self.pcm.push(pcm);
        self.held += samples;
        self.undecided += samples as u64;
    }

    /// Brings the wait towards the target.
    fn steer(&mut self) {
        if self.held > 0 {
            return;
        }
        let excess = self.delay - self.target();
        if excess > HOPELESS {
            self.skip();
            return;
        }
        if excess.abs() <= OFF {
            return;
        }
        let hurry = excess > FAR;
        if !hurry && self.since_stretch < PATIENCE {
            return;
        }
        // Decode ahead what follows without a gap.
        while self.pcm.len() < stretch::NEEDED {
            match self.shelf.first() {
                Some(first) if first.seq == self.next_seq && first.rtp == self.next_rtp => {
                    self.decode()
                }
                _ => return,
            }
        }
        let between_words = stretch::is_quiet(self.pcm.as_mut_slice());
        if !between_words && (-TOO_SHORT..=TOO_LONG).contains(&excess) {
            return;
        }
        let wanted = if hurry || between_words {
            Likeness::ROUGH
        } else {
            Likeness::CLEAN
        };
        let most = ((excess.abs() + BEYOND) * 48.0) as usize;
        if excess > 0.0 {
            if let Some(cut) = stretch::shorten(self.pcm.as_mut_slice(), most, wanted) {
                self.pcm.skip(cut);
                self.delay -= cut as f32 / 48.0;
                self.figures.cut += cut as u64;
                self.since_stretch = 0;
            }
        } else if let Some(doubled) =
            stretch::lengthen(self.pcm.as_mut_slice(), &mut self.scratch, most, wanted)
        {
            self.pcm
                .replace_front(doubled.resume, &self.scratch[..doubled.written]);
            let added = doubled.written - doubled.resume;
            self.delay += added as f32 / 48.0;
            self.figures.stretched += added as u64;
            self.since_stretch = 0;
        }
    }

    /// Throws away what is hopelessly late, as far as later sound is here to go on with.
    fn skip(&mut self) {
        let keep = (self.target() * 48.0) as i64;
        let newest = self.shelf.newest_rtp().unwrap_or(self.next_rtp);
        let place = self.place();
        while newest - self.next_rtp > keep {
            let Some(thrown) = self.shelf.take_first() else {
                break;
            };
            self.pcm.clear();
            self.next_rtp = thrown.rtp + thrown.duration as i64;
            self.next_seq = thrown.seq + 1;
        }
        let thrown = self.place() - place;
        self.figures.cut += thrown.max(0) as u64;
        // If the sound is not here, the estimate was wrong: believe what is seen.
        self.delay = self.target().max((newest - self.place()) as f32 / 48.0);
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
