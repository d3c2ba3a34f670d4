import { join } from "node:path";

import { archiveNames } from "../features/downloads/archive-file.ts";
import { type ArchiveSource, ArchiveStore } from "../features/downloads/archive-store.ts";
import { addDownloads } from "../features/downloads/routes.ts";
import { readShellScripts, type ShellScripts } from "../features/downloads/shell-scripts.ts";
import type { Settings } from "../platform/config/settings.ts";
import { AnonymousStreams } from "../platform/http/anonymous-streams.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";
import { buildVersion } from "./version.ts";

/** The archives that come with an installation, or the program that makes them and its first arguments. */
export type InstalledArchives =
  | { readonly directory: string }
  | { readonly command: readonly string[] };

interface DownloadParts extends Pick<Platform, "clock" | "logger"> {
  readonly dataDir: string;
  /** Undefined if this installation has none. */
  readonly archives: InstalledArchives | undefined;
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
  { dataDir, archives, clock, logger }: DownloadParts,
): Promise<Downloads> {
  const source = chooseSource(downloads, join(dataDir, "downloads"), archives);
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
  archives: InstalledArchives | undefined,
): ArchiveSource {
  if (mode === "off") return { kind: "off", reason: "Downloads are turned off." };
  if (directory !== undefined) return { kind: "ready", directory };
  if (archives === undefined) {
    const reason = "An administrator can put archives into the directory SLIPWAY_DOWNLOADS_DIR.";
    return { kind: "off", reason };
  }
  if ("directory" in archives) return { kind: "ready", directory: archives.directory };
  return { kind: "made", directory: cache, command: archives.command };
}

/** Adds the routes of the downloads. */
export function wireDownloads(
  { app, requestLimits, settings, urlFor }: Site,
  { store, scripts }: Downloads,
): void {
  addDownloads(app, {
    store,
    scripts,
    limits: requestLimits,
    streams: AnonymousStreams.ofDownloads(settings.limits),
    version: buildVersion,
    urlFor,
  });
}
