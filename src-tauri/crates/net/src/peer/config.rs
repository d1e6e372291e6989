//! What we offer: codecs, header extensions, interceptors, addresses.

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{CongestionControlBuilder, Slot};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::shared::ifaces::ifaces;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCConfigurationBuilder, RTCIceServer, Registry, SettingEngineBuilder, configure_nack,
    configure_rtcp_reports, configure_simulcast_extension_headers, configure_twcc,
};

use super::budget::Budget;
use super::path::Noted;
use super::receive::{Ears, Tap};
use super::relay::Relays;
use super::runtime::Dialer;
use super::{PeerConfig, media};
use crate::address::{self, System};
use crate::error::NetError;
use crate::servers::usable;

/// RFC 6464.
pub(super) const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// The payload types of the server's own offers, so that nothing needs to be mapped.
pub(super) const OPUS_PAYLOAD_TYPE: u8 = 111;
pub(super) const VP8_PAYLOAD_TYPE: u8 = 96;
/// RFC 8843 §15.
pub(super) const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// RFC 8852 §4.
pub(super) const RID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
/// Pace of connectivity checks: RFC 8445 (§14.2) has 50 ms where nothing else is known, and allows 5. Nomination takes a second
/// round, so that the stack's 200 ms would be most of the time that joining takes; a client has a handful of pairs.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Checks of one pair before it is given up for good: the 15 s after which joining gives up as well. A server that has too
/// much to do may answer late.
const CHECKS: u16 = 750;
/// Pace of consent checks, which are most of what a muted client sends. RFC 7675 (§5.1) has 4 to 6 s; every answer must be lost
/// for 30 s until consent is.
const CONSENT: Duration = Duration::from_secs(5);
/// Nothing heard for so long, and the way is taken for cut. The server's own checks come every two seconds, and voice at any
/// rate; the stack's own figure.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a way over a relay waits for a direct one. The stack's own two seconds would be most of the time that joining takes
/// where there is no other way; a direct one answers within a few round trips.
const RELAY_WAITS: Duration = Duration::from_secs(1);
/// Our interceptor comes last: it sees what every other one has let through.
const TAP: usize = 60_000;

pub(super) async fn build(
    config: &PeerConfig,
    handler: Arc<dyn PeerConnectionEventHandler>,
    ears: Arc<Mutex<Ears>>,
    through: Arc<AtomicBool>,
    noted: Arc<Noted>,
) -> Result<Arc<dyn PeerConnection>, NetError> {
    let mut engine = MediaEngine::default();
    register_codecs(&mut engine).map_err(media)?;
    let registry = register_interceptors(&mut engine)
        .map_err(media)?
        .with(Slot::from(TAP), Tap::new(ears));
    let relays = Arc::new(Relays::new(usable(&config.ice_servers)));
    let ice_servers = relays
        .told()
        .map(|told| RTCIceServer {
            urls: vec![told.url],
            username: told.username,
            credential: told.credential,
        })
        .collect();
    let settings = SettingEngineBuilder::new()
        // The default mode fails without a multicast route, and the server cannot resolve `.local` names anyway.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(config.loopback)
        .with_ice_timeouts(Some(SILENCE), None, Some(CONSENT))
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
        .with_relay_acceptance_min_wait(Some(RELAY_WAITS))
        .build();
    let addresses = addresses(config.loopback);
    let connection = PeerConnectionBuilder::new()
        .with_configuration(
            RTCConfigurationBuilder::new()
                .with_ice_servers(ice_servers)
                .build(),
        )
        .with_media_engine(engine)
        .with_setting_engine(settings)
        .with_interceptor_registry(registry)
        .with_runtime(Arc::new(Dialer::new(through, relays, noted)))
        .with_handler(handler)
        .with_udp_addrs(addresses.clone())
        .with_tcp_addrs(addresses)
        .build()
        .await
        .map_err(media)?;
    Ok(Arc::new(connection))
}

pub(super) fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: "audio/opus".to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: vec![],
    }
}

pub(super) fn vp8() -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback {
        typ: typ.to_owned(),
        parameter: parameter.to_owned(),
    };
    RTCRtpCodec {
        mime_type: "video/VP8".to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![feedback("goog-remb", ""), feedback("ccm", "fir")],
    }
}

/// Few codecs on purpose: an offer with everything would not fit into the server's 8192 bytes.
fn register_codecs(engine: &mut MediaEngine) -> webrtc::error::Result<()> {
    let opus = RTCRtpCodecParameters {
        rtp_codec: opus(),
        payload_type: OPUS_PAYLOAD_TYPE,
    };
    engine.register_codec(opus, RtpCodecKind::Audio)?;
    let vp8 = RTCRtpCodecParameters {
        rtp_codec: vp8(),
        payload_type: VP8_PAYLOAD_TYPE,
    };
    engine.register_codec(vp8, RtpCodecKind::Video)
}

/// The order gives the extensions the server's own ids (signaling 5.1): audio level 1, mid 2, rid 3, repaired 4,
/// transport-wide numbers 5. The server passes audio extensions through unmapped, so equal ids keep them true.
fn register_interceptors(engine: &mut MediaEngine) -> webrtc::error::Result<Registry> {
    let level = RTCRtpHeaderExtensionCapability {
        uri: AUDIO_LEVEL_URI.to_owned(),
    };
    engine.register_header_extension(level, RtpCodecKind::Audio, None)?;
    configure_simulcast_extension_headers(engine)?;
    let registry = configure_nack(Registry::new(), engine);
    let registry = configure_twcc(registry, engine)?;
    let registry = registry.with(
        Slot::CongestionControl,
        CongestionControlBuilder::new(Budget::new()).build(),
    );
    Ok(configure_rtcp_reports(registry))
}

/// Addresses to bind, port 0 of each interface. A family without a route is left out: its wildcard would be bound
/// as such and offered as an address that nobody can reach.
fn addresses(loopback: bool) -> Vec<String> {
    let mut addresses = Vec::new();
    let [four, six] = address::families(&System);
    addresses.extend(four.then(|| "0.0.0.0:0".to_owned()));
    addresses.extend(six.then(|| "[::]:0".to_owned()));
    if addresses.is_empty() {
        // A network that leads nowhere else: a laboratory's, a ship's. Its own machines are reached all the same.
        let found = ifaces().unwrap_or_default();
        let ips = found
            .iter()
            .filter_map(|one| one.addr)
            .map(|addr| addr.ip());
        let ips: Vec<_> = ips
            .filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
            .collect();
        let four = ips.iter().any(|ip| ip.is_ipv4());
        let six = ips
            .iter()
            .any(|ip| matches!(ip, IpAddr::V6(six) if !six.is_unicast_link_local()));
        addresses.extend(four.then(|| "0.0.0.0:0".to_owned()));
        addresses.extend(six.then(|| "[::]:0".to_owned()));
    }
    if loopback || addresses.is_empty() {
        addresses.push("127.0.0.1:0".to_owned());
    }
    addresses
}
