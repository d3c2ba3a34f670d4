import { createRequire } from "node:module";

import { systemErrorCode } from "@slipway/runtime";
import type { dialSocket } from "@slipway/sdk/agent";

import { CommandError, type Interruption } from "../../command/errors.ts";
import { freshBundle } from "../../config/fresh-bundle.ts";
import type { Installation } from "./installation.ts";

type ServerSocket = Awaited<ReturnType<typeof dialSocket>>;

/** Flags by the names of their variables, and the variables themselves. */
interface Configuration {
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly environment: NodeJS.ProcessEnv;
}

/** The part of the server's package that the command uses. */
interface ServerModule {
  readonly runServer: (
    options: Configuration &
      Installation &
      Interruption & {
        readonly demo: boolean;
        readonly stdout: (text: string) => void;
        readonly stderr: (text: string) => void;
      },
  ) => Promise<number>;
  readonly runProvisioner: (
    options: Pick<Configuration, "environment"> &
      Interruption & {
        readonly dataDir: string | undefined;
        readonly name: string | undefined;
        readonly tags: Readonly<Record<string, string>> | undefined;
        readonly drainMs: number;
        readonly dial: (
          query: Readonly<Record<string, string>>,
          signal: AbortSignal,
        ) => Promise<ServerSocket | { readonly refusal: string }>;
        readonly stderr: (text: string) => void;
      },
  ) => Promise<number>;
  readonly runMigrateDatabase: (
    options: Configuration & {
      readonly stderr: (text: string) => void;
      readonly signal: AbortSignal;
    },
  ) => Promise<number>;
  readonly runRotateKey: (
    options: Configuration & {
      readonly discardsUnreadable: boolean;
      readonly stderr: (text: string) => void;
      readonly signal: AbortSignal;
    },
  ) => Promise<number>;
  readonly runResetPassword: (
    options: Configuration & {
      readonly user: string | undefined;
      readonly password: string | undefined;
      readonly stdout: (text: string) => void;
      readonly stderr: (text: string) => void;
      readonly signal: AbortSignal;
    },
  ) => Promise<number>;
}

/** The codes for a missing package, of `import` and of `require`, which replaces it in the command's bundle. */
const notFoundCodes: ReadonlySet<string | undefined> = new Set([
  "ERR_MODULE_NOT_FOUND",
  "MODULE_NOT_FOUND",
]);

/**
 * Loads the server: its bundle if that is fresh, otherwise its sources, two thousand files. Throws `CommandError` if
 * there is none: the downloadable command does not include it.
 */
export async function loadServer(): Promise<ServerModule> {
  const bundle = freshBundle("server/dist/bundle/server.js");
  try {
    if (bundle === undefined) return await import("@slipway/server");
    const module: ServerModule = createRequire(import.meta.url)(bundle);
    return module;
  } catch (error) {
    if (!notFoundCodes.has(systemErrorCode(error))) throw error;
    throw new CommandError("this installation of slipway has no server", {
      hint: "run the server from a release, or from a clone of Slipway: npm ci && npm start",
    });
  }
}
