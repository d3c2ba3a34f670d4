import { shellWord } from "@slipway/runtime";

import type { PreparedCommand } from "../../process/spawn-group.ts";

/**
 * Returns a command that applies the client's settings to its terminal, sets `SSH_TTY`, and becomes `command`. The
 * terminal's name is known only inside, and the settings must precede the command.
 */
export function terminalCommand(
  command: PreparedCommand,
  modes: ReadonlyMap<string, number>,
): PreparedCommand {
  const settings = sttyCalls(modes).map(
    (args) => `stty ${args.map(shellWord).join(" ")} 2>/dev/null`,
  );
  const script = ["SSH_TTY=$(tty) && export SSH_TTY", ...settings, 'exec "$@"'].join("; ");
  return { ...command, file: "/bin/sh", args: ["-c", script, "sh", command.file, ...command.args] };
}

/** Settings that every `stty` knows, by their names in RFC 4254, 8. */
const plain = [
  ["IGNPAR", "PARMRK", "INPCK", "ISTRIP", "INLCR", "IGNCR", "ICRNL", "IXON", "IXOFF"],
  ["ISIG", "ICANON", "ECHO", "ECHOE", "ECHOK", "ECHONL", "NOFLSH", "TOSTOP", "IEXTEN", "OPOST"],
].flat();
const plainCharacters: ReadonlyMap<string, string> = new Map([
  ["VINTR", "intr"],
  ["VQUIT", "quit"],
  ["VERASE", "erase"],
  ["VKILL", "kill"],
  ["VEOF", "eof"],
  ["VEOL", "eol"],
  ["VSTART", "start"],
  ["VSTOP", "stop"],
  ["VSUSP", "susp"],
]);

/** Settings that some versions of `stty` lack; they are made in a separate call, which may fail. */
const further = ["IXANY", "IMAXBEL", "IUTF8", "ECHOCTL", "ECHOKE", "ONLCR", "OCRNL"];
const furtherCharacters: ReadonlyMap<string, string> = new Map([
  ["VEOL2", "eol2"],
  ["VREPRINT", "rprnt"],
  ["VWERASE", "werase"],
  ["VLNEXT", "lnext"],
]);
const speeds: ReadonlyMap<string, string> = new Map([
  ["TTY_OP_ISPEED", "ispeed"],
  ["TTY_OP_OSPEED", "ospeed"],
]);

type Modes = ReadonlyMap<string, number>;

/** Returns the arguments of each call of `stty` that the client's settings need. Ignores unknown settings. */
export function sttyCalls(modes: Modes): readonly (readonly string[])[] {
  const calls = [
    [...flags(modes, plain), ...characters(modes, plainCharacters)],
    [...flags(modes, further), ...characters(modes, furtherCharacters)],
    [...speeds].flatMap(([name, word]) => {
      const value = modes.get(name);
      return value === undefined ? [] : [word, String(value)];
    }),
  ];
  return calls.filter((args) => args.length > 0);
}

function flags(modes: Modes, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = modes.get(name);
    if (value === undefined) return [];
    return [value === 0 ? `-${name.toLowerCase()}` : name.toLowerCase()];
  });
}

function characters(modes: Modes, names: ReadonlyMap<string, string>): string[] {
  return [...names].flatMap(([name, word]) => {
    const text = characterText(modes.get(name));
    return text === undefined ? [] : [word, text];
  });
}

/** Returns a character in the syntax of `stty`; 0 and 255 turn a function off. */
function characterText(code: number | undefined): string | undefined {
  if (code === undefined || (code > 127 && code !== 255)) return undefined;
  if (code === 0 || code === 255) return "^-";
  if (code === 127) return "^?";
  return code < 32 ? `^${String.fromCodePoint(code + 64)}` : String.fromCodePoint(code);
}
