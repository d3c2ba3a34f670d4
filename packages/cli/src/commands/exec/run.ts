import { once } from "node:events";
import { constants } from "node:os";
import type { Writable } from "node:stream";

import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { printableJson } from "@slipway/runtime";
import {
  type RunHandle,
  type RunOptions,
  type RunOutput,
  Runs,
  type RunTargetOptions,
} from "@slipway/sdk/runs";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { InterruptError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { ClientNeeds, Needs } from "../../command/needs.ts";
import {
  type AgentReference,
  chooseAgent,
  readAgentReference,
} from "../../resources/network/agent-reference.ts";
import { runningWorkspace } from "../../resources/network/running-workspace.ts";
import { waitForAgent } from "../../resources/network/wait-for-agent.ts";
import { readParameters } from "../../resources/templates/given-values.ts";
import { findWorkspace } from "../../resources/workspaces/workspace-reference.ts";
import type { RawTerminal } from "../../terminal/terminal.ts";
import type { command } from "../exec.ts";

type Options = OptionsOf<typeof command>;
type ExecNeeds = Pick<Needs, "terminal" | "settings" | "clock" | "signal" | "interruption">;

export async function run(options: Options, needs: ExecNeeds): Promise<number> {
  const { terminal, settings, clock, signal, interruption } = needs;
  checkOptions(options);
  const client = connect(settings);
  const reference = readAgentReference(options.workspace);
  const raw = terminal.raw();
  const size = options.tty ? (raw.size() ?? { columns: 80, rows: 24 }) : undefined;
  const start = readStart(options, size);
  const clientNeeds = { client, terminal, clock, signal };
  const runs = new Runs({ client, clock, ...(await findPlace(options, reference, clientNeeds)) });
  // The first interruption is passed on to the command.
  const left = interruption.forced;
  const [program, ...args] = options.command;
  const handle =
    program === undefined
      ? runs.attach(options.attach ?? "", { after: options.after ?? 0, signal: left })
      : runs.run([program, ...args], { ...start, signal: left });
  const started = await handle.started();
  if (options.detach) {
    terminal.out.line(
      options.output === "json" ? printableJson(JSON.stringify(started)) : handle.id,
    );
    return exitCodes.ok;
  }
  using _ = passSignals(handle, signal);
  if (options.output === "json") return await printResult(handle, needs);
  const isTyped = options.interactive || options.tty;
  using terminalUse = new DisposableStack();
  if (isTyped) void passInput(handle, raw);
  if (size !== undefined) {
    terminalUse.use(raw.enterRawMode());
    terminalUse.use(
      raw.onResize(() => {
        const changed = raw.size();
        if (changed !== undefined) handle.resize(changed);
      }),
    );
  }
  try {
    for await (const output of handle) await print(output, raw);
    return exitCodeOf(await handle);
  } finally {
    // Otherwise it would keep the process waiting for keys.
    if (isTyped) raw.input.destroy();
  }
}

/** Finds the agent, and starts its workspace if necessary, but not to attach to what a stopped one has left. */
async function findPlace(
  { attach, disableAutostart }: Options,
  reference: AgentReference,
  needs: ClientNeeds,
): Promise<Pick<RunTargetOptions, "agentId" | "workspaceId">> {
  if (attach !== undefined) {
    const found = await findWorkspace(needs.client, reference.workspace, needs.signal);
    const isRunning = found.latest_build.status === "running";
    const agentId = isRunning ? chooseAgent(found, reference.agent).id : nilUuid;
    return { agentId, workspaceId: found.id };
  }
  const autostart = !disableAutostart;
  const workspace = await runningWorkspace(reference.workspace, { autostart }, needs);
  const agent = chooseAgent(workspace, reference.agent);
  await waitForAgent(workspace, agent, "no", needs);
  return { agentId: agent.id, workspaceId: workspace.id };
}

function checkOptions({ command: words, attach, detach, interactive }: Options): void {
  if (words.length === 0 && attach === undefined) {
    throw new UsageError("missing command", "write it after --, or pass --attach with a run");
  }
  if (words.length > 0 && attach !== undefined) {
    throw new UsageError("a command and --attach exclude each other");
  }
  if (detach && (interactive || attach !== undefined)) {
    throw new UsageError("--detach excludes --interactive and --attach");
  }
}

function readStart(options: Options, size: RunOptions["pty"]): RunOptions {
  const { env, workdir, user, timeout, interactive } = options;
  return {
    env: Object.fromEntries(readParameters(env, "--env").map(({ name, value }) => [name, value])),
    ...(workdir === undefined ? {} : { cwd: workdir }),
    ...(user === undefined ? {} : { user }),
    ...(timeout === undefined ? {} : { timeoutMs: readDuration("--timeout", timeout) }),
    ...(interactive ? { stdin: "open" } : {}),
    ...(size === undefined ? {} : { pty: size }),
  };
}

/** Prints the result as JSON once the command has ended. */
async function printResult(
  handle: RunHandle,
  { terminal }: Pick<ExecNeeds, "terminal">,
): Promise<number> {
  const result = await handle;
  const { exitCode, signal, timedOut, stdout, stderr, truncated } = result;
  const json = JSON.stringify({
    id: handle.id,
    exit_code: exitCode ?? null,
    signal: signal ?? null,
    timed_out: timedOut,
    stdout,
    stderr,
    truncated,
  });
  terminal.out.line(printableJson(json));
  return exitCodeOf(result);
}

/** Writes output as it is: it is that of a program that runs elsewhere. */
async function print({ stream, data }: RunOutput, raw: RawTerminal): Promise<void> {
  const target: Writable = stream === "stdout" ? raw.output : raw.error;
  if (!target.write(data)) await once(target, "drain");
}

/** Passes stdin on until its end. What a command does not want is lost. */
async function passInput(handle: RunHandle, { input }: RawTerminal): Promise<void> {
  try {
    for await (const bytes of input) await handle.write(bytes);
    handle.closeStdin();
  } catch {
    // The command has ended, which is reported elsewhere.
  }
}

/** Passes the first interruption on to the command. */
function passSignals(handle: RunHandle, signal: AbortSignal): Disposable {
  const onAbort = (): void => {
    const { reason } = signal;
    const name = reason instanceof InterruptError ? reason.signal : "SIGHUP";
    // It may have ended meanwhile.
    handle.signal(name).catch(() => undefined);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", onAbort) };
}

/** Returns the exit code, or 128 plus the number of a signal. */
function exitCodeOf({ exitCode, signal }: Awaited<RunHandle>): number {
  if (exitCode !== undefined) return exitCode;
  const found = Object.entries(constants.signals).find(([name]) => name === signal);
  return 128 + (found?.[1] ?? 0);
}
