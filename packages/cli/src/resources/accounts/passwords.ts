import { UsageError } from "../../command/errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";

type PasswordTerminal = Pick<Terminal, "interactive" | "prompts" | "readInput">;

/** Reads a new password: prompts twice on a terminal, otherwise takes the first line of stdin. */
export async function readNewPassword(terminal: PasswordTerminal): Promise<string> {
  if (!terminal.interactive) return firstLines(await terminal.readInput(), 1)[0] ?? "";
  return askNewPassword(terminal);
}

/** Reads the current and the new password: prompts on a terminal, otherwise takes two lines of stdin. */
export async function readOwnPasswords(
  terminal: PasswordTerminal,
): Promise<{ readonly current: string; readonly next: string }> {
  if (!terminal.interactive) {
    const [current = "", next = ""] = firstLines(await terminal.readInput(), 2);
    return { current, next };
  }
  const current = await terminal.prompts.password("Current password");
  return { current, next: await askNewPassword(terminal) };
}

async function askNewPassword({ prompts }: PasswordTerminal): Promise<string> {
  const password = await prompts.password("New password");
  if ((await prompts.password("Confirm new password")) === password) return password;
  throw new UsageError("the passwords do not match", "nothing was changed: try again");
}

function firstLines(text: string, count: number): readonly string[] {
  const lines = text.split(/\r?\n/).slice(0, count);
  if (lines.length === count && lines.every((line) => line !== "")) return lines;
  throw new UsageError(
    count === 1
      ? "no password on stdin"
      : "the current and the new password are missing from stdin",
    `write ${count === 1 ? "it on one line" : "each on its own line"}`,
  );
}

const length = 24;
const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/** Generates a password of visually distinct letters and digits; about 139 bits. */
export function generatePassword(): string {
  const letters: string[] = [];
  while (letters.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // The uneven remainder is left out, so that no letter is more likely.
      if (byte < 256 - (256 % alphabet.length))
        letters.push(alphabet.charAt(byte % alphabet.length));
    }
  }
  return letters.slice(0, length).join("");
}
