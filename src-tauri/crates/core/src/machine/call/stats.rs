//! The statistics of this call, or of the last one, in the documented shape (calls-v1-rest §22.2).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::id::{ChannelId, Millis, SessionId};
use crate::model::{PairStats, RtcStats, StreamStats};
use crate::snapshot::{MediaPath, Quality, StreamQuality, TriedWay, WayState};

use super::Call;

/// What was measured of a call.
#[derive(Debug, Default)]
pub(super) struct Stats {
    channel: Option<ChannelId>,
    init_at: Millis,
    rtc: RtcStats,
    quality: Option<(Millis, Quality)>,
}

impl Stats {
    pub(super) fn new(channel: ChannelId, init_at: Millis) -> Self {
        Self {
            channel: Some(channel),
            init_at,
            ..Self::default()
        }
    }

    /// Takes new counters; returns what they say about the time since the last ones.
    pub(super) fn measured(&mut self, rtc: RtcStats) -> (Vec<StreamQuality>, Option<MediaPath>) {
        let before = std::mem::replace(&mut self.rtc, rtc);
        let streams = self.rtc.streams.iter().filter(|one| !one.sent);
        let streams = streams.filter_map(|one| {
            let old = before
                .streams
                .iter()
                .find(|old| !old.sent && old.ssrc == one.ssrc);
            let (packets, lost) = old.map_or((0, 0), |old| (old.packets, old.lost));
            let came = one.packets.saturating_sub(packets);
            // Late ones make up for what was counted as lost before.
            let lost = one.lost.saturating_sub(lost);
            let expected = came + lost;
            (expected > 0).then(|| StreamQuality {
                session: one.session.clone().unwrap_or_default(),
                video: one.video,
                loss: lost as f32 / expected as f32,
                jitter_ms: (one.jitter * 1000.0) as f32,
            })
        });
        let streams = streams
            .filter(|one| one.session != SessionId::default())
            .collect();
        let path = self.rtc.pairs.iter().find(|pair| pair.nominated);
        let path = path.map(|pair| MediaPath {
            relayed: pair.local_type == "relay" || pair.remote_type == "relay",
            tcp: pair.local_protocol == "tcp",
        });
        (streams, path)
    }

    /// The ways that were tried, as they are shown.
    pub(super) fn ways(&self) -> Vec<TriedWay> {
        let way = |pair: &PairStats| TriedWay {
            local: pair.local_type.clone(),
            remote: pair.remote_type.clone(),
            protocol: pair.local_protocol.clone(),
            state: match &*pair.state {
                _ if pair.nominated => WayState::InUse,
                "succeeded" => WayState::Open,
                "failed" => WayState::Failed,
                _ => WayState::Trying,
            },
        };
        self.rtc.pairs.iter().map(way).collect()
    }

    pub(super) fn sampled(&mut self, unix: Millis, quality: &Quality) {
        self.quality = Some((unix, *quality));
    }

    /// JSON; `{}` before the first call.
    fn json(&self) -> String {
        let Some(channel) = &self.channel else {
            return "{}".to_owned();
        };
        let (at, quality) = self.quality.unwrap_or_default();
        let rtt = f64::from(quality.rtt_ms) / 1000.0;
        let tracks = self.rtc.streams.iter().map(track);
        let streams = self.rtc.streams.iter();
        let streams = streams.map(|one| format!("\"{}\":{}", one.ssrc, stream(one, at, rtt)));
        let mut pairs: BTreeMap<&str, Vec<&PairStats>> = BTreeMap::new();
        for pair in &self.rtc.pairs {
            pairs.entry(&pair.state).or_default().push(pair);
        }
        let pairs = pairs.into_iter().map(|(state, mut pairs)| {
            pairs.sort_by_key(|pair| !pair.nominated);
            let list = pairs
                .into_iter()
                .enumerate()
                .map(|(n, pair)| ice(n, pair, at, rtt));
            format!("{}:[{}]", text(state), join(list))
        });
        format!(
            "{{\"initTime\":{},\"channelID\":{},\"tracksInfo\":[{}],\
             \"rtcStats\":{{\"ssrcStats\":{{{}}},\"iceStats\":{{{}}}}}}}",
            self.init_at,
            text(channel.as_str()),
            join(tracks),
            join(streams),
            join(pairs),
        )
    }
}

