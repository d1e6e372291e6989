//! Opus with our fixed settings: 48 kHz; voices mono in frames of 10 or 20 ms, the sound of a shared screen stereo.

mod codec;
mod copies;

use bytes::{Bytes, BytesMut};

use crate::error::MediaError;
use codec::{Decoder, Deep, Encoder, Purpose, Setting};
use copies::Copies;

pub use copies::{Copied, copied};

/// Samples in one encoded frame: 20 ms. Twice it would cost 20 ms of delay.
pub const FRAME: usize = 960;
/// Samples in a short one: 10 ms less of delay, for 16 kbit/s more of headers and twice the packets at the server.
pub const SHORT: usize = FRAME / 2;
/// Longest sound that one Opus packet may hold: 120 ms (RFC 6716 §2.1.4).
pub const LONGEST: usize = 5_760;
/// The grain of packet loss concealment: 2.5 ms.
pub const GRAIN: usize = 120;

/// Bits per second of long frames, and of short ones with redundancy. The ear gains little above 40 kbit/s in frames of 20 ms,
/// but the frame before goes along at a low rate.
const BITRATE: i32 = 64_000;
/// The same of short frames without redundancy: the transform needs more for the same in them.
const BITRATE_SHORT: i32 = 80_000;
/// The same when packets get lost, of which Opus' own redundancy takes its share; copies come on top.
const BITRATE_LOSSY: i32 = 72_000;
/// The same while packets queue up on the way: more would make the queue longer.
const BITRATE_CONGESTED: i32 = 32_000;
/// From this loss on packets count as getting lost, until there is less than [`CLEAN`].
const LOSSY: f32 = 0.04;
/// See [`LOSSY`].
const CLEAN: f32 = 0.02;
/// From this loss on two packets in a row are often lost, and both are sent again.
const HEAVY: f32 = 0.08;
/// A report of at least so much loss (its grain is 1/256, RFC 3550 §6.4.1) tells that packets do get lost here…
const TROUBLE: f32 = 0.003;
/// …and so many reports without it, two minutes with one a second, that they do not any more: loss comes in bursts.
const CALM: u32 = 120;
/// Weight of a report that tells more loss than was known, and of one that tells less: a second has 50 packets, so that the
/// figure of one report is half chance.
const WORSE: f32 = 0.5;
/// See [`WORSE`].
const BETTER: f32 = 0.1;
/// Of both encoders, 0 to 10.
const COMPLEXITY: i32 = 9;
/// How far back deep redundancy reaches, in units of 10 ms: bursts of five packets. libopus decides by the loss how good
/// it is.
const DEEP: i32 = 10;
/// The same in samples.
const DEEP_SAMPLES: usize = DEEP as usize * 480;
/// The decoder's complexity: concealment by a network from 5 on; 6 and more would cost at every frame what only rates far
/// below ours gain.
const DECODER_COMPLEXITY: i32 = 5;
/// Longest packet, with a wide margin (RFC 6716 §3.4: at most 1275 bytes a frame).
const PACKET: usize = 1_275;
/// Packets share allocations of this size, so that an allocation is needed only every few hundred packets.
const POOL: usize = 64 * 1024;

/// The encoder of our microphone.
#[derive(Debug)]
pub struct VoiceEncoder {
    /// Encodes while nothing gets lost.
    quick: Encoder,
    /// Encodes while packets get lost or queue up.
    sturdy: Encoder,
    /// Whether the last frame was the sturdy one's.
    was_sturdy: bool,
    /// Whether the last frame was short.
    was_short: bool,
    /// Reports since the last trouble, up to [`CALM`].
    calm: u32,
    /// Share of packets that get lost, by what reports told lately.
    loss: f32,
    lossy: bool,
    congested: bool,
    copies: Copies,
    packet: [u8; PACKET],
    pool: BytesMut,
}

impl VoiceEncoder {
    /// Loss that libopus is told of, per cent: without some, it sends no redundancy at all, and the first burst of a call
    /// would be heard.
    const ASSUMED: i32 = 3;
    /// The same once packets do get lost: with less, libopus gives deep redundancy no bits; with more, it takes them from the
    /// voice (by PESQ 4.2 at 10 and 3.7 at 20), which copies do not make good.
    const ASSUMED_LOSSY: i32 = 10;

