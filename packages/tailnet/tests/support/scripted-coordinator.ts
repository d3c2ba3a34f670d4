import { type Clock, Mailbox } from "@slipway/runtime";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type { CoordinateResponse, DERPMap } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { CoordinateResponseSchema, DERPMapSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";

import type {
  CoordinateRequest,
  CoordinationService,
  OpenSession,
  ResumeToken,
} from "../../src/coordination/service.ts";

const halfDayMs = 12 * 3_600_000;

interface Streams {
  readonly responses: Mailbox<CoordinateResponse>;
  readonly maps: Mailbox<DERPMap>;
  readonly close: (reason: string) => void;
}

/** A coordinator that sends what a test tells it, to one session at a time, and records its requests. */
export class ScriptedCoordinator implements CoordinationService {
  /** The tokens with which sessions were opened. */
  readonly tokens: (string | undefined)[] = [];
  attempts = 0;
  openSessions = 0;
  /** The number of issued tokens. */
  issued = 0;
  issuesTokens = true;
  answersGoodbye = true;
  readonly #clock: Clock;
  readonly #requests: string[] = [];
  #refusal: "retry" | "drop-token" | "refused" | undefined;
  #streams: Streams | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Refuses sessions with this error; undefined to accept them. */
  refuse(how: "retry" | "drop-token" | "refused" | undefined): void {
    this.#refusal = how;
  }

  verdict(error: unknown): "retry" | "drop-token" | "refused" {
    return error instanceof RefusedError ? error.how : "retry";
  }

  async open(resumeToken: string | undefined): Promise<OpenSession> {
    this.attempts += 1;
    if (this.#refusal !== undefined) throw new RefusedError(this.#refusal);
    this.tokens.push(resumeToken);
    this.openSessions += 1;
    const closed = Promise.withResolvers<string>();
    const streams: Streams = {
      responses: new Mailbox(64),
      maps: new Mailbox(64),
      close: (reason) => {
        closed.resolve(reason);
        streams.responses.close(new Error(reason));
        streams.maps.close(new Error(reason));
      },
    };
    streams.maps.offer(createMessage(DERPMapSchema, { regions: { 999: {} } }));
    this.#streams = streams;
    return {
      closed: closed.promise,
      coordinate: (requests, signal) => {
        void this.#read(requests, streams);
        return untilAborted(streams.responses, signal);
      },
      derpMaps: (signal) => untilAborted(streams.maps, signal),
      refreshResumeToken: async () => this.#newToken(),
      [Symbol.asyncDispose]: async () => {
        this.openSessions -= 1;
        streams.close("closed by this side");
      },
    };
  }

  respond(response: MessageInitShape<typeof CoordinateResponseSchema>): void {
    this.#streams?.responses.offer(createMessage(CoordinateResponseSchema, response));
  }

  showRelays(map: DERPMap): void {
    this.#streams?.maps.offer(map);
  }

  end(what: "coordinate" | "relays" | "session"): void {
    if (what === "coordinate") this.#streams?.responses.close();
    else if (what === "relays") this.#streams?.maps.close();
    else this.#streams?.close("session broke");
  }

  /** Returns the requests since the last call, each as the names of its fields with their subjects. */
  takeRequests(): readonly string[] {
    return this.#requests.splice(0);
  }

  #newToken(): ResumeToken | undefined {
    if (!this.issuesTokens) throw new Error("no tokens now");
    this.issued += 1;
    const expiresAt = this.#clock.now() + 2 * halfDayMs;
    return { token: `token ${this.issued}`, refreshInMs: halfDayMs, expiresAt };
  }

  async #read(requests: AsyncIterable<CoordinateRequest>, streams: Streams): Promise<void> {
    for await (const request of requests) {
      this.#requests.push(textOf(request));
      if (request.disconnect !== undefined && this.answersGoodbye) streams.responses.close();
    }
  }
}

function untilAborted<T>(items: Mailbox<T>, signal: AbortSignal): AsyncIterable<T> {
  signal.addEventListener("abort", () => items.close(signal.reason), { once: true });
  return items;
}

class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly how: "retry" | "drop-token" | "refused";

  constructor(how: "retry" | "drop-token" | "refused") {
    super(how);
    this.how = how;
  }
}

function textOf(request: CoordinateRequest): string {
  const { updateSelf, addTunnel, removeTunnel, disconnect, readyForHandshake = [] } = request;
  const ready = readyForHandshake.map(({ id }) => idOf(id)).join(" ");
  return [
    updateSelf && `node ${updateSelf.node?.preferredDerp}`,
    addTunnel && `add ${idOf(addTunnel.id)}`,
    removeTunnel && `remove ${idOf(removeTunnel.id)}`,
    disconnect && "disconnect",
    ready === "" ? undefined : `ready ${ready}`,
  ]
    .filter((text) => text !== undefined)
    .join(", ");
}

function idOf(id: Uint8Array | undefined): string {
  return parseUuid(id ?? new Uint8Array());
}
