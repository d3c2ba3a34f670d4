import { type Clock, errorText } from "@slipway/runtime";

import type { Container } from "./container.ts";
import type { Engine, RunEngineOptions } from "./engine.ts";
import { ContainerError } from "./errors.ts";
import { ObjectLines } from "./object-lines.ts";
import { parseContainer } from "./parse-container.ts";

/** The maximum number of containers in a list, and its maximum size: clients read 4 MiB (docs/protocol/agent.md §8.6). */
const maxContainers = 1000;
const maxListBytes = 3 * 1024 * 1024;
/** The maximum size of the description of one container. */
const maxObjectBytes = 1024 * 1024;
/** The time for a scan, all of its commands included (docs/protocol/agent.md §8.6). */
const scanTimeoutMs = 15_000;

type Limits = Required<Pick<RunEngineOptions, "signal" | "timeoutMs">>;

/** The containers of the machine, the newest first, and what is missing in their list. */
export interface Scan {
  readonly containers: readonly Container[];
  readonly warnings: readonly string[];
}

/** Lists the containers of the machine, stopped ones included. Throws `ContainerError`, and the signal's reason. */
export async function listContainers(
  engine: Engine,
  clock: Pick<Clock, "monotonic">,
  signal: AbortSignal,
): Promise<Scan> {
  const endMs = clock.monotonic() + scanTimeoutMs;
  const limits = (): Limits => ({ signal, timeoutMs: Math.max(1, endMs - clock.monotonic()) });
  let ids = await listIds(engine, limits());
  for (;;) {
    const listed = new ListedContainers();
    try {
      const names = ids.slice(0, maxContainers);
      if (names.length > 0) await inspect(engine, names, limits(), (json) => listed.add(json));
      return listed.end(ids.length - names.length);
    } catch (error) {
      if (!(error instanceof ContainerError) || error.code !== "failed") throw error;
      // An engine that is removing one of them may describe none, and has many words for it.
      const left = new Set(await listIds(engine, limits()));
      if (ids.every((id) => left.has(id))) throw error;
      ids = [...left];
    }
  }
}

async function listIds(engine: Engine, limits: Limits): Promise<readonly string[]> {
  const lines = (await engine.run(["ps", "--all", "--quiet", "--no-trunc"], limits)).split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

/** Describes one container; undefined if there is none of this name. Throws `ContainerError`, and the signal's reason. */
export async function findContainer(
  engine: Engine,
  name: string,
  signal: AbortSignal,
): Promise<Container | undefined> {
  // A name that begins with a dash would be a flag.
  if (!/^[A-Za-z0-9][\w.-]{0,255}$/.test(name)) return undefined;
  const found: string[] = [];
  const limits = { signal, timeoutMs: scanTimeoutMs };
  await inspect(engine, [name], limits, (json) => void found.push(json));
  const [json] = found;
  return json === undefined ? undefined : parseContainer(json);
}

/** Passes on the description of each container that still exists, as JSON. */
async function inspect(
  engine: Engine,
  names: readonly string[],
  limits: Limits,
  onObject: (json: string) => void,
): Promise<void> {
  const objects = new ObjectLines(maxObjectBytes, onObject);
  const args = ["inspect", "--type", "container", "--format", "{{json .}}", ...names];
  const { exitCode, error } = await engine.runProgram(await engine.prepare(args), {
    ...limits,
    maxBytes: maxObjectBytes,
    onLine: (line) => objects.take(line),
  });
  // A container may be removed after it was named.
  if (exitCode !== 0 && !/no such (?:object|container)/i.test(error)) {
    throw new ContainerError("failed", error || `inspect ended with code ${exitCode}`);
  }
}

class ListedContainers {
  readonly #containers: Container[] = [];
  readonly #faults: string[] = [];
  #bytes = 0;
  #left = 0;

  add(json: string): void {
    try {
      const container = parseContainer(json);
      this.#bytes += Buffer.byteLength(JSON.stringify(container));
      if (this.#bytes > maxListBytes) this.#left += 1;
      else this.#containers.push(container);
    } catch (error) {
      this.#faults.push(errorText(error));
    }
  }

  end(notAsked: number): Scan {
    const left = this.#left + notAsked;
    const [fault] = this.#faults;
    return {
      containers: this.#containers,
      warnings: [
        ...(left === 0 ? [] : [`${left} more containers are not listed`]),
        ...(fault === undefined ? [] : [fault]),
      ],
    };
  }
}
