//! The contract of `AudioHost`, for the hosts without hardware.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::time::Duration;

use calls_core::command::DeviceRole;
use calls_media::device::signal::Signal;
use calls_media::{AudioHost, FakeHost, FileHost, PlaySpec, testing};

fn contract(host: &dyn AudioHost, mut pass: impl FnMut(Duration)) {
    testing::lists_are_sound(host);
    testing::unknown_devices_are_missing(host);
    testing::sources_keep_time(host, &mut pass);
    testing::sinks_keep_time(host, &mut pass);
    testing::ends_reopen(host);
}

#[test]
fn a_stepped_fake_host_keeps_the_contract() {
    let host = FakeHost::stepped();
    host.plug(DeviceRole::Input, "mic", true);
    host.plug(DeviceRole::Input, "other mic", false);
    host.plug(DeviceRole::Output, "speaker", true);
    host.set_signal(
        "mic",
        Signal::Tone {
            hz: 440.0,
            amplitude: 0.5,
        },
    );
    contract(&host, |time| host.advance(time));
}

#[test]
fn a_fake_host_in_real_time_keeps_the_contract() {
    let host = FakeHost::with_signal(Signal::Silence);
    contract(&host, std::thread::sleep);
}

#[test]
fn a_file_host_keeps_the_contract_and_records_in_real_time() {
    let dir = std::env::temp_dir().join(format!("halloo-hosts-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("out.wav");
    let host = FileHost::new(PlaySpec::Tone { hz: 440.0 }, Some(path.clone())).unwrap();
    contract(&host, std::thread::sleep);
    let reader = hound::WavReader::open(&path).unwrap();
    assert_eq!(reader.spec().sample_rate, 48_000);
    assert_eq!(reader.spec().channels, 1);
    let seconds = f64::from(reader.duration()) / 48_000.0;
    assert!(seconds > 1.1, "{seconds}");
    std::fs::remove_dir_all(&dir).unwrap();
}
