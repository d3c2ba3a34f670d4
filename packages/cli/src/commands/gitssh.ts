import { execFile } from "node:child_process";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { getAgentGitKey } from "@slipway/api/agents/owner-secret-routes";
import { homeDirectory } from "@slipway/runtime/home-directory";

import { defineCommand, type OptionsOf } from "../command/definition.ts";
import type { Needs } from "../command/needs.ts";
import { connectAsAgent } from "../resources/inside/agent-client.ts";
import { agentFlags } from "../resources/inside/agent-flags.ts";
import { runProgram } from "../resources/inside/run-program.ts";

export const command = defineCommand({
  summary: "run ssh with the workspace owner's key for Git, as GIT_SSH_COMMAND",
  description:
    "Run ssh with the key that slipway publickey prints, behind the user's own keys. Workspaces have it as their " +
    "GIT_SSH_COMMAND. Exits with the exit code of ssh.",
  arguments: {
    arguments: { summary: "arguments of ssh", required: true, variadic: true },
  },
  flags: agentFlags,
  examples: [
    { line: "slipway gitssh -- git@github.com", summary: "test whether the host knows the key" },
  ],
});

/** The exit code of ssh for its own failures, such as a refused key. */
const sshFailed = 255;

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "environment" | "clock" | "signal">,
): Promise<number> {
  const { terminal, environment, signal } = needs;
  const client = await connectAsAgent(options, needs);
  const { public_key: publicKey, private_key: privateKey } = await client.call(getAgentGitKey, {
    signal,
  });
  // No one else may see the key even briefly: only this user can enter the directory.
  const directory = await mkdtemp(join(tmpdir(), "coder-gitsshkey-"));
  try {
    const file = join(directory, "key");
    await writeFile(file, privateKey, { mode: 0o600 });
    const words = options.arguments;
    const keys = [...(await userKeys(words, environment, signal)), file];
    const identities = keys.flatMap((key) => ["-i", key]);
    const hint = "install OpenSSH's client";
    const code = await runProgram(["ssh", ...identities, ...words], { environment, signal, hint });
    if (code === sshFailed && !hasAccount()) {
      terminal.err.line(noAccountText);
    } else if (code === sshFailed) {
      terminal.err.line(`the host may not know your key yet; add it there:\n${publicKey.trim()}`);
      terminal.err.line("GitHub: https://github.com/settings/ssh/new");
      terminal.err.line("GitLab: https://gitlab.com/-/user_settings/ssh_keys");
    }
    return code;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Explains the `No user exists for uid …` of OpenSSH, which requires an entry for its user. */
const noAccountText =
  "ssh needs an entry for this user in /etc/passwd, which is missing here; add one in the image, or use an https:// remote";

/** Returns whether this user has an entry in the system's list of users. */
function hasAccount(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

/** The names of keys that ssh tries by default (docs/protocol/agent.md §9.2). */
const usualNames = [
  "id_rsa",
  "id_dsa",
  "id_ecdsa",
  "id_ecdsa_sk",
  "id_ed25519",
  "id_ed25519_sk",
  "id_xmss",
];

/** Lists the existing key files that ssh would use for these arguments: a key named by `-i` hides them. */
async function userKeys(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const home = homeDirectory(environment);
  const configured = await configuredKeys(words, environment, signal);
  const paths = configured ?? usualNames.map((name) => join("~/.ssh", name));
  const files = paths.map((path) => path.replace(/^~(?=\/)/, home));
  const found = await Promise.all(
    files.map((file) =>
      access(file).then(
        () => [file],
        () => [],
      ),
    ),
  );
  return found.flat();
}

/** Returns the key files of the user's configuration; undefined if ssh does not report them. */
async function configuredKeys(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  try {
    const options = { env: environment, signal, maxBuffer: maxConfigBytes };
    const { stdout } = await promisify(execFile)("ssh", ["-G", ...words], options);
    return stdout.split("\n").flatMap((line) => /^identityfile (.+)$/.exec(line)?.[1] ?? []);
  } catch (error) {
    if (signal.aborted) throw error;
    // An old ssh without -G, or arguments that it rejects: it reports that itself when it runs.
    return undefined;
  }
}

/** The maximum size of the configuration. */
const maxConfigBytes = 1024 * 1024;
