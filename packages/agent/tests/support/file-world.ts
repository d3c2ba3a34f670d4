import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { onTestFinished } from "vitest";

import { fileRoutes } from "../../src/http/files/file-routes.ts";
import { type AskApi, openRoutes } from "./api-client.ts";
import { openCommandHost, shellCommand } from "./command-host.ts";

/** The routes of files, served until the test ends, and a home directory. */
export interface FileWorld {
  readonly home: string;
  readonly port: number;
  readonly ask: AskApi;
  /** Returns the path of a file of the home directory. */
  readonly at: (name: string) => string;
  /** Writes files by their paths, and creates the directories above. */
  readonly plant: (contents: Readonly<Record<string, string>>) => void;
}

interface FileWorldOptions {
  readonly isBlocked?: boolean;
  /** The variables of the workspace's commands (default: PATH). */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function openFileWorld(options: FileWorldOptions = {}): Promise<FileWorld> {
  const { isBlocked = false, environment } = options;
  const home = realpathSync(mkdtempSync(join(tmpdir(), "slipway-files-")));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const commands = openCommandHost();
  onTestFinished(() => commands[Symbol.dispose]());
  const prepare = async (text: string) => {
    const command = shellCommand(text);
    return { ...command, environment: environment ?? command.environment };
  };
  const routes = await openRoutes(fileRoutes({ home, prepare, commands, isBlocked }));
  const at = (name: string): string => join(home, name);
  const plant = (contents: Readonly<Record<string, string>>): void => {
    for (const [name, content] of Object.entries(contents)) {
      mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), content);
    }
  };
  return { ...routes, home, at, plant };
}

/** Returns the query of a request about a path. */
export function queryOf(path: string, more: Readonly<Record<string, string>> = {}): string {
  return new URLSearchParams({ path, ...more }).toString();
}
