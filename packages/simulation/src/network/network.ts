import type { Life } from "../engine/life.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import { type ClientEnd, Link, type LinkConditions, type ServerEnd } from "./link.ts";
import type { Request } from "./messages.ts";

/** The target of connections. */
export interface Listener {
  readonly life: Life;
  accept(request: Request, end: ServerEnd): void;
}

/** The connections of a world. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #conditions: LinkConditions;
  readonly #links = new Set<Link>();

  constructor(scheduler: Scheduler, conditions: LinkConditions) {
    this.#scheduler = scheduler;
    this.#conditions = conditions;
  }

  /** Connects and sends the request. Without a listener the connection is over before it begins. */
  open(client: Life, listener: Listener, request: Request): ClientEnd {
    const link = new Link(client, listener.life, this.#scheduler, this.#conditions);
    this.#links.add(link);
    if (!listener.life.isAlive) link.cut();
    listener.life.after(this.#conditions.delayMs(), () => {
      if (!link.isOver) listener.accept(request, link.server);
    });
    return link.client;
  }

  /** Lists the connections that are not over. */
  get links(): readonly Link[] {
    for (const link of this.#links) if (link.isOver) this.#links.delete(link);
    return [...this.#links];
  }
}
