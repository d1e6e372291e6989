//! Who to sign in as, by the command line and the environment.

use calls_core::port::Secret;

use crate::args::Common;

/// Where the password comes from, if anywhere.
const PASSWORD: &str = "HALLOO_PASSWORD";
/// Where a token comes from, if anywhere.
const TOKEN: &str = "HALLOO_TOKEN";

/// Why the client cannot start as asked. All are the command line's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StartError {
    /// A secret without a server to give it to.
    #[error("{TOKEN} and {PASSWORD} need --server")]
    NoServer,
    /// A password without a name.
    #[error("{PASSWORD} needs --user")]
    NoUser,
    /// Nothing to sign in with, and nobody to ask.
    #[error("--server and either {TOKEN}, or --user and {PASSWORD}, are needed")]
    NothingToSignInWith,
}

/// Who to sign in as without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// With a session or personal access token.
    Token(Secret),
    /// With name and password.
    Password {
        /// User name or e-mail address.
        login: String,
        /// Password.
        password: Secret,
    },
}

impl Credentials {
    /// What the command line and the environment give; `None` if they give nothing.
    ///
    /// # Errors
    ///
    /// When they give half of it.
    pub(crate) fn given(common: &Common) -> Result<Option<Self>, StartError> {
        // An empty variable is what scripts have that did not find their secret.
        let variable = |name| {
            std::env::var(name)
                .ok()
                .filter(|text| !text.is_empty())
                .map(Secret::new)
        };
        Self::from_parts(common, variable(TOKEN), variable(PASSWORD))
    }

    fn from_parts(
        common: &Common,
        token: Option<Secret>,
        password: Option<Secret>,
    ) -> Result<Option<Self>, StartError> {
        let found = match (token, password) {
            (Some(token), _) => Self::Token(token),
            (None, Some(password)) => Self::Password {
                login: common.user.clone().ok_or(StartError::NoUser)?,
                password,
            },
            (None, None) => return Ok(None),
        };
        if common.server.is_none() {
            return Err(StartError::NoServer);
        }
        Ok(Some(found))
    }

    pub(super) fn secret(&self) -> &str {
        match self {
            Self::Token(secret)
            | Self::Password {
                password: secret, ..
            } => secret.reveal(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn credentials_are_whole_or_refused() {
        let common = |server: bool, user: bool| Common {
            server: server.then(|| "https://a".to_owned()),
            user: user.then(|| "alice".to_owned()),
            ..Common::default()
        };
        let secret = || Some(Secret::new("x"));
        let parts = Credentials::from_parts;
        assert_eq!(parts(&common(true, true), None, None), Ok(None));
        assert_eq!(
            parts(&common(true, false), secret(), None),
            Ok(Some(Credentials::Token(Secret::new("x"))))
        );
        assert!(matches!(
            parts(&common(true, true), None, secret()),
            Ok(Some(Credentials::Password { .. }))
        ));
        assert_eq!(
            parts(&common(true, false), None, secret()),
            Err(StartError::NoUser)
        );
        assert_eq!(
            parts(&common(false, true), None, secret()),
            Err(StartError::NoServer)
        );
        assert_eq!(
            parts(&common(false, false), secret(), None),
            Err(StartError::NoServer)
        );
    }

    #[test]
    fn nothing_secret_is_printed_by_mistake() {
        let given = Credentials::Password {
            login: "alice".to_owned(),
            password: Secret::new("hush"),
        };
        assert!(!format!("{given:?}").contains("hush"));
    }
}
