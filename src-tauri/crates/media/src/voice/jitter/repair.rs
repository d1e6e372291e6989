//! What is played in place of packets that were lost or are late: copies and redundancy where there are some, else
//! concealment.

use bytes::Bytes;

#[cfg(test)]
use super::Deaf;
use super::arrival::Ms;
use super::{CONCEAL, JitterBuffer, Phase};
use crate::block::BLOCK;
use crate::voice::opus;

/// Full loudness for the first 40 ms of concealment.
const FADE: usize = 1_920;
/// Lost packets in a row that are waited for where redundancy reaches so far back: 60 ms, beyond which the wait hurts more
/// than the loss.
const MOST_WAITED_FOR: usize = 3;

impl JitterBuffer {
    /// Samples of the lost frame that a packet gives back, if any.
    pub(super) fn redundancy(&self, packet: &[u8]) -> Option<usize> {
        #[cfg(test)]
        if self.deaf == Deaf::ToAll {
            return None;
        }
        opus::redundancy(packet)
    }

    /// Files the copies of earlier packets that came along with this one. Says how far back they go, in samples.
    pub(super) fn take_copies(&mut self, seq: i64, rtp: i64, data: &Bytes) -> usize {
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
    pub(super) fn wait_for_lost(
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
    pub(super) fn recover_deep(&mut self, before: usize, most: usize) {
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

    /// Concealment may have faded out: what is decoded comes back in 2.5 ms, from this sample on, instead of with a
    /// click.
    pub(super) fn come_back(&mut self, at: usize) {
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
    pub(super) fn conceal(&mut self, samples: usize) {
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
}
