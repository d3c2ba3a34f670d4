import { spawn } from "node:child_process";
import { once } from "node:events";

import { errorText, withTimeout } from "@slipway/runtime";
import type { Environment } from "@slipway/sdk/session";

import { CommandError } from "./errors.ts";

/**
 * A URL that may be opened: a page in a browser, or a target in an editor. `readOpenableUrl` reads one from an
 * answer.
 */
export interface OpenableUrl {
  readonly kind: "page" | "editor";
  /** The parsed URL: without control characters and spaces. */
  readonly href: string;
}

/** The schemes of editors that open workspaces. */
const editorSchemes: ReadonlySet<string> = new Set([
  "antigravity:",
  "cursor:",
  "jetbrains:",
  "jetbrains-gateway:",
  "kiro:",
  "positron:",
  "vscode:",
  "vscode-insiders:",
  "vscodium:",
  "windsurf:",
  "zed:",
]);

const maxUrlLength = 16_384;

/**
 * Reads a URL from a template or a workspace; undefined for one that must not be opened. Any other scheme may run a
 * program, and a text that is not a URL may be taken for a file or a flag.
 */
export function readOpenableUrl(text: string): OpenableUrl | undefined {
  const url = text.length > maxUrlLength ? null : URL.parse(text);
  if (url === null) return undefined;
  const { protocol, href, hostname } = url;
  // Editors ignore a host, but browsers need one: without it, they take the path for a file.
  if (protocol === "http:" || protocol === "https:") {
    return hostname === "" ? undefined : { kind: "page", href };
  }
  if (!editorSchemes.has(protocol) || !href.startsWith(`${protocol}//`)) return undefined;
  return isVisible(href) ? { kind: "editor", href } : undefined;
}

/** Returns whether a text has printable ASCII characters only, without spaces and quotes. */
function isVisible(text: string): boolean {
  return /^[!#-&(-_a-~]+$/.test(text);
}

/** Opens URLs outside of the terminal, in the system's program for their scheme. */
export interface UrlOpener {
  /** The reason why URLs cannot be opened here; undefined if they can. */
  readonly obstacle: string | undefined;
  /** Hands over a URL. Throws `CommandError` if there is no program for it or the program fails immediately. */
  open(url: OpenableUrl, signal: AbortSignal): Promise<void>;
}

/** The maximum wait for the end of the launcher, in milliseconds; one that is still running has opened something. */
const launchMs = 3_000;

/** Returns the opener for a machine with such an environment. */
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

/** Returns the program that opens URLs, and the arguments before the URL. It is never a shell. */
function launcherOf(environment: Environment, platform: NodeJS.Platform): readonly string[] {
  if (platform === "darwin") return ["open"];
  if (platform === "win32" || isWindowsSubsystem(environment)) {
    return ["rundll32.exe", "url.dll,FileProtocolHandler"];
  }
  return ["xdg-open"];
}

/** Runs the launcher, which may outlive this process; resolves to the reason for a failure. */
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
