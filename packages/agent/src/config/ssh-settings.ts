import { durationMs } from "@slipway/runtime";

/** The limits of the agent's SSH server (docs/protocol/agent.md §1.1). */
export interface SshSettings {
  /** The silence after which a client counts as lost; it is probed three times meanwhile. */
  readonly maxTimeoutMs: number;
  readonly blockFileTransfer: boolean;
  readonly blockLocalForwarding: boolean;
  readonly blockReverseForwarding: boolean;
}

const defaultMaxTimeoutMs = 72 * 3_600_000;
/** The bounds of the timeout; timers cannot wait much longer. */
const minTimeoutMs = 3_000;
const maxTimeoutMs = 60 * 86_400_000;
const duration = /^(?:\d+(?:\.\d+)?(?:ms|[hms]))+$/;

type ReadText = (name: string) => string | undefined;

/** Reads the settings from their variables, and adds faults to the list. */
export function readSshSettings(text: ReadText, faults: string[]): SshSettings {
  const flag = (name: string): boolean => readFlag(name, text(name), faults);
  return {
    maxTimeoutMs: readTimeout(text("CODER_AGENT_SSH_MAX_TIMEOUT"), faults),
    blockFileTransfer: flag("CODER_AGENT_BLOCK_FILE_TRANSFER"),
    blockLocalForwarding: flag("CODER_AGENT_BLOCK_LOCAL_PORT_FORWARDING"),
    blockReverseForwarding: flag("CODER_AGENT_BLOCK_REVERSE_PORT_FORWARDING"),
  };
}

function readTimeout(text: string | undefined, faults: string[]): number {
  if (text === undefined) return defaultMaxTimeoutMs;
  if (!duration.test(text)) {
    const found = JSON.stringify(text);
    faults.push(
      `CODER_AGENT_SSH_MAX_TIMEOUT is ${found}, which is not a duration: write 8h, 72h or 1h30m`,
    );
    return defaultMaxTimeoutMs;
  }
  return Math.min(Math.max(minTimeoutMs, durationMs(text)), maxTimeoutMs);
}

/** Reads a switch, which is off by default. */
export function readFlag(name: string, text: string | undefined, faults: string[]): boolean {
  switch (text?.toLowerCase()) {
    case undefined:
    case "false":
    case "f":
    case "0":
      return false;
    case "true":
    case "t":
    case "1":
      return true;
    default:
      faults.push(`${name} is ${JSON.stringify(text)}, wanted true or false`);
      return false;
  }
}
