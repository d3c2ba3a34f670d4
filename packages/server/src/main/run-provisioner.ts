import { hostname } from "node:os";
import { isatty } from "node:tty";

import { refuseAborted } from "@slipway/drivers";
import type { RpcSocket } from "@slipway/rpc";
import { Scope, systemClock, trustSystemAuthorities, whenAborted } from "@slipway/runtime";

import { readShellScripts } from "../features/downloads/shell-scripts.ts";
import { protocolVersion } from "../features/provisioners/session-messages.ts";
import { removeSecrets } from "../platform/config/secret-variables.ts";
import { readSettings } from "../platform/config/settings.ts";
import { ProvisionerHost } from "../provisioner/provisioner-host.ts";
import { serveSessions } from "../provisioner/serve-sessions.ts";
import { openDataDirectory } from "./data-directory.ts";
import { createLogger } from "./logger.ts";
import { openTerraform } from "./open-terraform.ts";
import { explainStartError, StartError } from "./start-error.ts";
import { buildVersion } from "./version.ts";

export interface RunProvisionerOptions {
  /** The directory of the machine's id and of what is left of interrupted runs (default: beside that of a server). */
  readonly dataDir: string | undefined;
  /** The environment, whose secrets are removed once they are read. */
  readonly environment: Record<string, string | undefined>;
  /** The name in lists (default: that of the machine). */
  readonly name: string | undefined;
  /** The tags, from those of the key (default: all of them). */
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** The time for jobs to end after the first termination signal. */
  readonly drainMs: number;
  /** Opens a socket to the server with a query; resolves to the reason if the server refuses it for good. */
  readonly dial: (
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) => Promise<RpcSocket | { readonly refusal: string }>;
  readonly stderr: (text: string) => void;
  /** Resolves at the first termination signal. */
  readonly interrupted: Promise<unknown>;
  /** Aborts at the second termination signal. */
  readonly forced: AbortSignal;
}

/** The time that a run goes on without a session: as long as a program that changes infrastructure is left alone. */
const maxDetachedMs = 120_000;
/** The jobs that one provisioner takes at the same time at most. */
const maxJobs = 16;

/** Carries out jobs of a server until it is interrupted; resolves to the exit code. */
export async function runProvisioner(options: RunProvisionerOptions): Promise<number> {
  return explainStartError(() => run(options), options.stderr);
}

async function run(options: RunProvisionerOptions): Promise<number> {
  const { environment, tags } = options;
  const isTerminal = isatty(process.stderr.fd);
  const settings = readSettings(environment, isTerminal);
  removeSecrets(environment);
  // Replaces the command line, which may have the key.
  process.title = "slipway provisioner";
  const { terraform, limits } = settings;
  if ("refusal" in terraform.program) {
    throw new StartError(
      "no-terraform",
      "a provisioner needs OpenTofu or Terraform on this machine: install one of them on the PATH, or set SLIPWAY_TERRAFORM to its path",
    );
  }
  trustSystemAuthorities();
  const clock = systemClock;
  const logger = createLogger(settings.log, isTerminal);
  await using opened = new AsyncDisposableStack();
  const dataDir = options.dataDir ?? `${settings.dataDir}-provisioner`;
  const directory = opened.use(await openDataDirectory(dataDir));
  const scripts = await readShellScripts();
  const driver = openTerraform(settings, { dataDir: directory.path, scripts, clock });
  const { unpackDir } = directory;
  const host = opened.use(
    new ProvisionerHost({
      driver: refuseAborted(driver),
      unpackDir,
      clock,
      logger,
      maxDetachedMs,
    }),
  );
  const name = options.name ?? hostname();
  const query = {
    protocol: protocolVersion,
    build: buildVersion,
    id: directory.replicaId,
    name,
    jobs: String(Math.min(limits.maxTerraformRuns, maxJobs)),
    parameters: "true",
    ...(tags === undefined ? {} : { tags: JSON.stringify(tags) }),
  };
  await using scope = new Scope();
  const draining = drainAtSignal(options, host, scope);
  const end = await serveSessions(
    { host, dial: (signal) => options.dial(query, signal), clock, logger, draining },
    scope.signal,
  );
  if (end === "drained") return options.forced.aborted ? 1 : 0;
  await host.abandon(new Error(end.refusal));
  throw new StartError("provisioner-refused", end.refusal);
}

/** Returns a signal that is aborted at the first interruption. At the second, or when the time is over, runs are ended. */
function drainAtSignal(
  { interrupted, forced, drainMs, stderr }: RunProvisionerOptions,
  host: ProvisionerHost,
  scope: Scope,
): AbortSignal {
  const draining = new AbortController();
  scope.run(async (signal) => {
    await Promise.race([interrupted, whenAborted(signal)]);
    if (signal.aborted) return;
    draining.abort(new Error("interrupted"));
    if (host.size > 0) {
      stderr(`finishing what runs (${host.size}); send another signal to end it now\n`);
    }
    const late = systemClock.sleep(drainMs, signal).catch(() => undefined);
    await Promise.race([whenAborted(forced), late]);
    if (host.size > 0) stderr("ending what runs; its state is saved\n");
    await host.abort(new Error("the provisioner was stopped while it ran the job; try again"));
  });
  return draining.signal;
}
