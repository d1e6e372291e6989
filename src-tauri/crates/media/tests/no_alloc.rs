//! Device callbacks and the steady state of the engine do not allocate: shown by counting.
#![allow(unsafe_code, clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use calls_core::port::media::MediaPacket;
use calls_core::snapshot::Sound;
use calls_media::block::BLOCK;
use calls_media::device::ring::{self, RingSink, RingSource};
use calls_media::voice::gate::GateSwitch;
use calls_media::voice::mixer::Volume;
use calls_media::voice::resample::{FromBlocks, ToBlocks};
use calls_media::voice::{Track, VoiceEngine};
use calls_media::{AudioSink, AudioSource, Block, Format};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator; the counter is a plain cell without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations on this thread while `f` runs.
fn allocations(f: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    f();
    COUNT.with(Cell::get) - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn callbacks_and_rings_do_not_allocate() {
    let format = Format {
        rate: 48_000,
        channels: 2,
    };
    let (mut feed, tap) = ring::capture(format);
    let (mut drain, playout) = ring::playout(format);
    let mut source = RingSource::new(tap, ());
    let mut sink = RingSink::new(playout, ());
    let captured = [0.1f32; 960];
    let mut played = [0i16; 960];
    let mut pcm = [0.0; 960];
    let count = allocations(|| {
        for n in 0..1_000 {
            feed.push(captured.iter().copied());
            // Full and empty rings, too.
            if n % 7 < 5 {
                while source.read(&mut pcm) > 0 {}
            }
            if n % 5 < 3 {
                let room = sink.room().min(pcm.len());
                sink.write(&pcm[..room]);
            }
            drain.fill(&mut played, 0, |s| (s * 32_767.0) as i16);
        }
    });
    assert!(source.overruns() > 0 || sink.underruns() > 0);
    assert_eq!(count, 0);
}

#[test]
fn the_engine_allocates_next_to_nothing_while_everybody_talks() {
    for processing in [Sound::RAW, Sound::default()] {
        let gate = GateSwitch::default();
        gate.set(true);
        let mut engine = VoiceEngine::new(processing, gate, Arc::default()).unwrap();
        for name in ["a", "b", "c"] {
            engine.open_track(
                Track::new(name.into(), name.into(), Volume::UNITY, Arc::default()).unwrap(),
            );
        }
        let format = Format {
            rate: 44_100,
            channels: 2,
        };
        let mut to = ToBlocks::new(format).unwrap();
        let mut from = FromBlocks::new(format).unwrap();
        let pcm = vec![0.2f32; 2_048];
        let mut block = Block::SILENCE;
        let mut now = Instant::now();
        let mut seq = 0u16;
        let mut frames = 0u64;
        let mut round = |count: usize| {
            let mut allocated = 0;
            for n in 0..count {
                let mut frame = None;
                allocated += allocations(|| {
                    let needed = to.needed();
                    if to.push(&pcm[..needed], &mut block) {
                        for (k, sample) in block.0.iter_mut().enumerate() {
                            *sample = ((n * BLOCK + k) as f32 * 0.05).sin() * 0.3;
                        }
                        frame = engine.capture(&mut block);
                    }
                    engine.render(&mut block, |_| {});
                    std::hint::black_box(from.convert(&block));
                });
                now += Duration::from_millis(10);
                let Some(frame) = frame else { continue };
                frames += 1;
                seq = seq.wrapping_add(1);
                // One in ten is lost, and one in seven late.
                if seq.is_multiple_of(10) {
                    continue;
                }
                let late = if seq.is_multiple_of(7) { 45 } else { 0 };
                for name in ["a", "b", "c"] {
                    let id = name.into();
                    let packet = MediaPacket {
                        seq,
                        rtp_time: frame.rtp_time,
                        marker: false,
                        arrived: now + Duration::from_millis(late),
                        data: frame.data.clone(),
                    };
                    allocated += allocations(|| engine.push(&id, packet));
                }
            }
            allocated
        };
        round(300);
        let allocated = round(3_000);
        println!(
            "{processing:?}: {allocated} allocations in 30 s, {frames} frames encoded, 3 tracks played"
        );
        if processing == Sound::RAW {
            // The packets' shared pool is renewed now and then.
            assert!(allocated <= 30, "{allocated} allocations");
        }
        // sonora 0.2 allocates some fifty times a block, on the voice thread, never in a callback: printed, not bounded.
    }
}
