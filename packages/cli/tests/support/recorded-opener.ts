import { CommandError } from "../../src/command/errors.ts";
import type { UrlOpener } from "../../src/command/url-opener.ts";

/** The opener of a machine without a browser. */
export const noOpener: UrlOpener = {
  obstacle: "there is no display",
  open: async () => {
    throw new CommandError("opened without a display");
  },
};

/** An opener that records its calls, and may fail. */
export interface RecordedOpener extends UrlOpener {
  readonly opened: readonly string[];
}

export function recordedOpener(problem?: string): RecordedOpener {
  const opened: string[] = [];
  return {
    obstacle: undefined,
    opened,
    open: async ({ href }) => {
      opened.push(href);
      if (problem !== undefined) throw new CommandError(problem);
    },
  };
}
