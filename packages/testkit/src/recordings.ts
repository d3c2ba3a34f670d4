import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { parseHex } from "@slipway/wire/bytes/hex";

/*
 * Recordings of the bytes that stock peers sent each other. They are not part of the repository: they stand in `shared` beside
 * the clone, or where SLIPWAY_SHARED says.
 */

/** One line of a recording; the README of the recordings describes each kind. */
export interface Recorded {
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
  /** The opcode of a WebSocket's frame. */
  readonly op?: number;
  readonly hex?: string;
}

/** A piece of what one end of a connection sent. */
export interface RecordedChunk {
  readonly from: "c" | "s";
  readonly bytes: Uint8Array;
}

const shared =
  process.env["SLIPWAY_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
const directory = join(shared, "recordings");

/** Reads one recording; the name is like `routes` or `command/list`. Throws an error that says where else it may be. */
export function readRecording(name: string): readonly Recorded[] {
  const path = join(directory, `${name}.jsonl`);
  if (!existsSync(path)) throw new Error(`${path} is not there; SLIPWAY_SHARED says where else`);
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line): Recorded => JSON.parse(line));
}

/** Returns the names of all recordings of a folder, such as `agent`. */
export function recordingNames(folder: string): readonly string[] {
  return readdirSync(join(directory, folder))
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => `${folder}/${file.slice(0, -".jsonl".length)}`);
}

/** Returns the binary data of a connection, raw or in WebSocket frames, piece by piece in the recorded order. */
export function recordedChunks(records: readonly Recorded[], id: number): readonly RecordedChunk[] {
  return records
    .filter((one) => one.id === id && (one.kind === "raw" || (one.kind === "ws" && one.op === 2)))
    .map(({ dir = "c", hex = "" }) => ({ from: dir, bytes: parseHex(hex) }));
}