    /// An encoder.
    ///
    /// # Errors
    /// [`MediaError::Failed`] if libopus refuses, which means that there is no memory.
    pub fn new() -> Result<Self, MediaError> {
        let make = |purpose| -> Result<Encoder, codec::Refused> {
            let mut opus = Encoder::new(purpose)?;
            for (setting, value) in [
                (Setting::Bitrate, BITRATE),
                (Setting::Complexity, COMPLEXITY),
                (Setting::InbandFec, 1),
                (Setting::Loss, Self::ASSUMED),
            ] {
                opus.set(setting, value)?;
            }
            Ok(opus)
        };
        let made =
            |purpose| make(purpose).map_err(|cause| MediaError::Failed(Some(Box::new(cause))));
        Ok(Self {
            quick: made(Purpose::Quick)?,
            sturdy: made(Purpose::Voice)?,
            was_sturdy: false,
            was_short: false,
            calm: CALM,
            loss: 0.0,
            lossy: false,
            congested: false,
            copies: Copies::default(),
            packet: [0; PACKET],
            pool: BytesMut::with_capacity(POOL),
        })
    }

    /// Forgets what was encoded: the next frame tells nothing of the ones before.
    pub fn reset(&mut self) {
        let done = self.quick.reset().and(self.sturdy.reset());
        debug_assert!(done.is_ok(), "resetting an encoder cannot fail");
        self.interrupt();
        // libopus counts the reach of deep redundancy among what it forgets.
        self.settle();
    }

    /// The next frame does not follow the last one in time.
    pub fn interrupt(&mut self) {
        self.copies.forget();
    }

    /// Whether long frames suit the network: packets get lost so often that redundancy is worth more than delay, or queue up.
    #[must_use]
    pub fn wants_long_frames(&self) -> bool {
        self.lossy || self.congested
    }

    /// What a report tells of our packets: the share that got lost, 0..1, and whether they queue up. Decides rate and redundancy.
    pub fn set_loss(&mut self, share: f32, congested: bool) {
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let weight = if share > self.loss { WORSE } else { BETTER };
        self.loss += (share - self.loss) * weight;
        self.calm = if share >= TROUBLE || congested {
            0
        } else {
            (self.calm + 1).min(CALM)
        };
        self.lossy = self.loss >= if self.lossy { CLEAN } else { LOSSY };
        self.congested = congested;
        self.settle();
    }

    /// Tells libopus what to aim at. A refused figure leaves the old one, which is as good a guess.
    fn settle(&mut self) {
        let (bitrate, percent, deep) = match (self.congested, self.lossy) {
            (true, true) => (BITRATE_CONGESTED, Self::ASSUMED_LOSSY, DEEP),
            (true, false) => (BITRATE_CONGESTED, Self::ASSUMED, 0),
            (false, true) => (BITRATE_LOSSY, Self::ASSUMED_LOSSY, DEEP),
            // Its network would run for nothing: without loss libopus gives it no bits.
            (false, false) => (BITRATE, Self::ASSUMED, 0),
        };
        for (setting, value) in [
            (Setting::Loss, percent),
            (Setting::Bitrate, bitrate),
            (Setting::Dred, deep),
        ] {
            let _ = self.sturdy.set(setting, value);
        }
    }

    /// Encodes one frame, of [`FRAME`] or [`SHORT`] samples. `None` if libopus fails, which drops the frame.
    pub fn encode(&mut self, pcm: &[f32]) -> Option<Bytes> {
        let sturdy = self.calm < CALM;
        let short = pcm.len() <= SHORT;
        if sturdy != self.was_sturdy {
            self.was_sturdy = sturdy;
            // It has not heard what was said since it was asked last.
            self.reset();
        }
        if short != self.was_short {
            self.was_short = short;
            let _ = self.quick.set(
                Setting::Bitrate,
                if short { BITRATE_SHORT } else { BITRATE },
            );
        }
        let opus = if sturdy {
            &mut self.sturdy
        } else {
            &mut self.quick
        };
        let Ok(length) = opus.encode(pcm, &mut self.packet) else {
            self.interrupt();
            return None;
        };
        let count = match (self.lossy && !self.congested, self.loss >= HEAVY) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => copies::MOST,
        };
        self.pool.reserve(PACKET);
        self.copies
            .write(&self.packet[..length], count, &mut self.pool);
        let packet = self.pool.split().freeze();
        self.copies.keep(&packet, pcm.len());
        Some(packet)
    }
}

/// Bits per second of a screen's sound: music without audible loss.
const SOUND_BITRATE: i32 = 96_000;

