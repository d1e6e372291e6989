//! How str0m is set up: rtcd's codecs and header extensions, raw RTP, one certificate for all peers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use str0m::RtcConfig;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::{Codec, FormatParams};
use str0m::media::Frequency;
use str0m::rtp::Extension;

/// Reports, RFC 3550: each second, as pion.
const REPORTS: Duration = Duration::from_secs(1);

/// What all peers share.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) certificate: DtlsCert,
}

impl Identity {
    /// Makes a certificate; `None` when the crypto provider cannot.
    pub(crate) fn new() -> Option<Self> {
        let provider = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = provider.dtls_provider.generate_certificate()?;
        Some(Self {
            provider,
            certificate,
        })
    }
}

/// rtcd's set-up (`service/rtc/sfu.go`): opus 111, VP8 96, extensions 1 to 5.
pub(crate) fn config(identity: &Identity) -> RtcConfig {
    let mut config = RtcConfig::new()
        .clear_codecs()
        .clear_extension_map()
        .set_extension(1, Extension::AudioLevel)
        .set_extension(2, Extension::RtpMid)
        .set_extension(3, Extension::RtpStreamId)
        .set_extension(4, Extension::RepairedRtpStreamId)
        .set_extension(5, Extension::TransportSequenceNumber)
        .set_crypto_provider(Arc::clone(&identity.provider))
        .set_dtls_cert(identity.certificate.clone())
        .set_rtcp_report_interval_audio(REPORTS)
        .set_rtcp_report_interval_video(REPORTS)
        .set_rtp_mode(true)
        .enable_raw_packets(true);
    let codecs = config.codec_config();
    codecs.add_config(
        111.into(),
        None,
        Codec::Opus,
        Frequency::FORTY_EIGHT_KHZ,
        Some(2),
        FormatParams {
            min_p_time: Some(10),
            use_inband_fec: Some(true),
            ..FormatParams::default()
        },
    );
    codecs.add_config(
        96.into(),
        None,
        Codec::Vp8,
        Frequency::NINETY_KHZ,
        None,
        FormatParams::default(),
    );
    config
}

/// Runs a step of str0m; `None` when it panicked. Descriptions and packets come from outside, and a bug in
/// a dependency must cost one peer, not the server.
pub(crate) fn guarded<T>(step: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).ok()
}
