//! How somebody wants the console to look and listen: kept in cookies, so that the page arrives as it is wanted. They hold
//! preferences and no right, so they need no protection.

use http::{header, request::Parts};
use leptos::prelude::*;

/// All of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The colours.
    pub theme: Theme,
    /// How times are written.
    pub times: Times,
    /// Whether single keys do something.
    pub keys: Keys,
}

/// A choice among words, kept under its cookie's name.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident in $cookie:literal { $($(#[$each:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$each])* $variant),+ }

        impl $name {
            /// Every choice; the first is what it is unless somebody chose.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// The name of the cookie and of the form's field.
            pub const COOKIE: &'static str = $cookie;

            /// The word in form and cookie.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The choice of that name; the default for anything else.
            pub fn from_name(name: &str) -> Self {
                Self::ALL.iter().copied().find(|choice| choice.name() == name).unwrap_or_default()
            }

            fn from_cookies(header: &str) -> Self {
                let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
                pairs.find(|(name, _)| *name == $cookie).map(|(_, value)| Self::from_name(value)).unwrap_or_default()
            }
        }
    };
}

choice! {
    /// Light, dark, or as the system says.
    Theme in "theme" {
        /// As the system says.
        #[default]
        Auto = "auto",
        /// Always light.
        Light = "light",
        /// Always dark.
        Dark = "dark",
    }
}

choice! {
    /// Which of the two a time shows; the other one is in its tooltip.
    Times in "times" {
        /// How long ago.
        #[default]
        Relative = "relative",
        /// By date and clock.
        Absolute = "absolute",
    }
}

choice! {
    /// Whether single keys do something (WCAG 2.1.4). Keys with Ctrl or Cmd always do.
    Keys in "keys" {
        /// They do.
        #[default]
        On = "on",
        /// They do not.
        Off = "off",
    }
}

impl Preferences {
    /// What a `Cookie` header asks for.
    pub fn from_cookies(header: &str) -> Self {
        Self {
            theme: Theme::from_cookies(header),
            times: Times::from_cookies(header),
            keys: Keys::from_cookies(header),
        }
    }

    /// What the request's cookies ask for.
    pub fn of_request() -> Self {
        let header = |parts: Parts| Some(Self::from_cookies(parts.headers.get(header::COOKIE)?.to_str().ok()?));
        use_context::<Parts>().and_then(header).unwrap_or_default()
    }

    /// What this page was asked with; the defaults outside of a page.
    pub fn current() -> Self {
        use_context().unwrap_or_default()
    }

    /// The `Set-Cookie` headers that keep all of it for a year.
    pub fn set_cookies(self) -> [String; 3] {
        // Lax: whoever comes by a link from elsewhere gets their colours, too.
        let kept = |name: &str, value: &str| {
            format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax; Secure; HttpOnly")
        };
        [
            kept(Theme::COOKIE, self.theme.name()),
            kept(Times::COOKIE, self.times.name()),
            kept(Keys::COOKIE, self.keys.name()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_from_its_own_cookie_and_from_no_other() {
        let found = Preferences::from_cookies("a=b; theme=dark; keys=off; times=absolute");
        assert_eq!(found, Preferences { theme: Theme::Dark, times: Times::Absolute, keys: Keys::Off });
        assert_eq!(Preferences::from_cookies("mytheme=dark; theme=pink"), Preferences::default());
    }

    #[test]
    fn what_is_kept_is_what_comes_back() {
        let chosen = Preferences { theme: Theme::Light, times: Times::Absolute, keys: Keys::Off };
        let sent: Vec<String> =
            chosen.set_cookies().iter().map(|c| c.split(';').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(Preferences::from_cookies(&sent.join("; ")), chosen);
    }
}