/// The encoder of the sound that goes along with a shared screen.
#[derive(Debug)]
pub struct SoundEncoder {
    opus: Encoder,
    packet: [u8; PACKET],
}

impl SoundEncoder {
    /// An encoder.
    ///
    /// # Errors
    /// [`MediaError::Failed`] if libopus refuses, which means that there is no memory.
    pub fn new() -> Result<Self, MediaError> {
        let make = || -> Result<Encoder, codec::Refused> {
            let mut opus = Encoder::new(Purpose::Music)?;
            opus.set(Setting::Bitrate, SOUND_BITRATE)?;
            opus.set(Setting::Complexity, 7)?;
            Ok(opus)
        };
        let opus = make().map_err(|cause| MediaError::Failed(Some(Box::new(cause))))?;
        Ok(Self {
            opus,
            packet: [0; PACKET],
        })
    }

    /// Encodes 20 ms, left and right in turns. `None` if libopus fails, which drops the frame.
    pub fn encode(&mut self, pcm: &[f32; 2 * FRAME]) -> Option<Bytes> {
        let length = self.opus.encode(pcm, &mut self.packet).ok()?;
        self.packet.get(..length).map(Bytes::copy_from_slice)
    }
}

/// The decoder of one remote track.
#[derive(Debug)]
pub struct VoiceDecoder {
    opus: Decoder,
    deep: Deep,
}

impl VoiceDecoder {
    /// A decoder. Stereo packets come out as mono.
    ///
    /// # Errors
    /// [`MediaError::Failed`] if libopus refuses, which means that there is no memory.
    pub fn new() -> Result<Self, MediaError> {
        let make = || -> Result<Self, codec::Refused> {
            let mut opus = Decoder::new()?;
            opus.set_complexity(DECODER_COMPLEXITY)?;
            let deep = Deep::new()?;
            Ok(Self { opus, deep })
        };
        make().map_err(|cause| MediaError::Failed(Some(Box::new(cause))))
    }

    /// Decodes a packet and says how many samples it held; `None` for garbage.
    pub fn decode(&mut self, packet: &[u8], pcm: &mut [f32]) -> Option<usize> {
        self.opus.decode(Some(packet), pcm, false).ok()
    }

    /// Fills `pcm` (a multiple of [`GRAIN`]) with what the sound could have gone on like.
    pub fn conceal(&mut self, pcm: &mut [f32]) {
        if self.opus.decode(None, pcm, false).is_err() {
            pcm.fill(0.0);
        }
    }

    /// Fills `pcm` with the sound of the lost packet before `next`, from the redundancy in it. True if it worked.
    pub fn recover(&mut self, next: &[u8], pcm: &mut [f32]) -> bool {
        self.opus.decode(Some(next), pcm, true).is_ok()
    }
}

impl VoiceDecoder {
    /// Reads the deep redundancy of a packet; says how many samples before it are known, 0 if it has none.
    pub fn read_deep(&mut self, packet: &[u8]) -> usize {
        self.deep.parse(packet, DEEP_SAMPLES).unwrap_or(0)
    }

    /// Fills `pcm` (a multiple of [`GRAIN`]) with the sound that began `before` samples before the packet that was read
    /// last. True if it worked.
    pub fn recover_deep(&mut self, before: usize, pcm: &mut [f32]) -> bool {
        self.opus.decode_deep(&self.deep, before, pcm).is_ok()
    }
}

/// Samples (48 kHz) in a packet; `None` if it is not an Opus packet.
#[must_use]
pub fn duration(packet: &[u8]) -> Option<usize> {
    if packet.is_empty() {
        return None;
    }
    let samples = ::opus::packet::get_nb_samples(packet, 48_000).ok()?;
    (GRAIN..=LONGEST).contains(&samples).then_some(samples)
}

/// Whether a packet holds no sound, but says that its sender pauses and is still there (DTX; RFC 6716 §2.1.9 and RFC 7587
/// §3.1.3).
#[must_use]
pub fn is_pause(packet: &[u8]) -> bool {
    packet.len() <= 2
}

/// Whether a packet has room for deep redundancy in its padding. Only parsing would tell for certain, and costs as much as
/// decoding.
#[must_use]
pub fn may_be_deep(packet: &[u8]) -> bool {
    copies::other_padding(packet) > 8
}

