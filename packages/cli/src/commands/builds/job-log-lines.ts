import type { JobLog } from "@slipway/api";

import type { Colors } from "../../terminal/colors.ts";
import { levelText, lineOf } from "./log-text.ts";

/** Turns the log of a build or an import into lines: a headline when a stage begins, its output below. */
export class JobLogLines {
  readonly #colors: Colors;
  readonly #errors = new Set<string>();
  #stage = "";

  constructor(colors: Colors) {
    this.#colors = colors;
  }

  /** The lines of one entry; an entry of empty output only begins a stage (`clients.md` section 2.6). */
  next(entry: JobLog): string[] {
    const lines: string[] = [];
    if (entry.stage !== this.#stage && entry.stage !== "") {
      lines.push(this.#colors.bold(`==> ${entry.stage}`));
    }
    this.#stage = entry.stage;
    const text = lineOf(entry);
    if (text === "") return lines;
    this.#remember(entry, text);
    return [...lines, levelText(`    ${text}`, entry.log_level, this.#colors)];
  }

  /** Whether the log has said this already, as errors. */
  hasShown(error: string): boolean {
    const lines = error.split("\n").map((line) => line.trim());
    return lines.every((line) => line === "" || this.#errors.has(line));
  }

  #remember(entry: JobLog, text: string): void {
    if (entry.log_level === "error") this.#errors.add(text.trim());
  }
}