fn kind(stream: &StreamStats) -> &'static str {
    if stream.video { "video" } else { "audio" }
}

fn track(stream: &StreamStats) -> String {
    let (kind, ssrc) = (kind(stream), stream.ssrc);
    format!(
        "{{\"id\":\"{ssrc}\",\"streamID\":\"{ssrc}\",\"kind\":\"{kind}\",\"label\":\"{kind}\",\
         \"enabled\":true,\"readyState\":\"live\"}}"
    )
}

/// `local` is what this end counts, `remote` what the other end reports.
fn stream(one: &StreamStats, at: Millis, rtt: f64) -> String {
    let kind = kind(one);
    if one.sent {
        format!(
            "{{\"local\":{{\"out\":{{\"timestamp\":{at},\"kind\":\"{kind}\",\"packetsSent\":{},\"bytesSent\":{}}}}},\
             \"remote\":{{\"in\":{{\"timestamp\":{at},\"kind\":\"{kind}\",\"packetsLost\":{},\"fractionLost\":{},\
             \"jitter\":{},\"roundTripTime\":{}}}}}}}",
            one.packets,
            one.bytes,
            one.lost,
            number(one.fraction_lost),
            number(one.jitter),
            number(rtt),
        )
    } else {
        format!(
            "{{\"local\":{{\"in\":{{\"timestamp\":{at},\"kind\":\"{kind}\",\"packetsReceived\":{},\
             \"bytesReceived\":{},\"packetsLost\":{},\"jitter\":{}}}}},\"remote\":{{}}}}",
            one.packets,
            one.bytes,
            one.lost,
            number(one.jitter),
        )
    }
}

