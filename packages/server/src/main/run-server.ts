import { isatty } from "node:tty";

import { Scope, settlesWithin, systemClock, trustSystemAuthorities } from "@slipway/runtime";

import { listTemplates } from "../features/templates/service.ts";
import {
  ensureAdmin,
  issueAdminPassword,
  readFirstOwner,
} from "../features/users/admin-service.ts";
import { holdsSecret, removeSecrets } from "../platform/config/secret-variables.ts";
import { ConfigError, type SettingSource } from "../platform/config/setting-source.ts";
import { type AdminSettings, readSettings, type Settings } from "../platform/config/settings.ts";
import { recordReads, unknownVariables } from "../platform/config/unknown-variables.ts";
import type { Database } from "../platform/db/database.ts";
import { Refusal } from "../platform/errors/errors.ts";
import { announceWait } from "./announce-wait.ts";
import { type GivenSettings, settingSource } from "./given-settings.ts";
import { createLogger } from "./logger.ts";
import { createServer, type Server } from "./server.ts";
import { explainStartError } from "./start-error.ts";
import { type WelcomeLogin, welcomeText } from "./welcome.ts";
import type { InstalledArchives } from "./wire-downloads.ts";

/** The time between the signals when someone stops all processes together. */
const stoppedTogetherMs = 2_000;

type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

export interface RunServerOptions extends GivenSettings {
  /** The environment, whose secrets are removed once they are read. */
  readonly environment: Record<string, string | undefined>;
  readonly demo: boolean;
  /** The agent's command line. */
  readonly agentCommand: readonly string[];
  /** The command that installs `slipway`. */
  readonly installCommand: string;
  /** Programs by name, appended to the `PATH` of workspaces on this machine. */
  readonly workspacePrograms?: Readonly<Record<string, readonly string[]>>;
  /** The archives of the agent and the command that this installation has (default: none). */
  readonly archives?: InstalledArchives;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Resolves at the first termination signal. */
  readonly interrupted: Promise<SignalName>;
  /** Aborts at the second termination signal. */
  readonly forced: AbortSignal;
}

/** Runs a server until it is interrupted; resolves to the exit code. */
export async function runServer(options: RunServerOptions): Promise<number> {
  return explainStartError(() => serve(options), options.stderr);
}

async function serve(options: RunServerOptions): Promise<number> {
  const isTerminal = isatty(process.stderr.fd);
  const source = settingSource(options);
  // The demonstration's workspace is a process of this machine.
  if (options.demo) source["SLIPWAY_PROCESS_DRIVER"] ||= "true";
  const settings = readKnownSettings(source, isTerminal, options.stderr);
  removeSecrets(options.environment);
  // Replaces the command line.
  if (holdsSecret(options.flags)) process.title = "slipway server";
  // A demonstration addresses a person: its log is quiet unless a level was requested.
  const isQuiet = options.demo && options.environment["SLIPWAY_LOG_LEVEL"] === undefined;
  const level =
    isQuiet && options.flags["SLIPWAY_LOG_LEVEL"] === undefined ? "warn" : settings.log.level;
  const logger = createLogger({ ...settings.log, level }, isTerminal);
  const starting = new AbortController();
  void options.interrupted.then((signal) => starting.abort(new StoppedBySignal(signal)));
  try {
    const { agentCommand, workspacePrograms = {} } = options;
    // Databases and providers of log-ins may be a company's own.
    trustSystemAuthorities();
    let isConfigured = false;
    const server = await createServer({
      settings,
      agentCommand,
      workspacePrograms,
      ...(options.archives === undefined ? {} : { archives: options.archives }),
      logger,
      signal: starting.signal,
      beforeListening: async (db) => {
        isConfigured = await makeAdmin(db, settings.admin);
      },
    });
    return await serveUntilEnd(server, options, starting.signal, isConfigured);
  } catch (error) {
    if (error instanceof StoppedBySignal) return 0;
    throw error;
  }
}

