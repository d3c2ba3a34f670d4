import { Scope } from "@slipway/runtime";
import type { PseudoTtyOptions } from "ssh2";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { readShortDuration } from "../../command/duration.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { agentPorts } from "../../resources/network/agent-ports.ts";
import { readHost } from "../../resources/network/agent-reference.ts";
import { begunConnections, openAgent, reachAgent } from "../../resources/network/reach-agent.ts";
import { watchAgent } from "../../resources/network/watch-agent.ts";
import { readParameters } from "../../resources/templates/given-values.ts";
import type { RawTerminal } from "../../terminal/terminal.ts";
import type { command } from "../ssh.ts";
import { carrySession, endOf, lostExitCode, type SessionEndNeeds } from "./carry-session.ts";
import { openConnectionLog } from "./connection-log.ts";
import { inContainer, checkContainerFlags, sessionContainer } from "./container.ts";
import { readEscapes } from "./escapes.ts";
import { forwardGpg, readLocalGpg } from "./forward-gpg.ts";
import { readSshForward } from "./forward-spec.ts";
import type { Forwards } from "./forwarding.ts";
import { countTraffic, writeNetworkInfo } from "./network-info.ts";
import { type SessionRequest, SshConnection } from "./ssh-connection.ts";
import { loadSsh } from "./ssh2.ts";
import { carryBytes } from "./stdio.ts";

/** The port of the agent's SSH server, and the user name for its login (docs/protocol/tailnet.md §1.5). */
const sshPort = 1;
const username = "coder";

type Options = OptionsOf<typeof command>;
type SshNeeds = Pick<Needs, "terminal" | "settings" | "environment" | "clock"> & SessionEndNeeds;

export async function run(options: Options, allNeeds: SshNeeds): Promise<number> {
  const { terminal, settings, environment, clock, signal } = allNeeds;
  const reference = readHost(options.workspace, {
    prefix: options.sshHostPrefix,
    suffix: options.hostnameSuffix,
  });
  const agent = options.forwardAgent ? agentSocket(options, environment) : undefined;
  const forwards = readSshForwards(options);
  checkContainerFlags(options);
  const gpg = options.forwardGpg ? await readLocalGpg({ environment, signal }) : undefined;
  const intervalMs = readShortDuration(
    "--network-info-interval",
    options.networkInfoInterval ?? "5s",
  );
  const raw = terminal.raw();
  const request = sessionRequest(options, environment, raw);
  const needs = { client: connect(settings), terminal, clock, signal };
  using log = openConnectionLog({
    directory: options.logDir,
    isVerbose: options.verbose,
    print: (line) => terminal.err.line(line),
    processId: process.ppid,
    clock,
  });
  await using opened = await openAgent(
    reference,
    {
      autostart: !options.disableAutostart,
      wait: options.noWait ? "no" : options.wait,
      disableDirect: options.disableDirectConnections,
      isUsage: options.usageApp !== "disable",
      logger: log.logger,
    },
    needs,
  );
  // It loads while the server answers; a failure surfaces at its first use.
  if (!options.stdio) begunConnections().then(loadSsh, () => undefined);
  const container = await sessionContainer(options, opened.agent.id, needs);
  const dialing = agentPorts(opened.connection).then((ports) => ports.dial(sshPort, signal));
  dialing.catch(() => undefined);
  await reachAgent(opened, needs);
  log.logger.info({ agent: opened.agent.name, ...opened.connection.path }, "agent reached");
  const traffic = { sent: 0, received: 0 };
  await using background = new Scope();
  const { networkInfoDir: directory } = options;
  if (directory !== undefined) {
    const info = { directory, processId: process.ppid, intervalMs, traffic, clock };
    background.run((ended) => writeNetworkInfo(opened.connection, { ...info, signal: ended }));
  }
  const stream = await dialing;
  if (directory !== undefined) countTraffic(stream, traffic);
  const isTyped = raw.isInteractive && request.pty !== undefined && !options.stdio;
  const say = (): void => {
    if (isTyped) raw.error.write("\r\nconnection lost, trying again\r\n");
  };
  await using watching = watchAgent(opened, { say, exitCode: lostExitCode }, needs);
  const lost = watching.signal;
  if (options.stdio) {
    await carryBytes(stream, raw, AbortSignal.any([signal, lost]));
    return exitCodes.ok;
  }
  await using connection = await SshConnection.open(stream, { username, agent }, signal);
  await connection.forward(forwards);
  if (gpg !== undefined) await forwardGpg(connection, gpg, signal);
  return await runSession(connection, inContainer(request, container), { raw, lost, ...allNeeds });
}

function readSshForwards({
  localForward,
  remoteForward,
  forwardGpg: isGpgForwarded,
  stdio,
}: Options): Forwards {
  const local = localForward.map((text) => readSshForward("--local-forward", text));
  const remote = remoteForward.map((text) => readSshForward("--remote-forward", text));
  if (stdio && (isGpgForwarded || local.length + remote.length > 0)) {
    throw new UsageError("with --stdio, forward ports and sockets with the flags of ssh itself");
  }
  return { local, remote };
}

interface SessionNeeds extends SessionEndNeeds {
  readonly raw: RawTerminal;
  /** Aborted once the agent can no longer answer. */
  readonly lost: AbortSignal;
}

async function runSession(
  connection: SshConnection,
  request: SessionRequest,
  { raw, lost, ...needs }: SessionNeeds,
): Promise<number> {
  const session = await connection.start(request, needs.signal);
  if (request.pty === undefined) {
    const signal = AbortSignal.any([endOf(session, needs), lost]);
    return carrySession(session, raw, { passOn: undefined, signal });
  }
  const escaped = new AbortController();
  const passOn = readEscapes(() => {
    raw.error.write("\r\n");
    escaped.abort(disconnected());
  });
  using changes = new DisposableStack();
  changes.use(raw.enterRawMode());
  changes.use(
    raw.onResize(() => {
      const size = raw.size();
      if (size !== undefined) session.channel.setWindow(size.rows, size.columns, 0, 0);
    }),
  );
  return await carrySession(session, raw, {
    passOn: raw.isInteractive ? passOn : undefined,
    signal: AbortSignal.any([needs.signal, escaped.signal, lost]),
  });
}

function sessionRequest(
  { command: words, tty, env }: Options,
  environment: NodeJS.ProcessEnv,
  raw: RawTerminal,
): SessionRequest {
  const hasPty = tty || (words.length === 0 && raw.isInteractive);
  return {
    command: words.length === 0 ? undefined : words.join(" "),
    pty: hasPty ? ptyOf(raw, environment["TERM"]) : undefined,
    environment: Object.fromEntries(
      readParameters(env, "--env").map(({ name, value }) => [name, value]),
    ),
  };
}

function ptyOf(raw: RawTerminal, term = "xterm-256color"): PseudoTtyOptions {
  const { columns, rows } = raw.size() ?? { columns: 80, rows: 24 };
  return { term, cols: columns, rows };
}

function agentSocket({ identityAgent }: Options, environment: NodeJS.ProcessEnv): string {
  const socket = identityAgent ?? environment["SSH_AUTH_SOCK"] ?? "";
  if (socket !== "") return socket;
  throw new UsageError(
    "no SSH agent to forward: SSH_AUTH_SOCK is not set",
    "start one with: eval $(ssh-agent), or pass --identity-agent",
  );
}

function disconnected(): CommandError {
  return new CommandError("disconnected", { exitCode: lostExitCode });
}
