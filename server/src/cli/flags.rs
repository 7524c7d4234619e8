//! The settings as flags: every one that is no secret has its own, whatever the command.

use crate::config::{Given, Setting, settings};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

/// What was given as flags, by the settings' names.
#[derive(Debug)]
pub struct Flags(pub Given);

/// The flag of a setting; none where it is a secret.
fn flag(setting: &'static Setting) -> Option<Arg> {
    let flag = setting.as_flag()?;
    let action = if flag.repeats { ArgAction::Append } else { ArgAction::Set };
    let arg = Arg::new(setting.name).long(setting.name).global(true).action(action);
    Some(arg.value_name(flag.value).help(flag.help))
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.args(settings().filter_map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = settings().filter(|setting| !setting.is_secret()).filter_map(|setting| {
            // What is given several times is a list: a line each.
            let texts: Vec<&str> = matches.get_many::<String>(setting.name)?.map(String::as_str).collect();
            Some((setting.name, texts.join("\n")))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::Parser as _;

    #[test]
    fn flags_are_known_before_and_after_the_command_and_lists_are_lines() {
        let line = "x --listen 127.0.0.1:1 config show --oidc-role a=viewer --oidc-role b=admin --scene demo";
        let flags = Cli::try_parse_from(line.split(' ')).unwrap().flags.0;
        let given: Vec<_> = flags.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(given, [("listen", "127.0.0.1:1"), ("oidc-role", "a=viewer\nb=admin"), ("scene", "demo")]);
        for secret in ["--admin-password", "--holmes-api-key", "--oidc-client-secret"] {
            assert!(Cli::try_parse_from(["x", secret, "hunter2"]).is_err(), "{secret}");
        }
    }
}
