//! Brings the wait to what the arrivals say is needed.

use super::JitterBuffer;
use super::arrival::Ms;
use crate::voice::stretch::{self, Likeness};

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

impl JitterBuffer {
    /// Brings the wait towards the target.
    pub(super) fn steer(&mut self) {
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
                _ => return self.cut_pause(excess),
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

    /// Of a wait that is shorter than what a careful cut needs, and still too long: a part of a pause is left out.
    fn cut_pause(&mut self, excess: Ms) {
        let pcm = self.pcm.as_mut_slice();
        if excess <= OFF || !stretch::is_quiet(pcm) {
            return;
        }
        if let Some(cut) = stretch::shorten_pause(pcm, (excess * 48.0) as usize) {
            self.pcm.skip(cut);
            self.delay -= cut as f32 / 48.0;
            self.figures.cut += cut as u64;
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
