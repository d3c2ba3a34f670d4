import { type Clock, errorText, type Logger, whenAborted, withDeadline } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";

/** The time for which a shell waits for the server's announcements; the last known ones do then. */
const maxWaitMs = 1_000;

/**
 * The announcements of the server. Stock agents ask for them every two minutes; this one asks when a shell is opened, which
 * costs the server nothing meanwhile and shows what holds now.
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

  /** Lets `read` ask over a connection, until the signal is aborted. */
  async run(connection: AgentConnection, signal: AbortSignal): Promise<void> {
    this.#connection = connection;
    await whenAborted(signal);
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** Returns the texts of the enabled announcements, or the last known ones where the server does not answer. */
  async read(): Promise<readonly string[]> {
    const connection = this.#connection;
    if (connection === undefined) return this.#texts;
    try {
      const { announcementBanners: banners } = await withDeadline(maxWaitMs, this.#clock, (limit) =>
        connection.unary(Agent.method.getAnnouncementBanners, {}, limit),
      );
      this.#texts = banners.filter(({ enabled }) => enabled).map(({ message }) => message);
    } catch (error) {
      this.#logger.debug({ error: errorText(error) }, "announcements not read");
    }
    return this.#texts;
  }
}
