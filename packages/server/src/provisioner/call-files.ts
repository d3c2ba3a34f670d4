import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";

import type { CallParts } from "../features/provisioners/call-parts.ts";
import { unpackTemplate } from "../features/templates/unpack-service.ts";

/**
 * The large parts of a call as files: a run may take hours, and holds none of them in memory. Its opener disposes of it, which
 * removes them.
 */
export interface CallFiles extends AsyncDisposable {
  /** The directory of the template's files. */
  readonly directory: string;
  readonly readState: () => Promise<Uint8Array | undefined>;
}

/** Takes the archive and the state out of a call's parts. */
export async function openCallFiles(
  parts: Pick<CallParts, "take">,
  parent: string,
): Promise<CallFiles> {
  await using opening = new AsyncDisposableStack();
  const statePath = await writeState(parts.take("state"), parent, opening);
  const archive = parts.take("archive") ?? new Uint8Array();
  const { directory } = opening.use(await unpackTemplate(archive, parent));
  const held = opening.move();
  return {
    directory,
    readState: async () => (statePath === undefined ? undefined : readFile(statePath)),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function writeState(
  state: Uint8Array | undefined,
  parent: string,
  opened: AsyncDisposableStack,
): Promise<string | undefined> {
  if (state === undefined) return undefined;
  await makeDirectories(parent, 0o700);
  const root = await mkdtemp(join(parent, "state-"));
  opened.defer(() => rm(root, { recursive: true, force: true }));
  const path = join(root, "state");
  await writeFile(path, state, { mode: 0o600 });
  return path;
}
