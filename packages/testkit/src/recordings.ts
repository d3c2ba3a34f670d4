import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { parseHex } from "@slipway/wire/bytes/hex";

/*
 * Recordings of the bytes between stock peers. They are not part of the repository: they are in `shared` next to the
 * clone, or in the directory that SLIPWAY_SHARED names.
 */

/** A line of a recording; the README of the recordings describes each kind. */
export interface RecordedLine {
  readonly id: number;
  readonly kind: "http" | "upgrade" | "ws" | "raw" | "close";
  readonly method?: string;
  readonly path?: string;
  readonly request_headers?: Readonly<Record<string, string>>;
  readonly request_body?: string;
  readonly status?: number;
  readonly response_headers?: Readonly<Record<string, string>>;
  readonly response_body?: string;
  /** The sender: the client or the server. */
  readonly dir?: "c" | "s";
  /** The opcode of a WebSocket frame. */
  readonly op?: number;
  readonly hex?: string;
}

/** A piece of the data that one end of a connection sent. */
export interface RecordedChunk {
  readonly from: "c" | "s";
  readonly bytes: Uint8Array;
}

const shared =
  process.env["SLIPWAY_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
const directory = join(shared, "recordings");

/** Reads a recording, named like `routes` or `command/list`. Throws an error with a hint when it does not exist. */
export function readRecording(name: string): readonly RecordedLine[] {
  const path = join(directory, `${name}.jsonl`);
  if (!existsSync(path)) throw new Error(`${path} does not exist: set SLIPWAY_SHARED`);
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line): RecordedLine => JSON.parse(line));
}

/** Returns the names of all recordings in a folder, such as `agent`. */
export function recordingNames(folder: string): readonly string[] {
  return readdirSync(join(directory, folder))
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => `${folder}/${file.slice(0, -".jsonl".length)}`);
}

/** Returns the binary data of a connection, raw or from WebSocket frames, in pieces as recorded. */
export function recordedChunks(
  records: readonly RecordedLine[],
  id: number,
): readonly RecordedChunk[] {
  return records
    .filter((one) => one.id === id && (one.kind === "raw" || (one.kind === "ws" && one.op === 2)))
    .map(({ dir = "c", hex = "" }) => ({ from: dir, bytes: parseHex(hex) }));
}
