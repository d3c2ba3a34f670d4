import type { IncomingMessage } from "node:http";
import { type Clock, errorText, strangers, type UnfinishedBytes } from "@slipway/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Invalid } from "../errors/errors.ts";
import { callers } from "./admission.ts";
import { JsonBudgets, type JsonSender } from "./json-budgets.ts";
import { inspectJson, parseJson } from "./parse-json.ts";
import { readBody } from "./read-body.ts";
import { clientAddress } from "./request-origin.ts";
import { addressKey } from "../fields/address.ts";

/** The bytes of a body up to which all its faults are found. */
const maxSmallBytes = 4 * 1024;
/** The values in the JSON body of what is no route of the contract. */
const usualValues = 1_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** True if the body is passed on as raw bytes. */
    readonly rawBody?: boolean;
    /** The most values in a JSON body. */
    readonly maxBodyValues?: number;
  }
}

interface BodyNeeds {
  readonly unfinished: UnfinishedBytes;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Tells of a parsed body that it is so large that only its first fault is looked for. */
export interface ParsedBodies {
  readonly isLarge: (body: unknown) => boolean;
}

/**
 * Reads bodies once their callers are admitted, each up to the limit of its route, and parses them as JSON whatever their
 * `Content-Type` (docs/protocol/rest.md §1.6), unless a route takes bytes.
 */
export function acceptBodies(app: FastifyInstance, { unfinished, clock }: BodyNeeds): ParsedBodies {
  const large = new WeakSet<object>();
  const budgets = new JsonBudgets(clock);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "*",
    async (request: FastifyRequest, payload: IncomingMessage): Promise<unknown> => {
      const { config, bodyLimit: maxBytes } = request.routeOptions;
      const isRaw = config.rawBody === true;
      const sender = senderOf(request);
      if (!isRaw) budgets.admit(sender);
      const announced = Number(request.headers["content-length"] ?? 0);
      const owner = ownerOf(request);
      const bytes = await readBody(payload, announced, { maxBytes, unfinished, owner, clock });
      if (isRaw) return bytes;
      if (bytes.length === 0) return undefined;
      budgets.charge(sender, bytes.length, 0);
      const body = parseBody(bytes, config.maxBodyValues ?? usualValues, (values) =>
        budgets.charge(sender, 0, values),
      );
      if (bytes.length > maxSmallBytes && typeof body === "object" && body !== null)
        large.add(body);
      return body;
    },
  );
  return { isLarge: (body) => typeof body === "object" && body !== null && large.has(body) };
}

/** Parses a body once its cost was charged. Throws `Invalid`. */
function parseBody(bytes: Buffer, maxValues: number, charge: (values: number) => void): unknown {
  try {
    const text = inspectJson(bytes, maxValues);
    charge(text.values);
    return parseJson(text);
  } catch (error) {
    throw new Invalid("Request body must be valid JSON.", { detail: errorText(error) });
  }
}

function senderOf(request: FastifyRequest): JsonSender {
  const id = callers.findUser(request)?.id ?? callers.findAgent(request)?.agentId;
  if (id !== undefined) return { name: id, isStranger: false };
  return { name: addressKey(clientAddress(request)), isStranger: true };
}

/** Returns the owner of a request's bytes; agents hold those of their owner. */
function ownerOf(request: FastifyRequest): string {
  return callers.findUser(request)?.id ?? callers.findAgent(request)?.ownerId ?? strangers;
}
