import { chmod, link, mkdtemp, open, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { DriverTemplate, PlannedAgent } from "@slipway/drivers";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { readTemplateArchive } from "@slipway/template";
import { extract } from "tar-stream";

import type { Queryable } from "../../platform/db/database.ts";
import { loadFile } from "../files/service.ts";

export interface UnpackNeeds {
  readonly db: Queryable;
  /** The directory of unpacked templates, for this server alone; undefined if the driver unpacks them itself. */
  readonly unpackDir: string | undefined;
}

/** A template version as a driver receives it, with its archive. */
interface VersionFiles {
  readonly template: DriverTemplate;
  readonly fileId: string;
  readonly agents: readonly Pick<PlannedAgent, "container">[];
  /** True if the driver itself reads them. */
  readonly areNeeded: boolean;
}

/**
 * Calls `task` with the template, whose files are unpacked until it ends if the driver reads them, or the container of an
 * agent is built from them.
 */
export async function withTemplateFiles<T>(
  { db, unpackDir }: UnpackNeeds,
  { template, fileId, agents, areNeeded }: VersionFiles,
  task: (template: DriverTemplate) => Promise<T>,
): Promise<T> {
  const areBuilt = agents.some(({ container }) => container?.build !== undefined);
  if (unpackDir === undefined || (!areNeeded && !areBuilt)) return task(template);
  await using files = await unpackTemplate(await loadFile(db, fileId), unpackDir);
  return await task({ ...template, directory: files.directory });
}

/** The files of a template version in a private directory, which disposing of it removes. */
interface UnpackedTemplate extends AsyncDisposable {
  /** The directory of `slipway.yaml`, or of the driver's own files. */
  readonly directory: string;
}

/**
 * Unpacks the archive of a template version into a new directory below `parent`. Its size, its entries and where its
 * links lead were checked when it was pushed, and are checked again.
 */
export async function unpackTemplate(
  archive: Uint8Array,
  parent: string,
): Promise<UnpackedTemplate> {
  const files = await readTemplateArchive(archive);
  if ("problem" in files) {
    throw new Error(`the stored template cannot be unpacked: ${files.problem}`);
  }
  await makeDirectories(parent, 0o700);
  const root = await mkdtemp(join(parent, "template-"));
  await using opening = new AsyncDisposableStack();
  opening.defer(() => rm(root, { recursive: true, force: true }));
  await unpack(archive, root);
  const held = opening.move();
  return {
    directory: join(
      root,
      "definitionPath" in files ? dirname(files.definitionPath) : files.configurationFolder,
    ),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function unpack(archive: Uint8Array, root: string): Promise<void> {
  const entries = extract();
  entries.end(archive);
  for await (const entry of entries) {
    const { name, type, linkname, mode } = entry.header;
    const path = join(root, name);
    if (type === "directory" || path === root) {
      await makeDirectories(path);
      entry.resume();
      continue;
    }
    await makeDirectories(dirname(path));
    // A later entry replaces an earlier one, and is not written through it if that is a link.
    await rm(path, { force: true, recursive: true });
    if (type === "symlink") await symlink(linkname ?? "", path);
    else if (type === "link") await link(join(root, linkname ?? ""), path);
    else await writeEntry(path, entry, mode);
    entry.resume();
  }
}

const executable = 0o111;

async function writeEntry(
  path: string,
  content: AsyncIterable<unknown>,
  mode: number,
): Promise<void> {
  await using file = await open(path, "wx");
  for await (const chunk of content) {
    if (chunk instanceof Uint8Array) await file.writeFile(chunk);
  }
  await chmod(path, (mode & executable) === 0 ? 0o644 : 0o755);
}
