import { editFile, listFiles, readFile, searchFiles, writeFile } from "./file-tools.ts";
import { forwardPort } from "./port-tools.ts";
import { killProcess, readOutput, runCommand, writeStdin } from "./run-tools.ts";
import type { AnyTool } from "./tool.ts";
import {
  createWorkspace,
  deleteWorkspace,
  listTemplates,
  listWorkspaces,
  startWorkspace,
  stopWorkspace,
} from "./workspace-tools.ts";

/** All tools, in the order in which clients list them. */
export const tools: readonly AnyTool[] = [
  listTemplates,
  listWorkspaces,
  createWorkspace,
  startWorkspace,
  stopWorkspace,
  deleteWorkspace,
  runCommand,
  readOutput,
  writeStdin,
  killProcess,
  readFile,
  writeFile,
  editFile,
  listFiles,
  searchFiles,
  forwardPort,
];
