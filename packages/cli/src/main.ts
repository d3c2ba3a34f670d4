#!/usr/bin/env -S node --conditions=@slipway/source
import { runCommandLine } from "./command/run-command-line.ts";
import { runProcess } from "./command/run-process.ts";
import { completeWord } from "./commands/completion/shells.ts";
import { commandTable } from "./gen/command-table.ts";

// The bundle is CommonJS, which has no `await` here.
void runProcess(async (words, needs) => {
  const [first, ...more] = words;
  if (first !== completeWord) return runCommandLine(commandTable, words, needs);
  const { completeCommandLine } = await import("./commands/completion/complete-command-line.ts");
  return completeCommandLine(commandTable, more, needs);
});
