import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

import { CommandError } from "../../command/errors.ts";
import { exitCodeOf } from "../../resources/inside/run-program.ts";
import type { Output } from "../../terminal/output.ts";

/** Runs Git, whose messages are made printable: some come from the host of a repository. */
export interface Git {
  /** Returns whether Git succeeded. */
  run(...words: readonly string[]): Promise<boolean>;
  /** Returns the line that Git printed; undefined if it failed. */
  ask(...words: readonly string[]): Promise<string | undefined>;
}

interface GitNeeds {
  readonly output: Pick<Output, "write">;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Returns Git for other repositories than the one of the current directory. */
export async function openGit({ output, signal, ...needs }: GitNeeds): Promise<Git> {
  const environment = withoutRepository(needs.environment);
  const ask: Git["ask"] = async (...words) => {
    let text = "";
    const onOutput = (part: string): void => void (text += part);
    const isDone = await runGit(words, { environment, signal, onOutput });
    return isDone ? text.replace(/\n$/, "") : undefined;
  };
  const ssh = await sshCommand(environment, ask);
  const connecting = ssh === undefined ? {} : { GIT_SSH_COMMAND: `${ssh} ${newHosts}` };
  return {
    run: (...words) => {
      const onText = (text: string): void => output.write(text);
      const own = { ...environment, ...connecting };
      return runGit(words, { environment: own, signal, onOutput: onText, onMessage: onText });
    },
    ask,
  };
}

/** Returns the command that Git would run for ssh; undefined for a program that may not take arguments. */
async function sshCommand(
  { GIT_SSH_COMMAND: command = "", GIT_SSH: program = "" }: NodeJS.ProcessEnv,
  ask: Git["ask"],
): Promise<string | undefined> {
  if (command !== "") return command;
  return (await ask("config", "--get", "core.sshCommand")) ?? (program === "" ? "ssh" : undefined);
}

/** Trusts the key of a host at the first contact, as a start script cannot answer ssh; a changed key is refused. */
const newHosts = "-o StrictHostKeyChecking=accept-new";

/** The variables with which hooks and aliases of Git name their own repository. */
const repositoryVariables = [
  "GIT_COMMON_DIR",
  "GIT_DIR",
  "GIT_INDEX_FILE",
  "GIT_NAMESPACE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_WORK_TREE",
];

function withoutRepository(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...environment,
    ...Object.fromEntries(repositoryVariables.map((name) => [name, undefined])),
  };
}

interface GitRun {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
  readonly onMessage?: (text: string) => void;
}

/**
 * Runs Git and resolves with whether it succeeded; it reads passwords from the terminal itself. Throws `CommandError`
 * if it is not installed.
 */
async function runGit(
  words: readonly string[],
  { environment, signal, onOutput, onMessage = () => undefined }: GitRun,
): Promise<boolean> {
  signal.throwIfAborted();
  const git = spawn("git", words, {
    // The current directory may be a repository, whose settings do not apply.
    cwd: "/",
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = (): void => void git.kill();
  signal.addEventListener("abort", kill, { once: true });
  onTextOf(git.stdout, onOutput);
  onTextOf(git.stderr, onMessage);
  try {
    await once(git, "close");
  } catch (error) {
    throw new CommandError("cannot run git", { hint: "install Git", cause: error });
  } finally {
    signal.removeEventListener("abort", kill);
  }
  signal.throwIfAborted();
  return exitCodeOf(git) === 0;
}

/** Hands on text as it arrives, with no character cut in two. */
function onTextOf(stream: Readable, onText: (text: string) => void): void {
  const decoder = new StringDecoder("utf8");
  stream.on("data", (chunk: Buffer) => onText(decoder.write(chunk)));
}
