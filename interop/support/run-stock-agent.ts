import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

interface StockAgentOptions {
  readonly program: string;
  /** The prefix that runs the command elsewhere, such as in a namespace (default: none). */
  readonly launcher?: readonly string[];
  readonly serverUrl: string;
  /** The token; undefined if `environment` configures another way to authenticate. */
  readonly token: string | undefined;
  /** The home directory, which holds all its files. */
  readonly home: string;
  /** Additional variables. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** Starts a stock agent that does not listen and leaves other processes alone. */
export async function runStockAgent(options: StockAgentOptions): Promise<ChildProcess> {
  const { home, program, launcher = [] } = options;
  await mkdir(join(home, "tmp"), { recursive: true });
  const [command, ...args] = [...launcher, program, "agent", "--no-reap"];
  return spawn(command, args, {
    cwd: home,
    stdio: "ignore",
    env: {
      HOME: home,
      PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
      SHELL: "/bin/sh",
      TMPDIR: join(home, "tmp"),
      CODER_AGENT_URL: options.serverUrl,
      ...(options.token === undefined ? {} : { CODER_AGENT_TOKEN: options.token }),
      CODER_AGENT_LOG_DIR: home,
      CODER_AGENT_SCRIPT_DATA_DIR: join(home, "scripts"),
      CODER_AGENT_PPROF_ADDRESS: "",
      CODER_AGENT_PROMETHEUS_ADDRESS: "",
      CODER_AGENT_DEBUG_ADDRESS: "",
      CODER_AGENT_DEVCONTAINERS_ENABLE: "false",
      CODER_AGENT_SOCKET_SERVER_ENABLED: "false",
      ...options.environment,
    },
  });
}
