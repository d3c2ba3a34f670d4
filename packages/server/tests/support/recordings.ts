import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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
  readonly dir?: "c" | "s";
  readonly op?: number;
  readonly hex?: string;
}

const shared =
  process.env["SLIPWAY_SHARED"] ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));

/** Reads one recording; the name is like `routes` or `command/list`. */
export async function readRecording(name: string): Promise<readonly Recorded[]> {
  const path = join(shared, "recordings", `${name}.jsonl`);
  if (!existsSync(path)) throw new Error(`${path} is not there; SLIPWAY_SHARED says where else`);
  const text = await readFile(path, "utf8");
  return (
    text
      .trim()
      .split("\n")
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- their README describes the recordings
      .map((line) => JSON.parse(line) as Recorded)
  );
}

/** Returns whether the recorded answer has a JSON body. */
export function hasJson({ response_headers: headers, response_body: body }: Recorded): boolean {
  const isJson = headers?.["content-type"]?.startsWith("application/json") ?? false;
  return isJson && body !== undefined;
}

export function bodyOf(record: Recorded): unknown {
  return JSON.parse(record.response_body ?? "null");
}

/** Returns the text messages that the server sent on a recorded WebSocket, each joined from its frames. */
export function messagesOf(records: readonly Recorded[], id: number): readonly unknown[] {
  const frames = records.filter((one) => one.id === id && one.kind === "ws" && one.dir === "s");
  return frames
    .filter(({ op }) => op === 1)
    .map(({ hex = "" }): unknown => JSON.parse(Buffer.from(hex, "hex").toString()));
}