/// Samples in each of the packet's frames, if it carries the frame before it at low rate as well (LBRR, RFC 6716
/// §4.2.4). Without it, asking the decoder to recover would only conceal.
#[must_use]
pub fn redundancy(packet: &[u8]) -> Option<usize> {
    let toc = *packet.first()?;
    // Configurations 16..31 are pure CELT, which has no redundancy (RFC 6716 §3.1).
    if toc & 0x80 != 0 {
        return None;
    }
    // The first frame begins after the TOC byte, and after a length in packets of two frames of different size.
    let first = match toc & 3 {
        0 | 1 => 1,
        2 if *packet.get(1)? >= 252 => 3,
        2 => 2,
        // One frame with padding, in which deep redundancy travels (§3.2.5). With several frames no client sends voice.
        _ => {
            let count = *packet.get(1)?;
            if count & 0x3f != 1 {
                return None;
            }
            let mut at = 2;
            if count & 0x40 != 0 {
                // 255 means 254 bytes of padding, and that another byte follows.
                while *packet.get(at)? == 255 {
                    at += 1;
                }
                at += 1;
            }
            at
        }
    };
    let header = *packet.get(first)?;
    let frame = ::opus::packet::get_samples_per_frame(packet, 48_000).ok()?;
    // One voice-activity bit for each 20 ms, then the redundancy bit; the same again for the side channel.
    let activity_bits = (frame / FRAME).clamp(1, 3);
    let mid = (header >> (7 - activity_bits)) & 1 == 1;
    let side = toc & 4 != 0 && (header >> (6usize.saturating_sub(2 * activity_bits))) & 1 == 1;
    (mid || side).then_some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(frame: usize) -> [f32; FRAME] {
        // Not a sine: several harmonics with a wobble, so that libopus takes it for voice.
        std::array::from_fn(|n| {
            let t = (frame * FRAME + n) as f32 / 48_000.0;
            let pitch = 120.0 * (1.0 + 0.02 * (t * 5.0).sin());
            (1..12)
                .map(|k| (t * pitch * k as f32 * std::f32::consts::TAU).sin() / (k as f32 + 1.0))
                .sum::<f32>()
                * 0.15
        })
    }

    #[test]
    fn redundancy_begins_with_the_first_loss_and_outlasts_it() {
        let mut encoder = VoiceEncoder::new().unwrap();
        // Of the configurations of RFC 6716 §3.1 the upper half is the transform alone.
        let is_quick = |encoder: &mut VoiceEncoder, n| {
            encoder.encode(&voice(n)[..SHORT]).unwrap()[0] & 0x80 != 0
        };
        assert!(is_quick(&mut encoder, 0));
        encoder.set_loss(0.0, false);
        assert!(is_quick(&mut encoder, 1));
        encoder.set_loss(1.0 / 256.0, false);
        assert!(!is_quick(&mut encoder, 2));
        for _ in 1..CALM {
            encoder.set_loss(0.0, false);
        }
        assert!(!is_quick(&mut encoder, 3), "loss comes back");
        encoder.set_loss(0.0, false);
        assert!(is_quick(&mut encoder, 4));
        encoder.set_loss(0.0, true);
        assert!(!is_quick(&mut encoder, 5), "less fits through");
    }

    #[test]
    fn a_voice_takes_no_more_than_it_may() {
        let mut encoder = VoiceEncoder::new().unwrap();
        let sizes: Vec<usize> = (0..100)
            .map(|n| encoder.encode(&voice(n)).unwrap().len())
            .collect();
        let rate = sizes.iter().sum::<usize>() * 8 / 2;
        println!("voice at {rate} bit/s");
        assert!((30_000..72_000).contains(&rate), "{rate} bit/s");
    }

    #[test]
    fn packets_tell_their_duration_and_redundancy() {
        let mut encoder = VoiceEncoder::new().unwrap();
        encoder.set_loss(0.1, false);
        let mut with = 0;
        for n in 0..50 {
            let packet = encoder.encode(&voice(n)).unwrap();
            assert_eq!(duration(&packet), Some(FRAME));
            if let Some(frame) = redundancy(&packet) {
                assert_eq!(frame, FRAME);
                with += 1;
            }
        }
        // libopus adds it where it hears speech, and our speech is a poor imitation.
        assert!(with > 10, "only {with} of 50 packets carry redundancy");
    }

    #[test]
    fn a_reset_encoder_tells_nothing_of_the_past() {
        for loss in [0.0, 0.2] {
            let mut one = VoiceEncoder::new().unwrap();
            let mut two = VoiceEncoder::new().unwrap();
            for n in 0..10 {
                for encoder in [&mut one, &mut two] {
                    encoder.set_loss(loss, false);
                }
                one.encode(&voice(n)).unwrap();
                two.encode(&[0.0; FRAME]).unwrap();
            }
            one.reset();
            two.reset();
            for n in 20..30 {
                assert_eq!(one.encode(&voice(n)), two.encode(&voice(n)));
            }
        }
    }

    #[test]
    fn copies_come_with_loss_and_neither_into_a_queue_nor_over_a_gap() {
        let mut encoder = VoiceEncoder::new().unwrap();
        let mut count = |loss: Option<(f32, bool)>| {
            for _ in 0..20 {
                if let Some((share, congested)) = loss {
                    encoder.set_loss(share, congested);
                }
            }
            if loss.is_none() {
                encoder.interrupt();
            }
            let packets: Vec<_> = (0..4).map(|n| encoder.encode(&voice(n)).unwrap()).collect();
            packets
                .iter()
                .map(|packet| copied(packet).count())
                .collect::<Vec<_>>()
        };
        assert_eq!(count(Some((0.0, false))), [0, 0, 0, 0]);
        assert_eq!(count(Some((0.05, false))), [0, 1, 1, 1], "another encoder");
        assert_eq!(count(Some((0.2, false))), [2, 2, 2, 2]);
        assert_eq!(count(None), [0, 1, 2, 2], "the time goes on elsewhere");
        assert_eq!(count(Some((0.2, true))), [0, 0, 0, 0]);
    }

    #[test]
    fn a_reset_encoder_still_gives_deep_redundancy_and_none_without_loss() {
        let padded = |encoder: &mut VoiceEncoder| {
            (0..50)
                .filter(|n| may_be_deep(&encoder.encode(&voice(*n)).unwrap()))
                .count()
        };
        let mut encoder = VoiceEncoder::new().unwrap();
        assert_eq!(padded(&mut encoder), 0, "nothing gets lost");
        for _ in 0..5 {
            encoder.set_loss(0.2, false);
        }
        // At the beginning of each talk spurt.
        encoder.reset();
        let deep = padded(&mut encoder);
        println!("{deep} of 50 packets have deep redundancy");
        assert!(deep > 30, "{deep}");
        encoder.set_loss(0.2, true);
        let rate: usize = (0..100)
            .map(|n| encoder.encode(&voice(n)).unwrap().len() * 8)
            .sum();
        assert!(rate < 2 * 44_000, "{} bit/s into a queue", rate / 2);
    }

    #[test]
    fn garbage_is_refused() {
        assert_eq!(duration(&[]), None);
        assert_eq!(redundancy(&[]), None);
        assert_eq!(redundancy(&[0x02]), None);
        assert_eq!(redundancy(&[0x02, 255]), None);
        // Code 3 with 63 frames of 60 ms is longer than a packet may be.
        assert_eq!(duration(&[0x1b, 63]), None);
    }

    #[test]
    fn deep_redundancy_travels_in_the_padding_and_gives_back_a_burst() {
        let mut encoder = VoiceEncoder::new().unwrap();
        encoder.set_loss(0.4, false);
        let packets: Vec<_> = (0..100)
            .map(|n| encoder.encode(&voice(n)).unwrap())
            .collect();
        // Three frames before the last are lost.
        let mut decoder = VoiceDecoder::new().unwrap();
        let mut pcm = [0.0; FRAME];
        for packet in &packets[..96] {
            assert_eq!(decoder.decode(packet, &mut pcm), Some(FRAME));
        }
        let last = &packets[99];
        assert_eq!(last[0] & 3, 3, "one frame with padding");
        assert_eq!(
            duration(last),
            Some(FRAME),
            "an older decoder takes it as well"
        );
        let reach = decoder.read_deep(last);
        println!("{} bytes, reaching {} ms back", last.len(), reach / 48);
        assert!(reach >= 3 * FRAME, "{reach}");
        for lost in (1..=3).rev() {
            assert!(decoder.recover_deep(lost * FRAME, &mut pcm));
            let energy: f32 = pcm.iter().map(|s| s * s).sum::<f32>() / FRAME as f32;
            assert!(energy > 1e-4, "nothing came back: {energy}");
        }
        assert_eq!(decoder.decode(last, &mut pcm), Some(FRAME));
        assert_eq!(decoder.read_deep(&[0x78, 0, 0]), 0);
        assert_eq!(decoder.read_deep(&[]), 0);
    }
}
