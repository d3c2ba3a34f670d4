import { constants } from "node:os";

import { runError } from "./errors.ts";

const names: ReadonlySet<string> = new Set(Object.keys(constants.signals));

/** Parses the name of a signal, such as `SIGINT`, `INT` or `int`. Throws `ApiError`. */
export function parseSignal(text: string): NodeJS.Signals {
  const upper = text.toUpperCase();
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  if (isSignal(name)) return name;
  const detail = "wanted a name such as SIGINT, SIGTERM or SIGKILL";
  throw runError("invalid-request", "There is no such signal.", detail);
}

function isSignal(name: string): name is NodeJS.Signals {
  return names.has(name);
}
