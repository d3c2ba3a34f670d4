import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(
  process.env["SLIPWAY_SHARED"] ?? join(import.meta.dirname, "../../../shared"),
  "recordings",
);

interface Line {
  readonly id: number;
  readonly kind: string;
  readonly path?: string;
  readonly dir?: string;
  readonly op?: number;
  readonly hex?: string;
}

/**
 * Returns the bytes that agents (`c`) or servers (`s`) sent on each recorded RPC connection; empty without
 * recordings.
 */
export function recordedSessions(direction: "c" | "s"): readonly Uint8Array[] {
  return agentFiles().flatMap((lines) => {
    const connections = lines.filter(({ path }) => path?.includes("/me/rpc") === true);
    return connections.map(({ id }) =>
      joinHex(
        lines
          .filter((line) => line.id === id && line.kind === "ws" && line.op === 2)
          .filter(({ dir }) => dir === direction)
          .map(({ hex }) => hex ?? ""),
      ),
    );
  });
}

/**
 * Returns the bytes that peers (`c`) or servers (`s`) sent on each recorded connection to a relay; empty without
 * recordings.
 */
export function recordedRelays(direction: "c" | "s"): readonly Uint8Array[] {
  const files = ["relay.jsonl", "relay-websocket.jsonl"].map((name) =>
    join(folder, "command", name),
  );
  return files.filter(existsSync).flatMap((file) => {
    const lines = readLines(file);
    const connections = lines.filter(({ kind, path }) => kind === "upgrade" && path === "/derp");
    return connections.map(({ id }) =>
      joinHex(
        lines
          .filter((line) => line.id === id && (line.kind === "raw" || line.op === 2))
          .filter(({ dir }) => dir === direction)
          .map(({ hex }) => hex ?? ""),
      ),
    );
  });
}

function agentFiles(): readonly (readonly Line[])[] {
  const agents = join(folder, "agent");
  if (!existsSync(agents)) return [];
  return readdirSync(agents)
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) => readLines(join(agents, name)));
}

function readLines(file: string): readonly Line[] {
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line): Line => JSON.parse(line));
}

function joinHex(pieces: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(pieces.join(""), "hex"));
}
