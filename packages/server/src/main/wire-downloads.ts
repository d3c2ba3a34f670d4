import { join } from "node:path";

import type { Clock, Logger } from "@slipway/runtime";

import { archiveNames } from "../features/downloads/archive-name.ts";
import { type ArchiveSource, ArchiveStore } from "../features/downloads/archive-store.ts";
import { addDownloads } from "../features/downloads/routes.ts";
import { readShellScripts, type ShellScripts } from "../features/downloads/shell-scripts.ts";
import type { Settings } from "../platform/config/settings.ts";
import { AnonymousStreams } from "../platform/http/anonymous-streams.ts";
import type { Site } from "./open-http.ts";
import { buildVersion } from "./version.ts";

interface DownloadParts {
  readonly dataDir: string;
  /** The program that makes archives, and its first arguments; undefined if this installation has none. */
  readonly archiveCommand: readonly string[] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The agent and the command for machines without Node.js. Its opener closes it after the listener. */
export interface Downloads extends AsyncDisposable {
  readonly store: ArchiveStore;
  readonly scripts: ShellScripts;
  /** False if the server offers none. */
  readonly areOffered: boolean;
  /** Makes all archives, if the settings say so. */
  run(signal: AbortSignal): Promise<void>;
}

export async function openDownloads(
  { downloads }: Pick<Settings, "downloads">,
  { dataDir, archiveCommand, clock, logger }: DownloadParts,
): Promise<Downloads> {
  const source = chooseSource(downloads, join(dataDir, "downloads"), archiveCommand);
  const store = new ArchiveStore({ source, clock, logger });
  return {
    store,
    scripts: await readShellScripts(),
    areOffered: source.kind !== "off",
    run: async (signal) => {
      if (downloads.mode === "at-start") await store.prepare(archiveNames, signal);
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

function chooseSource(
  { mode, directory }: Settings["downloads"],
  cache: string,
  command: readonly string[] | undefined,
): ArchiveSource {
  if (mode === "off") return { kind: "off", reason: "Downloads are turned off." };
  if (directory !== undefined) return { kind: "ready", directory };
  if (command !== undefined) return { kind: "made", directory: cache, command };
  return {
    kind: "off",
    reason: "An administrator can put archives into the directory SLIPWAY_DOWNLOADS_DIR.",
  };
}

/** Adds the routes of the downloads. */
export function wireDownloads(
  { app, requestLimits, settings, accessUrl }: Site,
  { store, scripts }: Downloads,
): void {
  addDownloads(app, {
    store,
    scripts,
    limits: requestLimits,
    streams: AnonymousStreams.ofDownloads(settings.limits),
    version: buildVersion,
    accessUrl,
  });
}
