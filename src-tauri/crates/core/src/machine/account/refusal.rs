//! Why a server was not found or does not let us in, as notice codes.

use crate::port::{Distrust, RequestError};

use super::super::notices::Draft;
use super::super::out::{Asked, Out};

/// Notices about a sign-in that failed are solved by the next try.
pub(super) fn clear_refusals(out: &mut Out) {
    for code in [
        "account.wrong",
        "account.bad_token",
        "account.mfa_needed",
        "account.bad_code",
        "account.locked",
        "account.inactive",
        "account.unverified",
        "account.mfa_enrol",
        "account.refused",
        "sso.stale",
        "sso.refused",
        "link.busy",
        "link.lost",
    ] {
        out.notices.solve(code);
    }
}

/// The address without scheme: what people call a server.
pub(super) fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, host)| host)
}

fn untrusted_code(distrust: &Distrust) -> &'static str {
    if distrust.changed {
        "server.changed"
    } else {
        "server.untrusted"
    }
}

/// A certificate that is not trusted, as far as it can be shown to a person, who may trust it.
pub(super) fn certified(notice: Draft, distrust: &Distrust) -> Draft {
    let Some(certificate) = &distrust.certificate else {
        return notice;
    };
    notice
        .value("host", &distrust.host)
        .value("fingerprint", certificate.fingerprint.as_str())
        .value("subject", &certificate.subject)
        .value("issuer", &certificate.issuer)
        .value("from", certificate.not_before.to_string())
        .value("until", certificate.not_after.to_string())
}

pub(super) fn unreachable_code(error: &RequestError) -> &'static str {
    match error {
        RequestError::Offline(_) | RequestError::TimedOut => "server.none",
        RequestError::Untrusted(distrust) => untrusted_code(distrust),
        RequestError::RateLimited { .. } => "link.busy",
        RequestError::NotUnderstood(_)
        | RequestError::Unauthorised
        | RequestError::Refused { .. } => "server.not_mattermost",
    }
}

/// Why a sign-in failed (mattermost-core §3.1).
pub(super) fn refusal(asked: &Asked, error: &RequestError) -> &'static str {
    match error {
        RequestError::Unauthorised if *asked == Asked::Outside => "sso.stale",
        RequestError::Refused { id, .. } if *asked == Asked::Outside && !id.is_empty() => {
            match id.as_str() {
                "app.desktop_token.validate.invalid" => "sso.stale",
                _ => "sso.refused",
            }
        }
        RequestError::Unauthorised if *asked == Asked::Token => "account.bad_token",
        RequestError::Unauthorised => "account.wrong",
        RequestError::Refused { id, status, .. } => match id.as_str() {
            "mfa.validate_token.authenticate.app_error" => "account.mfa_needed",
            "api.user.check_user_mfa.bad_code.app_error" => "account.bad_code",
            "api.user.login.blank_pwd.app_error" => "account.wrong",
            "api.user.login.inactive.app_error" => "account.inactive",
            "api.user.login.not_verified.app_error" => "account.unverified",
            "api.context.mfa_required.app_error" => "account.mfa_enrol",
            id if id.contains("invalid_credentials") => "account.wrong",
            id if id.starts_with("api.user.check_user_login_attempts.too_many") => "account.locked",
            "" if *status >= 500 => "server.none",
            _ if *asked == Asked::Token && *status == 401 => "account.bad_token",
            _ => "account.refused",
        },
        _ => unreachable_code(error),
    }
}

/// Adds the error's own words.
pub(crate) fn detailed(notice: Draft, error: &RequestError) -> Draft {
    let notice = match error {
        RequestError::Untrusted(distrust) => certified(notice, distrust),
        _ => notice,
    };
    notice.detail(match error {
        RequestError::Refused { message, .. } if !message.is_empty() => message.clone(),
        error => error.to_string(),
    })
}
