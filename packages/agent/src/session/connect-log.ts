import type { Clock, Logger } from "@slipway/runtime";
import type { Rung } from "@slipway/sdk/agent";

/** The advice for each rung that can fail. */
export const advice: Readonly<Record<Rung, string>> = {
  dns: "check the host name in CODER_AGENT_URL and the DNS servers of this machine",
  tcp: "check that the server is running, that the port in CODER_AGENT_URL is right, and that no firewall blocks it",
  tls: "check that the server's certificate names this host, has not expired, and is from an issuer trusted here (NODE_EXTRA_CA_CERTS)",
  http: "check that CODER_AGENT_URL is the server's own address, and check any proxy in front of it",
  identity:
    "check that CODER_AGENT_AUTH names the cloud of this machine, and that the template has an agent with that kind of identity",
  upgrade: "check that every proxy in between forwards WebSockets",
  authentication:
    "check the source of the token, CODER_AGENT_TOKEN or the identity of this machine: a token belongs to one build of a workspace and expires with the next",
  version: "update the server or the agent, whichever is older",
  rpc: "check the server's log: it accepted the connection and then failed",
};

const summaryIntervalMs = 60_000;

/** The cause of refusals while the workspace is stopped, which belong to no rung. */
const stoppedCause = "stopped";

/**
 * Logs why the agent cannot connect: immediately if the cause is new, else as a count each minute. A stopped
 * workspace is not a failure: the agent waits for the next start, and logs that once.
 */
export class ConnectLog {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #cause: string | undefined;
  #repeats = 0;
  #warnedAtMs = 0;

  constructor(address: string, clock: Clock, logger: Logger) {
    this.#address = address;
    this.#clock = clock;
    this.#logger = logger;
  }

  failed(rung: Rung, error: string): void {
    const fields = { rung, address: this.#address, error };
    const nowMs = this.#clock.monotonic();
    const cause = `${rung}\n${error}`;
    if (cause !== this.#cause) {
      this.#cause = cause;
      this.#warn({ ...fields, check: advice[rung] }, `cannot connect: ${rung} failed`, nowMs);
      return;
    }
    this.#repeats += 1;
    if (nowMs - this.#warnedAtMs < summaryIntervalMs) {
      this.#logger.debug(fields, "still cannot connect");
      return;
    }
    const again = { ...fields, check: advice[rung], repeats: this.#repeats };
    this.#warn(again, `still cannot connect: ${rung} fails`, nowMs);
  }

  stopped(): void {
    if (this.#cause === stoppedCause) return;
    this.#cause = stoppedCause;
    this.#repeats = 0;
    this.#logger.info({}, "the workspace is stopped: waiting for its next start");
  }

  /** Forgets the last failure, so that the next one is logged immediately. */
  connected(): void {
    this.#cause = undefined;
    this.#repeats = 0;
  }

  #warn(fields: Readonly<Record<string, unknown>>, message: string, nowMs: number): void {
    this.#repeats = 0;
    this.#warnedAtMs = nowMs;
    this.#logger.warn(fields, message);
  }
}
