#!/usr/bin/env -S node --conditions=@slipway/source
/**
 * The `slipway` of workspaces without the whole command: only what is useful there, in one file
 * (`tools/build-agent.ts`).
 */
import { runCommandLine } from "./command/run-command-line.ts";
import { runProcess } from "./command/run-process.ts";
import { commandTable } from "./gen/workspace-table.ts";

await runProcess((words, needs) => runCommandLine(commandTable, words, needs));
