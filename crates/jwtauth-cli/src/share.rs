//! `jwtauth share`: writes the files that are installed next to the program.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::ending::{Ending, Misuse};
use crate::screen;

/// The arguments of `share`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder, such as /usr/local/share
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Writes a man page for each command, and the completion scripts, to the places below `share` where the shells and
/// `man` find them.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn run(arguments: &Arguments, program: Command) -> Result<Ending, Misuse> {
    for (folder, name, shell) in COMPLETIONS {
        write(
            &arguments.folder.join(folder),
            name,
            &script(shell, &mut program.clone()),
        )?;
    }
    let mut program = program.disable_help_subcommand(true);
    program.build();
    pages(&program, "jwtauth", &arguments.folder.join("man/man1"))?;
    Ok(Ending::Well)
}

/// Prints the completion script for a shell: `jwtauth completions`.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn show(shell: Shell, mut program: Command) -> Result<Ending, Misuse> {
    screen::show(&String::from_utf8_lossy(&script(shell, &mut program)))?;
    Ok(Ending::Well)
}

/// The script is made in the memory: its maker panics if it cannot be written.
fn script(shell: Shell, program: &mut Command) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, program, "jwtauth", &mut script);
    script
}

fn pages(command: &Command, name: &str, folder: &Path) -> Result<(), Misuse> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone().display_name(name));
    man.render(&mut page)
        .map_err(|why| Misuse::new(format!("cannot make the man page {name}: {why}")))?;
    write(folder, &format!("{name}.1"), &page)?;
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    commands.into_iter().try_for_each(|command| {
        let name = format!("{name}-{}", command.get_name());
        pages(command, &name, folder)
    })
}

fn write(folder: &Path, name: &str, content: &[u8]) -> Result<(), Misuse> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, content))
        .map_err(|why| Misuse::new(format!("cannot write {}: {why}", path.display())))
}

/// The folder and the name of each completion script.
const COMPLETIONS: [(&str, &str, Shell); 3] = [
    ("bash-completion/completions", "jwtauth", Shell::Bash),
    ("zsh/site-functions", "_jwtauth", Shell::Zsh),
    ("fish/vendor_completions.d", "jwtauth.fish", Shell::Fish),
];
