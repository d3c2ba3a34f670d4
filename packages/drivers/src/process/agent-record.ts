import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { replaceFile } from "@slipway/runtime/replace-file";

import { workspacePaths } from "./workspace-directory.ts";

/**
 * A file in the workspace's directory that identifies an agent's own process among the children that inherit its marks.
 */
export interface AgentRecord {
  readonly agentId: string;
  readonly directory: string;
  readonly tokenHash: string;
  readonly pid: number;
  readonly start: string;
}

/** Writes a record right after the spawn. A crash between the two leaves no record: see `findAgents`. */
export async function writeRecord(record: AgentRecord): Promise<void> {
  const path = recordPath(record.directory, record.agentId);
  await replaceFile(path, JSON.stringify(record), { mode: 0o600 });
}

export async function removeRecord(directory: string, agentId: string): Promise<void> {
  await rm(recordPath(directory, agentId), { force: true });
}

/** Reads the records of one workspace. Skips files that are not records. */
export async function readRecords(directory: string): Promise<AgentRecord[]> {
  const { run } = workspacePaths(directory);
  const files = (await namesIn(run)).filter((name) => name.endsWith(".json"));
  const records = await Promise.all(
    files.map(async (name) => readRecord(directory, join(run, name))),
  );
  return records.filter((record) => record !== undefined);
}

/** Returns the entries of a directory; empty if it does not exist. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return [];
    throw error;
  }
}

function recordPath(directory: string, agentId: string): string {
  return join(workspacePaths(directory).run, `${agentId}.json`);
}

async function readRecord(directory: string, path: string): Promise<AgentRecord | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(path, "utf8"));
    return isRecord(content) && content.directory === directory ? content : undefined;
  } catch (error) {
    // Removed meanwhile, or corrupted by the workspace's owner, who owns this directory.
    if (error instanceof SyntaxError || systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is AgentRecord {
  if (typeof value !== "object" || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const areTexts = ["agentId", "directory", "tokenHash", "start"].every(
    (name) => typeof fields.get(name) === "string",
  );
  return areTexts && Number.isSafeInteger(fields.get("pid"));
}
