import { basename, join } from "node:path";

import { shellWord } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";

type Variables = Readonly<Record<string, string | undefined>>;

/** The file that a POSIX shell reads before its first prompt, and the directory of the one that zsh reads first. */
const [posixFile, zshDirectory] = ["login.sh", "zsh"];
/** The file that a non-interactive bash reads; its children do not read it again. */
const bashFile = "login.bash";

/**
 * Writes the files by which login shells find the commands of a directory, since system profiles, such as Debian's,
 * replace PATH. Does not change files of the user or of the machine.
 */
export async function writeLoginFiles(commandDirectory: string): Promise<void> {
  const addition = pathAddition(commandDirectory);
  await replaceFile(join(commandDirectory, posixFile), `${addition}\n`, { mode: 0o600 });
  const once = `${addition}\nunset BASH_ENV\n`;
  await replaceFile(join(commandDirectory, bashFile), once, { mode: 0o600 });
  const directory = join(commandDirectory, zshDirectory);
  await makeDirectories(directory, 0o700);
  await replaceFile(join(directory, ".zshenv"), zshEnvironment(addition), { mode: 0o600 });
}

/**
 * Returns the variables by which a login shell adds the directory to PATH after it has read all profiles: before the first
 * prompt, and in bash also before commands from a pipe. Keeps what `environment` already has for the shell.
 */
export function loginVariables(
  shell: string,
  commandDirectory: string,
  environment: Variables,
): Readonly<Record<string, string>> {
  switch (basename(shell)) {
    case "bash": {
      const parts = [environment["PROMPT_COMMAND"], pathAddition(commandDirectory)];
      return {
        PROMPT_COMMAND: parts.filter(Boolean).join("\n"),
        BASH_ENV: environment["BASH_ENV"] ?? join(commandDirectory, bashFile),
      };
    }
    case "zsh":
      return {
        ZDOTDIR: join(commandDirectory, zshDirectory),
        SLIPWAY_ZDOTDIR: environment["ZDOTDIR"] ?? "",
      };
    case "sh":
    case "dash":
    case "ash":
    case "ksh":
    case "mksh":
      return { ENV: environment["ENV"] ?? join(commandDirectory, posixFile) };
    default:
      return {};
  }
}

function pathAddition(directory: string): string {
  const word = shellWord(directory);
  return `case ":$PATH:" in *:${word}:*) ;; *) PATH=$PATH:${word} ;; esac`;
}

/** Returns a `.zshenv` that restores ZDOTDIR, so that zsh reads the user's other files. */
function zshEnvironment(addition: string): string {
  return [
    'if [ -n "${SLIPWAY_ZDOTDIR-}" ]; then export ZDOTDIR=$SLIPWAY_ZDOTDIR; else unset ZDOTDIR; fi',
    "unset SLIPWAY_ZDOTDIR",
    `_slipway_path() { ${addition}; precmd_functions=(\${precmd_functions:#_slipway_path}); }`,
    "typeset -ga precmd_functions",
    "precmd_functions+=(_slipway_path)",
    'if [ -r "${ZDOTDIR:-$HOME}/.zshenv" ]; then . "${ZDOTDIR:-$HOME}/.zshenv"; fi',
    "",
  ].join("\n");
}