/** Reads the settings, and warns of unknown variables: a misspelled one may be why another setting is wrong. */
function readKnownSettings(
  environment: SettingSource,
  isTerminal: boolean,
  stderr: (text: string) => void,
): Settings {
  const recorded = recordReads(environment);
  try {
    return readSettings(recorded.source, isTerminal);
  } finally {
    for (const warning of unknownVariables(recorded)) stderr(`warning: ${warning}\n`);
  }
}

/** An interruption of the start. */
class StoppedBySignal extends Error {
  override readonly name = "StoppedBySignal";
  readonly code = "interrupted";
  readonly signal: SignalName;

  constructor(signal: SignalName) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

async function serveUntilEnd(
  server: Server,
  options: RunServerOptions,
  signal: AbortSignal,
  isConfigured: boolean,
): Promise<number> {
  let ended: SignalName | { readonly failure: string } = "SIGTERM";
  try {
    const demo = options.demo ? await server.openDemo(signal) : undefined;
    const { accessUrl, db } = server;
    const { installCommand } = options;
    const hasTemplates = (await listTemplates(db, "")).length > 0;
    const login = await readLogin(db, isConfigured);
    const hasDocker = await server.hasDocker(signal);
    options.stdout(
      welcomeText({ accessUrl, login, demo, installCommand, hasTemplates, hasDocker }),
    );
    ended = await Promise.race([options.interrupted, failureOf(server, options.interrupted)]);
  } catch (error) {
    if (error instanceof StoppedBySignal) ended = error.signal;
    else {
      await server.close();
      throw error;
    }
  }
  if (typeof ended === "object") {
    options.stderr(`error: ${ended.failure}\n`);
    await server.close();
    return 1;
  }
  return stop(server, ended, options);
}

/** Stops the server after a signal; resolves to the exit code. A second signal ends it immediately. */
async function stop(server: Server, ended: SignalName, options: RunServerOptions): Promise<number> {
  // Ctrl-C ends everything; a service manager's SIGTERM is a restart, which agents survive.
  const stopAgents = options.demo || ended === "SIGINT";
  options.stderr(
    stopAgents ? "stopping the workspaces and the server…\n" : "stopping the server…\n",
  );
  const forced = new Promise<"forced">((resolve) => {
    options.forced.addEventListener("abort", () => resolve("forced"), { once: true });
  });
  const drained = ended === "SIGTERM" ? server.drain(options.forced) : Promise.resolve();
  const closed = drained.then(() => server.close({ stopAgents })).then(() => "closed" as const);
  const again = ended === "SIGINT" ? "press Ctrl-C again" : "send another signal";
  await using talk = new Scope();
  talk.run((over) =>
    announceWait(
      {
        waitsFor: () => server.waitsFor(),
        hint: `${again} to end at once`,
        write: options.stderr,
        clock: systemClock,
      },
      over,
    ),
  );
  if ((await Promise.race([closed, forced])) === "closed") return 0;
  options.stderr("stopped before everything had ended\n");
  return 1;
}

/** Resolves when the server fails by itself. A database that was just stopped along with it is not a failure. */
async function failureOf(
  server: Server,
  interrupted: Promise<unknown>,
): Promise<{ readonly failure: string }> {
  const failure = await server.failed;
  await settlesWithin(interrupted, stoppedTogetherMs, systemClock);
  return { failure };
}

/** Creates the configured administrator. Throws `ConfigError` if it is not a valid user. */
async function makeAdmin(db: Database, admin: AdminSettings): Promise<boolean> {
  try {
    return await ensureAdmin(db, admin);
  } catch (error) {
    if (!(error instanceof Refusal) || error.validations.length === 0) throw error;
    throw new ConfigError(
      error.validations.map(
        ({ field, detail }) => `SLIPWAY_ADMIN_${field.toUpperCase()} ${detail}`,
      ),
    );
  }
}

/** Returns the login to show. A password that no one has seen yet is generated here, right before it is shown. */
async function readLogin(db: Database, isConfigured: boolean): Promise<WelcomeLogin | undefined> {
  const issued = await issueAdminPassword(db);
  if (issued !== undefined)
    return { email: issued.email, password: { generated: issued.password } };
  const owner = await readFirstOwner(db);
  if (owner === undefined) return undefined;
  return { email: owner.email, password: isConfigured ? "configured" : "known" };
}
