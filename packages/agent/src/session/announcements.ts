import { type Clock, errorText, type Logger, whenAborted, withDeadline } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";

/** The time for which a shell waits for the server's announcements before it shows the last known ones. */
const maxWaitMs = 1_000;

/**
 * The announcements of the server. Stock agents poll them every two minutes; this one requests them when a shell
 * opens, which costs the server nothing meanwhile and shows the current ones.
 */
export class Announcements {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #connection: AgentConnection | undefined;
  #texts: readonly string[] = [];

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Lets `read` use a connection until the signal is aborted. */
  async run(connection: AgentConnection, signal: AbortSignal): Promise<void> {
    this.#connection = connection;
    await whenAborted(signal);
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** Resolves to the texts of the enabled announcements, or to the last known ones if the server does not answer. */
  async read(): Promise<readonly string[]> {
    const connection = this.#connection;
    if (connection === undefined) return this.#texts;
    try {
      const { announcementBanners: banners } = await withDeadline(maxWaitMs, this.#clock, (limit) =>
        connection.unary(Agent.method.getAnnouncementBanners, {}, limit),
      );
      this.#texts = banners.filter(({ enabled }) => enabled).map(({ message }) => message);
    } catch (error) {
      this.#logger.debug({ error: errorText(error) }, "cannot read announcements");
    }
    return this.#texts;
  }
}
