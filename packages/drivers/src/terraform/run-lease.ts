import { rename, writeFile } from "node:fs/promises";

import { type Clock, Scope } from "@slipway/runtime";

import type { BuildHold, DriverBuild } from "../driver-build.ts";
import type { RunLimits } from "./terraform-options.ts";

/*
 * A program that changes infrastructure goes on when its server is killed, stopped or cut off from the database, while the
 * lease of the build's job ends and another server carries the build out. So it runs under a guard, a separate process,
 * which ends it before the lease does:
 *
 *   renewal ──── maxSilenceMs ────▶ interrupt ──── graceMs ────▶ kill ──── marginMs ────▶ end of the lease
 *
 * The server writes the two times into a file, again after each renewal. It also has the guard interrupt the program, by an
 * earlier time: a program that is interrupted twice exits without its state.
 */

type LeaseLimits = Pick<RunLimits, "maxSilenceMs" | "graceMs">;

const marginMs = 60_000;
const rewriteMs = 500;

/**
 * Runs the program after the path of the file; times are in seconds since the epoch. It waits for a line on its input, by
 * which the server says that it has recorded the process: without it, a server that starts again would not know of it. When
 * the file cannot be read later, the last times hold. Once an interrupted program has ended, what it started is killed.
 */
const guardScript = `
now() { PATH=$PATH:/usr/bin:/bin date +%s; }
read -r line && read -r interrupt kill <"$1" && [ "$(now)" -lt "$interrupt" ] || exit 1
(
  exec </dev/null >/dev/null 2>&1
  PATH=$PATH:/usr/bin:/bin
  interrupted=
  while sleep 1 && kill -0 $$; do
    read -r interrupt kill <"$1"
    now=$(now)
    if [ "$now" -ge "$kill" ]; then kill -KILL -$$
    elif [ "$now" -ge "$interrupt" ] && [ -z "$interrupted" ]; then kill -INT $$ && interrupted=yes
    fi
  done
  [ -z "$interrupted" ] || kill -KILL -$$
) &
shift
exec "$@" </dev/null
`;

/** Returns the command that runs a program under the guard of a lease, once it reads a line. */
export function guardedCommand(
  leasePath: string,
  program: string,
  args: readonly string[],
): { readonly program: string; readonly args: readonly string[] } {
  return {
    program: "/bin/sh",
    args: ["-c", guardScript, "slipway-run", leasePath, program, ...args],
  };
}

/** Takes the lease that a guarded program needs. */
export function holdForRun(
  build: Pick<DriverBuild, "hold">,
  { maxSilenceMs, graceMs }: LeaseLimits,
): Promise<BuildHold> {
  const lastsMs = maxSilenceMs + graceMs + marginMs;
  return build.hold({ lastsMs, patienceMs: maxSilenceMs });
}

/** The file of times of one guarded program, kept up to date until it is disposed of. */
export class RunLease implements AsyncDisposable {
  readonly path: string;
  readonly #hold: BuildHold;
  readonly #limits: LeaseLimits;
  readonly #scope = new Scope();
  #isInterrupted = false;
  #written = "";
  #writing = Promise.resolve();

  private constructor(path: string, hold: BuildHold, limits: LeaseLimits) {
    this.path = path;
    this.#hold = hold;
    this.#limits = limits;
  }

  static async open(
    path: string,
    hold: BuildHold,
    { limits, clock }: { readonly limits: LeaseLimits; readonly clock: Pick<Clock, "sleep"> },
  ): Promise<RunLease> {
    const lease = new RunLease(path, hold, limits);
    await lease.#write();
    lease.#scope.run(async (signal) => {
      for (;;) {
        await clock.sleep(rewriteMs, signal);
        await lease.#write();
      }
    });
    return lease;
  }

  /** Stops the updates; the guard goes by the last times. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }

  /** Has the guard interrupt the program. */
  readonly interrupt = async (): Promise<void> => {
    this.#isInterrupted = true;
    await this.#write();
  };

  /** Writes one after another, so that the last times stay. */
  #write(): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#writeTimes());
    return this.#writing;
  }

  async #writeTimes(): Promise<void> {
    const { maxSilenceMs, graceMs } = this.#limits;
    const silentAtMs = this.#hold.renewedAtMs() + maxSilenceMs;
    const interrupt = this.#isInterrupted ? 0 : Math.floor(silentAtMs / 1000);
    const text = `${interrupt} ${Math.floor((silentAtMs + graceMs) / 1000)}\n`;
    if (text === this.#written) return;
    await writeFile(`${this.path}.new`, text, { mode: 0o644 });
    await rename(`${this.path}.new`, this.path);
    this.#written = text;
  }
}
