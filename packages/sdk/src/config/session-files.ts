import { readFileSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";

/** A stored session: the server and the token that it issued. */
export interface StoredSession {
  readonly url: string;
  readonly token: string;
}

/** The contents of the directory; either part may be missing. */
export interface StoredParts {
  readonly url: string | undefined;
  readonly token: string | undefined;
}

const directoryMode = 0o700;
const fileMode = 0o600;

/** Stores the session as the files `url` and `session`, for their owner only (docs/protocol/clients.md §0.5). */
export class SessionFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async read(): Promise<StoredParts> {
    return { url: this.#readFile("url"), token: this.#readFile("session") };
  }

  async write(session: StoredSession): Promise<void> {
    await makeDirectories(this.directory, directoryMode);
    // An existing directory keeps its mode, which may be open to others.
    await chmod(this.directory, directoryMode);
    await this.#writeFile("url", session.url);
    await this.#writeFile("session", session.token);
  }

  /** Deletes the token; the address stays as the default for the next login. */
  async forgetToken(): Promise<void> {
    await rm(join(this.directory, "session"), { force: true });
  }

  /** Reads a file of a few bytes; loading the asynchronous functions takes a short command longer. */
  #readFile(name: string): string | undefined {
    try {
      const text = readFileSync(join(this.directory, name), "utf8").trim();
      return text === "" ? undefined : text;
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
      throw error;
    }
  }

  /** Replaces the file atomically, so that a concurrent command reads the old one or the new one. */
  async #writeFile(name: string, text: string): Promise<void> {
    await replaceFile(join(this.directory, name), `${text}\n`, { mode: fileMode });
  }
}
