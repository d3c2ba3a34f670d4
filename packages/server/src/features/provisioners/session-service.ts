import { errorText, Scope, spread } from "@slipway/runtime";

import type { HeartbeatConnection } from "../../platform/db/heartbeat-connection.ts";
import { Unavailable } from "../../platform/errors/errors.ts";
import { keepAlive, type PeerSocket } from "../../platform/http/peer-socket.ts";
import { acquireTaggedJob, type ProvisionerSession } from "../../platform/jobs/acquire-query.ts";
import { type JobCount, type JobHandlers, JobWorker } from "../../platform/jobs/worker.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { type AnswerNeeds, answerReadings } from "./answer-readings.ts";
import { PartBudget } from "./call-parts.ts";
import { MessageChannel } from "./message-channel.ts";
import { RemoteCalls } from "./remote-calls.ts";
import { SendRoom } from "./send-room.ts";
import {
  parseProvisionerMessage,
  type ProvisionerMessage,
  type ServerMessage,
} from "./session-messages.ts";
import { endSession, isKeyThere, touchSession } from "./worker-queries.ts";

export interface ProvisionersOptions extends Platform, Pick<AnswerNeeds, "secrets" | "accessUrl"> {
  readonly heartbeats: Pick<HeartbeatConnection, "run">;
  readonly endedJobs: JobCount;
  /** Returns the handlers of the jobs that a session's provisioner carries out. */
  readonly handlers: (calls: RemoteCalls) => JobHandlers;
}

/** A provisioner that connects. */
export interface NewSession extends ProvisionerSession {
  readonly keyId: string;
  readonly name: string;
  readonly maxJobs: number;
  readonly readsParameters: boolean;
}

const maxSessions = 200;
const maxSessionsOfKey = 100;
/** The bytes of results and usual states that all provisioners may be sending at the same time, and the number of large states. */
const heldParts = { maxBytes: 256 * 1024 * 1024, maxRooms: 2 };
/** The bytes of archives, states and lock files that are being sent to all provisioners, and the most of one call. */
const sentParts = { maxBytes: 256 * 1024 * 1024, maxCallBytes: 96 * 1024 * 1024 };
const tooMany = "Too many provisioners are connected to this server.";
const touchMs = 30_000;
type Channel = MessageChannel<ProvisionerMessage, ServerMessage>;

interface OpenSession {
  readonly keyId: string;
  readonly channel: Channel;
}

/** The sessions of provisioners with this server. A provisioner is a worker whose jobs this server runs for it. */
export class Provisioners implements AsyncDisposable {
  readonly #options: ProvisionersOptions;
  readonly #budget = new PartBudget(heldParts);
  readonly #room: SendRoom;
  readonly #open = new Map<string, OpenSession>();
  readonly #scope = new Scope();

  constructor(options: ProvisionersOptions) {
    this.#options = options;
    this.#room = new SendRoom(sentParts, options.clock);
  }

  /** Ends the sessions; their provisioners go on with what they do, and connect to a server again. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }

  /** Throws `Unavailable` if there are too many sessions for another one. */
  requireRoom(session: Pick<NewSession, "keyId" | "workerId">): void {
    if (this.#isFull(session)) throw new Unavailable(tooMany);
  }

  /** A session that replaces an open one of its provisioner needs no room. */
  #isFull({ keyId, workerId }: Pick<NewSession, "keyId" | "workerId">): boolean {
    if (this.#open.get(workerId)?.keyId === keyId) return false;
    const ofKey = this.#open.values().filter((open) => open.keyId === keyId);
    return this.#open.size >= maxSessions || [...ofKey].length >= maxSessionsOfKey;
  }

  /** Serves a session until it ends. */
  serve(socket: PeerSocket, session: NewSession): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#scope.run(async (stop) => {
      await this.#serve(socket, session, stop).then(resolve, reject);
    });
    return promise;
  }

  async #serve(socket: PeerSocket, session: NewSession, stop: AbortSignal): Promise<void> {
    const { db, logger } = this.#options;
    const { workerId, keyId, name } = session;
    const channel: Channel = new MessageChannel(socket, parseProvisionerMessage);
    keepAlive(socket);
    // Others may have begun since there was room.
    if (this.#isFull(session)) {
      channel.close(1013, tooMany);
      await endSession(db, session);
      return;
    }
    this.#open.get(workerId)?.channel.close(1012, "a newer session has begun");
    this.#open.set(workerId, { keyId, channel });
    logger.info({ provisioner: name, worker: workerId }, "provisioner connected");
    const onStop = (): void => channel.close(1012, "the server is stopping");
    stop.addEventListener("abort", onStop, { once: true });
    try {
      await this.#work(channel, session);
    } finally {
      stop.removeEventListener("abort", onStop);
      if (this.#open.get(workerId)?.channel === channel) this.#open.delete(workerId);
      logger.info({ provisioner: name, worker: workerId }, "provisioner disconnected");
      await endSession(db, session).catch((error: unknown) => {
        logger.debug({ error: errorText(error) }, "cannot note that a provisioner has left");
      });
    }
  }

  async #work(channel: Channel, session: NewSession): Promise<void> {
    const { endedJobs, handlers, secrets, accessUrl, ...platform } = this.#options;
    await using calls = new RemoteCalls(channel, {
      clock: platform.clock,
      budget: this.#budget,
      room: this.#room,
      keyId: session.keyId,
    });
    await using scope = new Scope();
    await using worker = new JobWorker({
      ...platform,
      logger: platform.logger.child({ provisioner: session.name }),
      endedJobs,
      workerId: session.workerId,
      maxJobs: session.maxJobs,
      handlers: handlers(calls),
      acquire: (active) => acquireTaggedJob(platform.db, session, active),
    });
    using _ = platform.pubsub.subscribe(topics.provisionerKey(session.keyId), () => {
      void this.#touch(channel, session);
    });
    scope.run(async (signal) => {
      for (;;) {
        await platform.clock.sleep(spread(touchMs), signal);
        await this.#touch(channel, session);
      }
    });
    if (session.readsParameters) {
      const needs = { ...platform, secrets, accessUrl };
      scope.run((signal) => answerReadings(needs, { ...session, calls }, signal));
    }
    for await (const message of channel) {
      switch (message.type) {
        case "alive":
          await channel.send({ type: "alive" }).catch(() => undefined);
          break;
        case "drain":
          scope.run(async (signal) => {
            await worker.drain(signal);
            await channel.send({ type: "drained" }).catch(() => undefined);
          });
          break;
        case "piece":
        case "log":
        case "measured":
        case "request":
        case "end":
          await calls.receive(message);
      }
    }
  }

  /** Ends a session whose key was deleted, or whose provisioner has begun another one. */
  async #touch(channel: Channel, session: NewSession): Promise<void> {
    const { db, logger } = this.#options;
    try {
      if (await touchSession(db, session)) return;
      if (await isKeyThere(db, session.keyId)) channel.close(1012, "a newer session has begun");
      else channel.close(1008, "the provisioner key was deleted");
    } catch (error) {
      logger.debug({ error: errorText(error) }, "cannot note that a provisioner is there");
    }
  }
}
