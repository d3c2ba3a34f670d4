import { loadLater, resolveLater } from "../process/load-later.ts";

/** The native part of `@lydell/node-pty`; its JavaScript cuts the output of a process 200 ms after its end. */
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

function load(): LoadedPty {
  const name = `@lydell/node-pty-${process.platform}-${process.arch}`;
  const native = loadLater({ name: `${name}/pty.node`, fileBeside: "pty.node" });
  if (!isNativePty(native)) throw new Error("pty.node lacks fork and resize");
  const isMac = process.platform === "darwin";
  return { native, helperPath: isMac ? resolveLater(`${name}/spawn-helper`) : "" };
}

function isNativePty(value: unknown): value is NativePty {
  return (
    typeof value === "object" &&
    value !== null &&
    "fork" in value &&
    typeof value.fork === "function" &&
    "resize" in value &&
    typeof value.resize === "function"
  );
}
