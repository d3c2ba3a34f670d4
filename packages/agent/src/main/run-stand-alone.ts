import { type Variables, AgentConfigError } from "../config/agent-config.ts";
import { readCommandLine, processEnvironment } from "../config/command-line.ts";
import { runAgent, type RunAgentOptions } from "./run-agent.ts";

/** Runs the agent as a program, with its arguments and this process's environment. Resolves to the exit code. */
export async function runStandAlone(
  args: readonly string[],
  ending: Pick<RunAgentOptions, "interrupted" | "forced">,
): Promise<number> {
  let flags: Variables;
  try {
    flags = readCommandLine(args);
  } catch (error) {
    if (!(error instanceof AgentConfigError)) throw error;
    process.stderr.write(`the agent cannot start: ${error.message}\n`);
    return 1;
  }
  return runAgent({ flags, environment: processEnvironment(), ...ending });
}
