import { loadLater, resolveLater } from "../process/load-later.ts";
import type { TerminalSize } from "./terminal-size.ts";

/** The native part of `@lydell/node-pty`, whose JavaScript truncates the output of a process 200 ms after its end. */
export interface NativePty {
  fork(
    file: string,
    args: readonly string[],
    environment: readonly string[],
    cwd: string,
    columns: number,
    rows: number,
    uid: number,
    gid: number,
    isUtf8: boolean,
    helperPath: string,
    onExit: (exitCode: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number; readonly pty: string };
  open(
    columns: number,
    rows: number,
  ): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(fd: number, columns: number, rows: number): void;
}

export interface LoadedPty {
  readonly native: NativePty;
  /** The program that becomes the command on macOS; unused elsewhere. */
  readonly helperPath: string;
}

let loaded: LoadedPty | undefined;

/** Loads the module at its first use. Throws the loader's error. */
export function loadNativePty(): LoadedPty {
  loaded ??= load();
  return loaded;
}

/**
 * Resizes a terminal by a descriptor of its master. Returns false if the terminal has hung up in the meantime, as the
 * system then refuses the call. Throws any other error.
 */
export function resizeTerminal(
  native: Pick<NativePty, "resize">,
  fd: number,
  { columns, rows }: TerminalSize,
): boolean {
  try {
    native.resize(fd, columns, rows);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** Reports whether an error comes from the system rather than from the module, which names the failed call. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("ioctl(2) failed");
}

function load(): LoadedPty {
  const name = `@lydell/node-pty-${process.platform}-${process.arch}`;
  const native = loadLater({ name: `${name}/pty.node`, fileBeside: "pty.node" });
  if (!isNativePty(native)) throw new Error("pty.node lacks fork, open or resize");
  const isMac = process.platform === "darwin";
  return { native, helperPath: isMac ? resolveLater(`${name}/spawn-helper`) : "" };
}

function isNativePty(value: unknown): value is NativePty {
  if (typeof value !== "object" || value === null) return false;
  return ["fork", "open", "resize"].every((name) => typeof Reflect.get(value, name) === "function");
}
