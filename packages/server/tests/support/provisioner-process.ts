import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { createProvisionerKey } from "@slipway/api/organizations/provisioner-routes";
import type { openClient } from "@slipway/testkit";
import { vi } from "vitest";

const program = fileURLToPath(import.meta.resolve("@slipway/cli/program"));

export interface ProvisionerProcessOptions {
  readonly url: string;
  readonly key: string;
  readonly dataDir: string;
  readonly args?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A provisioner in its own process. The starter stops it. */
export interface ProvisionerProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves to the exit code or the signal. */
  readonly exited: Promise<number | string>;
  /** Resolves once the output has the text as many times. */
  readonly said: (text: string, times?: number) => Promise<void>;
}

/** Starts `slipway provisioner start`. */
export function startProvisioner({
  url,
  key,
  dataDir,
  args = [],
  environment,
}: ProvisionerProcessOptions): ProvisionerProcess {
  const words = ["provisioner", "start", "--data-dir", dataDir, ...args];
  const child = spawn(process.execPath, ["--conditions=@slipway/source", program, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      HOME: dataDir,
      CODER_URL: url,
      SLIPWAY_PROVISIONER_KEY: key,
      SLIPWAY_TERRAFORM_USERS: "server",
      SLIPWAY_LOG_FORMAT: "json",
      ...environment,
    },
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit").then(([code, signal]): number | string =>
    typeof code === "number" ? code : String(signal),
  );
  return {
    process: child,
    output: () => output,
    exited,
    said: async (text, times = 1) => {
      await vi.waitUntil(() => output.split(text).length > times, {
        timeout: 60_000,
        interval: 20,
      });
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Creates a key whose provisioners have these tags; resolves to its secret. */
export async function makeKey(
  client: Pick<ReturnType<typeof openClient>, "call">,
  name: string,
  tags: Readonly<Record<string, string>>,
): Promise<string> {
  const params = { organization: "default" };
  const body = { name, tags: { ...tags } };
  return (await client.call(createProvisionerKey, { params, body })).key;
}
