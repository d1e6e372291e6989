//! Which ways ICE has tried, out of the stack's report.

use calls_core::model::PairStats;
use serde::Serialize;
use webrtc::peer_connection::{RTCStatsReport, RTCStatsReportEntry};

/// Most pairs told; a machine with many addresses has hundreds that nobody reads.
const MOST: usize = 16;

/// The pairs, those in use first.
pub(super) fn pairs(report: &RTCStatsReport) -> Vec<PairStats> {
    let end = |id: &str| match report.get(id) {
        Some(
            RTCStatsReportEntry::LocalCandidate(one) | RTCStatsReportEntry::RemoteCandidate(one),
        ) => (word(&one.candidate_type), one.protocol.clone()),
        _ => (String::new(), String::new()),
    };
    let mut pairs: Vec<_> = report
        .candidate_pairs()
        .map(|pair| {
            let (local_type, local_protocol) = end(&pair.local_candidate_id);
            let (remote_type, remote_protocol) = end(&pair.remote_candidate_id);
            PairStats {
                state: word(&pair.state),
                nominated: pair.nominated,
                local_type,
                local_protocol,
                remote_type,
                remote_protocol,
            }
        })
        .collect();
    pairs.sort_by_key(|pair| (!pair.nominated, pair.state != "succeeded"));
    pairs.truncate(MOST);
    pairs
}

/// As the standard spells it.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    let text = value.as_ref().and_then(|value| value.as_str());
    text.unwrap_or_default().to_owned()
}
