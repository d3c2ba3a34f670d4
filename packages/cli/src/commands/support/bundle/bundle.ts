import { type Clock, errorText, withDeadline } from "@slipway/runtime";

import { type Allowance, words } from "./allowed-fields.ts";
import { hideInWords, type HideSecrets } from "./secret-text.ts";

/** The timeout of one part, and the maximum bytes of one part and of all. */
const partTimeoutMs = 30_000;
export const maxPartBytes = 2 * 1024 * 1024;
export const maxBundleBytes = 32 * 1024 * 1024;

/** A file of a bundle. */
export interface BundleFile {
  readonly name: string;
  readonly text: string;
}

/** A part that could not be collected. */
interface MissingPart {
  readonly part: string;
  readonly problem: string;
}

interface BundleNeeds {
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
}

/**
 * The files of a bundle as they are collected. A part that cannot be collected is noted; an aborted signal ends the
 * collection with its reason.
 */
export class Bundle {
  readonly #files: BundleFile[] = [];
  readonly #missing: MissingPart[] = [];
  readonly #needs: BundleNeeds;
  #bytes = 0;
  #hide: HideSecrets;

  constructor(hide: HideSecrets, needs: BundleNeeds) {
    this.#hide = hide;
    this.#needs = needs;
  }

  /** Also removes these secrets from the parts that follow. */
  hideWith(hide: HideSecrets): void {
    this.#hide = hide;
  }

  get files(): readonly BundleFile[] {
    return this.#files;
  }

  get missing(): readonly MissingPart[] {
    return this.#missing;
  }

  /** Adds the allowed fields of a value as JSON; resolves with the value, or undefined if it could not be read. */
  async addJson<T>(
    name: string,
    allowance: Allowance,
    read: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    return this.#add(name, read, (found) => {
      const text = JSON.stringify(allowance(found, this.#hide) ?? null, undefined, 2);
      if (text.length > maxPartBytes) throw tooLarge(maxPartBytes);
      return `${text}\n`;
    });
  }

  /** Adds the last lines of a log. */
  async addLog(
    name: string,
    read: (signal: AbortSignal) => Promise<readonly string[]>,
  ): Promise<void> {
    // Secrets are removed before the text is cut: one that was cut in two would not be recognized.
    await this.#add(name, read, (lines) => lastLines(hideInWords(this.#hide)(lines.join("\n"))));
  }

  /** Notes a part that is known to be missing. */
  miss(part: string, problem: string): void {
    this.#missing.push({ part, problem: String(words(problem, this.#hide)) });
  }

  /** Reads data for later parts of the bundle; undefined, with a note, if it cannot be read. */
  async read<T>(part: string, read: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const { clock, signal } = this.#needs;
    try {
      return await withDeadline(partTimeoutMs, clock, (limit) =>
        read(AbortSignal.any([signal, limit])),
      );
    } catch (error) {
      signal.throwIfAborted();
      this.miss(part, errorText(error));
      return undefined;
    }
  }

  async #add<T>(
    name: string,
    read: (signal: AbortSignal) => Promise<T>,
    textOf: (found: T) => string,
  ): Promise<T | undefined> {
    const found = await this.read(name, read);
    if (found === undefined) return undefined;
    try {
      const text = textOf(found);
      const bytes = Buffer.byteLength(text);
      if (this.#bytes + bytes > maxBundleBytes) throw tooLarge(maxBundleBytes);
      this.#bytes += bytes;
      this.#files.push({ name, text });
      return found;
    } catch (error) {
      this.miss(name, errorText(error));
    }
    return found;
  }
}

function lastLines(text: string): string {
  if (text.length <= maxPartBytes) return `${text}\n`;
  const rest = text.slice(-maxPartBytes);
  return `… (older lines left out)\n${rest.slice(rest.indexOf("\n") + 1)}\n`;
}

function tooLarge(maxBytes: number): RangeError {
  return new RangeError(`left out: more than ${maxBytes} bytes`);
}
