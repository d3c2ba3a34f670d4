import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

import { abortable, systemErrorCode } from "@slipway/runtime";

import { CommandError } from "../../command/errors.ts";
import type { SshConnection } from "./ssh-connection.ts";

/** The data that GnuPG of this machine gives to that of a workspace: never a private key. */
export interface LocalGpg {
  /** The agent's socket for other machines, over which it only uses keys. */
  readonly socket: string;
  readonly publicKeys: Buffer;
  readonly ownerTrust: Buffer;
}

interface LocalNeeds {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Reads the public keys, and finds the agent. Throws `CommandError` without GnuPG or a running agent. */
export async function readLocalGpg(needs: LocalNeeds): Promise<LocalGpg> {
  const [socket, publicKeys, ownerTrust] = await Promise.all([
    runHere(["gpgconf", "--list-dirs", "agent-extra-socket"], needs),
    runHere(["gpg", "--batch", "--export"], needs),
    runHere(["gpg", "--batch", "--export-ownertrust"], needs),
  ]);
  const path = socket.toString().trim();
  await requireListener(path, needs.signal);
  return { socket: path, publicKeys, ownerTrust };
}

/**
 * Lets GnuPG of a workspace use the keys of this machine as long as the connection lasts: imports the public ones and
 * puts the forwarded socket in the place of the workspace's own agent. Throws `CommandError` if the workspace has no
 * GnuPG, or does not take them.
 */
export async function forwardGpg(
  connection: SshConnection,
  { socket, publicKeys, ownerTrust }: LocalGpg,
  signal: AbortSignal,
): Promise<void> {
  const runThere = (command: string, input: Buffer): Promise<string> =>
    runInWorkspace(connection, command, input, signal);
  if (publicKeys.length > 0) await runThere("gpg --batch --quiet --import", publicKeys);
  await runThere("gpg --batch --quiet --import-ownertrust", ownerTrust);
  const output = await runThere(`sh -c '${clearSocket}'`, Buffer.alloc(0));
  // A shell's start files may print something before.
  const path = output.split("\n").at(-1) ?? "";
  if (!path.startsWith("/")) throw new CommandError("GnuPG of the workspace names no socket");
  const forward = {
    listen: { kind: "socket", path },
    target: { kind: "socket", path: socket },
  } as const;
  await connection.forward({ local: [], remote: [forward] });
}

/** Ends the workspace's own agent, and prints the path where GnuPG expects its socket. */
const clearSocket =
  "socket=$(gpgconf --list-dirs agent-socket) && gpgconf --kill gpg-agent && " +
  'gpgconf --create-socketdir 2>/dev/null; rm -f "$socket" && printf %s "$socket"';

/** The maximum size of a keyring, and of the output of a program in the workspace. */
const maxKeyBytes = 64 * 1024 * 1024;
const maxOutputCharacters = 64 * 1024;

async function runHere(
  [program, ...words]: readonly [string, ...string[]],
  { environment, signal }: LocalNeeds,
): Promise<Buffer> {
  const options = { env: environment, signal, encoding: "buffer", maxBuffer: maxKeyBytes } as const;
  try {
    return (await promisify(execFile)(program, words, options)).stdout;
  } catch (error) {
    signal.throwIfAborted();
    const isMissing = systemErrorCode(error) === "ENOENT";
    throw new CommandError(
      `--forward-gpg: ${program} ${isMissing ? "is not installed" : "failed"}`,
      {
        ...(isMissing ? { hint: "install GnuPG on this machine" } : {}),
        cause: error,
      },
    );
  }
}

async function requireListener(path: string, signal: AbortSignal): Promise<void> {
  const socket = connect(path);
  try {
    await once(socket, "connect", { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new CommandError("--forward-gpg: no GPG agent is running on this machine", {
      hint: "start it with: gpgconf --launch gpg-agent",
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

/** Runs a program in the workspace and resolves with its output. Throws `CommandError` if it fails. */
async function runInWorkspace(
  connection: SshConnection,
  command: string,
  input: Buffer,
  signal: AbortSignal,
): Promise<string> {
  const request = { command, pty: undefined, environment: {} };
  const { channel, ended } = await connection.start(request, signal);
  const [output, messages] = [collectText(channel), collectText(channel.stderr)];
  // A program that fails does not read all of it.
  channel.on("error", () => undefined);
  channel.end(input);
  const exit = await abortable(ended, signal);
  if (exit.kind === "code" && exit.code === 0) return output();
  const reason = messages().trim().split("\n").at(-1) ?? "";
  throw new CommandError(`--forward-gpg: GnuPG of the workspace failed: ${reason}`, {
    hint: "install gpg and gpgconf in the workspace",
  });
}

/** Reads a text to its end; returns a function that returns its beginning. */
function collectText(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (part: string) => {
    if (text.length < maxOutputCharacters) text += part;
  });
  return () => text;
}
