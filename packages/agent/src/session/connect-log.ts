import type { Clock, Logger } from "@slipway/runtime";
import type { Rung } from "@slipway/sdk/agent";

/** The advice for each rung that can fail. */
export const advice: Readonly<Record<Rung, string>> = {
  dns: "check the host name in CODER_AGENT_URL and the name servers of this machine",
  tcp: "check that the server runs, that the port in CODER_AGENT_URL is right, and the firewalls between",
  tls: "check that the server's certificate names this host, is in date, and that its issuer is trusted here (NODE_EXTRA_CA_CERTS)",
  http: "check that CODER_AGENT_URL is the server's own address, and what stands in front of it",
  identity:
    "check that CODER_AGENT_AUTH names the cloud of this machine, and that the template has an agent with that kind of identity",
  upgrade: "check that each proxy on the way passes WebSockets on",
  authentication:
    "check where the token is from, CODER_AGENT_TOKEN or the identity of this machine: it belongs to the newest build of one workspace and ends with that build",
  version: "update the older of server and agent",
  rpc: "look into the server's log: it took the connection and then failed",
};

const summaryIntervalMs = 60_000;

/** Logs why the agent cannot connect: at once when the cause is new, else a count each minute. */
export class LadderLog {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #cause: string | undefined;
  #repeats = 0;
  #saidAtMs = 0;

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
      this.#say({ ...fields, check: advice[rung] }, `cannot connect: ${rung} failed`, nowMs);
      return;
    }
    this.#repeats += 1;
    if (nowMs - this.#saidAtMs < summaryIntervalMs) {
      this.#logger.debug(fields, "still cannot connect");
      return;
    }
    const again = { ...fields, check: advice[rung], repeats: this.#repeats };
    this.#say(again, `still cannot connect: ${rung} fails`, nowMs);
  }

  /** Treats the next failure as news again. */
  connected(): void {
    this.#cause = undefined;
    this.#repeats = 0;
  }

  #say(fields: Readonly<Record<string, unknown>>, message: string, nowMs: number): void {
    this.#repeats = 0;
    this.#saidAtMs = nowMs;
    this.#logger.warn(fields, message);
  }
}
