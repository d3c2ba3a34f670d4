import { spawn } from "node:child_process";
import { once } from "node:events";

import { errorText, withTimeout } from "@slipway/runtime";

import type { Environment } from "../config/environment.ts";
import { CommandError } from "./errors.ts";
import type { OpenableUrl } from "./openable-url.ts";

/** Opens URLs outside the terminal, in the program that the system has for their scheme. */
export interface UrlOpener {
  /** The reason why no program can be opened here; undefined if one can. */
  readonly obstacle: string | undefined;
  /** Hands over a URL. Throws `CommandError` if there is no program for it or the program fails at once. */
  open(url: OpenableUrl, signal: AbortSignal): Promise<void>;
}

/** The longest wait for the end of the launcher, in milliseconds; one that still runs has opened something. */
const launchMs = 3_000;

/** Returns the opener of a machine with such an environment. */
export function urlOpener(environment: Environment, platform: NodeJS.Platform): UrlOpener {
  return {
    obstacle: obstacleOf(environment, platform),
    open: async ({ href }, signal) => {
      const problem = await launch(
        [...launcherOf(environment, platform), href],
        environment,
        signal,
      );
      if (problem !== undefined) throw new CommandError(`the URL was not opened: ${problem}`);
    },
  };
}

function isWindowsSubsystem(environment: Environment): boolean {
  return (environment["WSL_DISTRO_NAME"] ?? "") !== "";
}

function obstacleOf(environment: Environment, platform: NodeJS.Platform): string | undefined {
  if (environment["CODER"] === "true") return "this is a workspace";
  if (platform === "win32" || platform === "darwin") return undefined;
  if (isWindowsSubsystem(environment)) return undefined;
  const hasDisplay = ["DISPLAY", "WAYLAND_DISPLAY"].some(
    (name) => (environment[name] ?? "") !== "",
  );
  return hasDisplay ? undefined : "there is no display";
}

/** Returns the program that opens URLs, and the arguments before the URL. None of them is a shell. */
function launcherOf(environment: Environment, platform: NodeJS.Platform): readonly string[] {
  if (platform === "darwin") return ["open"];
  if (platform === "win32" || isWindowsSubsystem(environment)) {
    return ["rundll32.exe", "url.dll,FileProtocolHandler"];
  }
  return ["xdg-open"];
}

/** Runs the launcher, which may outlive this process; resolves to the reason of a failure. */
async function launch(
  [program = "", ...words]: readonly string[],
  environment: Environment,
  signal: AbortSignal,
): Promise<string | undefined> {
  const launcher = spawn(program, words, { env: environment, stdio: "ignore", detached: true });
  try {
    const [code, killedBy] = await once(launcher, "close", {
      signal: withTimeout(signal, launchMs),
    });
    return code === 0 ? undefined : `${program} ended with ${killedBy ?? code}`;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error && error.name === "AbortError" ? undefined : errorText(error);
  } finally {
    launcher.unref();
  }
}
