import { createHash } from "node:crypto";
import { access, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

import { errorText, readBounded } from "@slipway/runtime";

import { unpackTree } from "../files/unpack-tree.ts";
import { makePrivateDirectory } from "../process/private-directory.ts";
import { type AgentProgram, launcher } from "./agent-program.ts";
import { ContainerError } from "./errors.ts";

/** The time for an archive to be downloaded and unpacked. */
const downloadMs = 10 * 60_000;
/** The maximum sizes of an archive, and of the text with its sum. */
const maxArchiveBytes = 256 * 1024 * 1024;
const maxSumBytes = 1024;

interface DownloadNeeds {
  readonly serverUrl: string;
  /** A directory of this user, for the archives. */
  readonly directory: string;
}

/** The agent's archives that the server offers, for containers in which this agent's own program does not run. */
export class DownloadedPrograms {
  readonly #needs: DownloadNeeds;
  readonly #programs = new Map<string, Promise<AgentProgram>>();

  constructor(needs: DownloadNeeds) {
    this.#needs = needs;
  }

  /** Resolves to the program for an architecture, which is downloaded once. Rejects with `ContainerError`. */
  async get(architecture: string, signal: AbortSignal): Promise<AgentProgram> {
    const known = this.#programs.get(architecture) ?? this.#find(architecture, signal);
    this.#programs.set(architecture, known);
    try {
      return await known;
    } catch (error) {
      this.#programs.delete(architecture);
      throw error;
    }
  }

  async #find(architecture: string, signal: AbortSignal): Promise<AgentProgram> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(downloadMs)]);
    try {
      return await this.#download(architecture, limit);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ContainerError) throw error;
      const text = `cannot download the agent for ${architecture}: ${errorText(error)}`;
      throw new ContainerError("failed", text, { cause: error });
    }
  }

  async #download(architecture: string, signal: AbortSignal): Promise<AgentProgram> {
    const { serverUrl, directory } = this.#needs;
    const url = `${serverUrl}/bin/slipway-linux-${architecture}.tar.gz`;
    const sumText = await readBounded(await request(`${url}.sha256`, signal), maxSumBytes);
    // Other servers answer with a page.
    const [, sum] = /^([0-9a-f]{64}) /.exec(sumText?.toString() ?? "") ?? [];
    if (sum === undefined) throw noArchive();
    const place = join(directory, sum);
    const program = { directory: join(place, "slipway"), id: sum.slice(0, 16), architecture };
    if (await isPresent(program)) return program;
    if (!(await makePrivateDirectory(directory))) {
      throw new ContainerError("failed", `another user may write to ${directory}`);
    }
    const part = await mkdtemp(join(directory, ".part-"));
    try {
      const found = await unpack(await request(`${url}?sha256=${sum}`, signal), part, signal);
      if (found !== sum)
        throw new ContainerError("failed", `the sum of ${url} is ${found}, wanted ${sum}`);
      // Another agent of this user may have been faster.
      await rename(part, place).catch(async (error: unknown) => {
        if (!(await isPresent(program))) throw error;
      });
    } finally {
      await rm(part, { recursive: true, force: true });
    }
    return program;
  }
}

async function isPresent({ directory }: AgentProgram): Promise<boolean> {
  return access(join(directory, launcher)).then(
    () => true,
    () => false,
  );
}

/** Resolves to the body of a successful answer. */
async function request(url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const answer = await fetch(url, { signal });
  if (answer.ok && answer.body !== null) return answer.body;
  await answer.body?.cancel();
  if (answer.status === 404) throw noArchive();
  const reason =
    answer.status === 503 ? "the server prepares it" : `the server answered ${answer.status}`;
  throw new ContainerError("failed", `cannot download ${url} yet: ${reason}`);
}

function noArchive(): ContainerError {
  return new ContainerError(
    "failed",
    "no agent runs in dev containers: this one does not run from an archive for their architecture, and the server offers none",
  );
}

/** Unpacks an archive into an empty directory; resolves to its SHA-256. */
async function unpack(
  body: AsyncIterable<Uint8Array>,
  directory: string,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash("sha256");
  const gunzip = createGunzip();
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxArchiveBytes) {
        throw new ContainerError("too-large", `the archive has more than ${maxArchiveBytes} bytes`);
      }
      hash.update(chunk);
      yield chunk;
    }
  };
  const reading = pipeline(hashed, gunzip, { signal });
  // Unpacking fails with it, and may have ended before.
  reading.catch(() => undefined);
  gunzip.on("error", () => undefined);
  const options = { overwrites: false, owner: {}, signal };
  await unpackTree(Buffer.from(directory), gunzip, options);
  await reading;
  return hash.digest("hex");
}
