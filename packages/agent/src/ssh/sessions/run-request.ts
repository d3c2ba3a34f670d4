import { basename, join } from "node:path";

import { errorText } from "@slipway/runtime";

import type { SessionEnd } from "../../connections/session-log.ts";
import { disabledText } from "../../containers/container-feature.ts";
import { ContainerError } from "../../containers/errors.ts";
import { ProcessError } from "../../process/errors.ts";
import type { PreparedCommand } from "../../process/spawn-group.ts";
import { serveSftp } from "../sftp/serve-sftp.ts";
import { exitStatus, type SessionChannel, sessionEndOf } from "./session-channel.ts";
import { runOnTerminal, runPiped, type RunEnd } from "./session-command.ts";
import type { SessionConnection, SshHost } from "./session-needs.ts";
import type { SessionSetup } from "./session-setup.ts";

/** The program that a client asks for: a command (the shell if its text is empty), or the server of files. */
export type ProgramRequest =
  | { readonly kind: "command"; readonly text: string }
  | { readonly kind: "sftp" };

interface RunNeeds {
  readonly setup: SessionSetup;
  readonly connection: SessionConnection;
  readonly host: SshHost;
}

/** Commands that transfer files (docs/protocol/agent.md §6.8). */
const transferCommands = new Set(["nc", "rsync", "scp", "sftp"]);

/**
 * Runs the program of a session to its end. Resolves to undefined if the client left first. A program that cannot or
 * must not run ends with a status of the agent, and its reason on the client's stderr.
 */
export async function runRequest(
  request: ProgramRequest,
  channel: SessionChannel,
  { setup, connection, host }: RunNeeds,
): Promise<SessionEnd | undefined> {
  const { writer } = channel;
  const refusal = containerRefusal(request, setup, host);
  if (refusal !== undefined) return refuse(refusal, exitStatus.noContainer, writer);
  if (host.settings.blockFileTransfer && isFileTransfer(request)) {
    const reason = "file transfer is blocked";
    // The first byte marks an error for scp.
    if (request.kind === "command") await writer.write("stdout", Buffer.from(`\u0002${reason}\n`));
    return { statusCode: exitStatus.transferBlocked, reason };
  }
  try {
    if (request.kind === "sftp") {
      const { cwd: directory, environment } = await host.prepare("", {});
      const home = environment["HOME"] ?? directory;
      const { output: owner, descriptors } = connection;
      return await serveSftp(channel, { directory, home, owner, descriptors });
    }
    const end = await runCommand(request.text, channel, { setup, connection, host });
    return end.kind === "left" ? undefined : sessionEndOf(end);
  } catch (error) {
    if (error instanceof ProcessError) return refuse(errorText(error), exitStatus.failed, writer);
    if (!(error instanceof ContainerError)) throw error;
    return refuse(errorText(error), exitStatus.noContainer, writer);
  }
}

/** Returns the reason why a session cannot run in the container that it is for; undefined if there is none. */
function containerRefusal(
  request: ProgramRequest,
  { container }: SessionSetup,
  { containers }: SshHost,
): string | undefined {
  if (container === undefined) return undefined;
  if (!containers.isEnabled) return disabledText(containers.reason);
  return request.kind === "sftp" ? "SFTP does not reach into containers" : undefined;
}

async function refuse(
  reason: string,
  statusCode: number,
  writer: SessionChannel["writer"],
): Promise<SessionEnd> {
  await writer.write("stderr", Buffer.from(`${reason}\n`));
  return { statusCode, reason };
}

function isFileTransfer(request: ProgramRequest): boolean {
  if (request.kind === "sftp") return true;
  const [first = ""] = request.text.trim().split(/\s/, 1);
  return transferCommands.has(basename(first));
}

async function runCommand(
  text: string,
  channel: SessionChannel,
  { setup, connection, host }: RunNeeds,
): Promise<RunEnd> {
  const { terminal } = setup;
  const command = await prepare(text, channel, { setup, connection, host });
  if (terminal === undefined) return runPiped(command, channel, host.commands);
  if (text.trim() === "" && setup.container === undefined) {
    await channel.writer.write("stdout", Buffer.from(await host.greeting()));
  }
  // Its size may have changed in the meantime.
  const wanted = setup.terminal ?? terminal;
  return runOnTerminal(command, wanted, channel, host.commands);
}

async function prepare(
  text: string,
  channel: SessionChannel,
  { setup, connection, host }: RunNeeds,
): Promise<PreparedCommand> {
  const { container, terminal, variables } = setup;
  if (container !== undefined && host.containers.isEnabled) {
    // Sockets of the agent, such as that of the client's keys, are not in the container.
    return host.containers.access.prepare(container, text, {
      hasTerminal: terminal !== undefined,
      variables: { ...variables, TERM: terminal?.term || undefined },
      signal: channel.ended,
    });
  }
  const extra = {
    SSH_AUTH_SOCK: await connection.agentSocket(),
    TERM: terminal?.term || undefined,
  };
  const command = await host.prepare(text, { requested: variables, extra });
  const display = await openDisplay(command, channel, { setup, connection });
  if (display === undefined) return command;
  return { ...command, environment: { ...command.environment, DISPLAY: display } };
}

/** Offers the client's X11 display to the command, if it has one. A failure is reported, and the command runs without it. */
async function openDisplay(
  { environment, cwd }: PreparedCommand,
  { writer, ended }: SessionChannel,
  { setup: { x11 }, connection }: Omit<RunNeeds, "host">,
): Promise<string | undefined> {
  if (x11 === undefined) return undefined;
  const file = environment["XAUTHORITY"] || join(environment["HOME"] ?? cwd, ".Xauthority");
  try {
    return await connection.openDisplay(x11, file, ended);
  } catch (error) {
    const text = `X11 is not forwarded: ${errorText(error)}`;
    await writer.write("stderr", Buffer.from(`${text}\r\n`));
    return undefined;
  }
}