fn ice(n: usize, pair: &PairStats, at: Millis, rtt: f64) -> String {
    let end = |kind: &str, protocol: &str| {
        format!(
            "{{\"candidateType\":{},\"protocol\":{}}}",
            text(kind),
            text(protocol)
        )
    };
    format!(
        "{{\"id\":\"{n}\",\"timestamp\":{at},\"nominated\":{},\"state\":{},\"currentRoundTripTime\":{},\
         \"local\":{},\"remote\":{}}}",
        pair.nominated,
        text(&pair.state),
        number(rtt),
        end(&pair.local_type, &pair.local_protocol),
        end(&pair.remote_type, &pair.remote_protocol),
    )
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// JSON has no infinities.
fn number(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// A JSON string.
fn text(plain: &str) -> String {
    let mut quoted = String::from('"');
    for c in plain.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => {
                // Writing into a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Base64 of RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::new();
    for three in bytes.chunks(3) {
        let at = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            if digit > three.len() {
                coded.push('=');
            } else {
                let six = (bits >> (18 - 6 * digit)) & 63;
                coded.push(char::from(DIGITS[six as usize]));
            }
        }
    }
    coded
}

impl Call {
    /// The third word of `/call stats`.
    pub(crate) fn stats_word(&self) -> String {
        base64(self.stats.json().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::Value;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("{}", "e30="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn each_person_has_the_figures_of_the_last_seconds_and_the_way_is_told() {
        let mut stats = Stats::new(ChannelId::from("ch"), 7);
        let counters = |packets, lost, kind: &str, protocol: &str| RtcStats {
            streams: vec![
                StreamStats {
                    ssrc: 6,
                    session: Some("bob".into()),
                    packets,
                    lost,
                    jitter: 0.004,
                    ..StreamStats::default()
                },
                StreamStats {
                    ssrc: 7,
                    sent: true,
                    packets: 1000,
                    ..StreamStats::default()
                },
            ],
            pairs: vec![PairStats {
                nominated: true,
                local_type: kind.to_owned(),
                local_protocol: protocol.to_owned(),
                ..PairStats::default()
            }],
        };
        let (first, path) = stats.measured(counters(100, 0, "host", "udp"));
        assert_eq!(first.len(), 1, "what we send is not among it");
        assert_eq!((first[0].session.as_str(), first[0].loss), ("bob", 0.0));
        assert_eq!(
            path,
            Some(MediaPath {
                relayed: false,
                tcp: false
            })
        );
        let (next, path) = stats.measured(counters(190, 10, "host", "tcp"));
        assert!((next[0].loss - 0.1).abs() < 1e-6 && (next[0].jitter_ms - 4.0).abs() < 1e-6);
        assert_eq!(
            path,
            Some(MediaPath {
                relayed: false,
                tcp: true
            })
        );
        let (silent, path) = stats.measured(counters(190, 10, "relay", "udp"));
        assert_eq!(silent, [], "who says nothing loses nothing");
        assert_eq!(
            path,
            Some(MediaPath {
                relayed: true,
                tcp: false
            })
        );
        let (late, _) = stats.measured(counters(200, 8, "relay", "udp"));
        assert_eq!(late[0].loss, 0.0);
    }

    #[test]
    fn every_way_that_was_tried_is_shown_with_what_came_of_it() {
        let pair = |state: &str, nominated, local: &str, protocol: &str| PairStats {
            state: state.to_owned(),
            nominated,
            local_type: local.to_owned(),
            local_protocol: protocol.to_owned(),
            remote_type: "host".to_owned(),
            remote_protocol: protocol.to_owned(),
        };
        let mut stats = Stats::new(ChannelId::from("ch"), 7);
        assert_eq!(stats.ways(), []);
        stats.measured(RtcStats {
            streams: Vec::new(),
            pairs: vec![
                pair("succeeded", true, "relay", "udp"),
                pair("succeeded", false, "host", "tcp"),
                pair("failed", false, "host", "udp"),
                pair("in-progress", false, "srflx", "udp"),
                pair("frozen", false, "prflx", "udp"),
            ],
        });
        let told: Vec<_> = (stats.ways().into_iter())
            .map(|way| {
                format!(
                    "{} {} {} {:?}",
                    way.local, way.remote, way.protocol, way.state
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "relay host udp InUse",
                "host host tcp Open",
                "host host udp Failed",
                "srflx host udp Trying",
                "prflx host udp Trying",
            ]
        );
    }

    #[test]
    fn the_statistics_have_the_documented_shape() {
        assert_eq!(Stats::default().json(), "{}");
        let mut stats = Stats::new(ChannelId::from("ch\"1"), 7);
        stats.sampled(
            9,
            &Quality {
                rtt_ms: 20.0,
                ..Quality::default()
            },
        );
        stats.measured(RtcStats {
            streams: vec![
                StreamStats {
                    ssrc: 5,
                    sent: true,
                    packets: 3,
                    jitter: f64::NAN,
                    ..StreamStats::default()
                },
                StreamStats {
                    ssrc: 6,
                    video: true,
                    lost: 2,
                    ..StreamStats::default()
                },
            ],
            pairs: vec![PairStats {
                state: "succeeded".to_owned(),
                nominated: true,
                local_type: "host".to_owned(),
                local_protocol: "udp".to_owned(),
                ..PairStats::default()
            }],
        });
        let json: Value = serde_json::from_str(&stats.json()).unwrap();
        assert_eq!(json["initTime"], 7);
        assert_eq!(json["channelID"], "ch\"1");
        assert_eq!(json["tracksInfo"][1]["kind"], "video");
        let streams = &json["rtcStats"]["ssrcStats"];
        assert_eq!(streams["5"]["local"]["out"]["packetsSent"], 3);
        assert_eq!(streams["5"]["remote"]["in"]["jitter"], 0.0);
        assert_eq!(streams["6"]["local"]["in"]["packetsLost"], 2);
        let pair = &json["rtcStats"]["iceStats"]["succeeded"][0];
        assert_eq!(pair["local"]["candidateType"], "host");
    }
}
