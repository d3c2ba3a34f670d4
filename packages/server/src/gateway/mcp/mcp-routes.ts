import type { IncomingHttpHeaders } from "node:http";

import type { McpServer } from "@modelcontextprotocol/server";
import { callMcp } from "@slipway/api/deployment/mcp-routes";
import type { AnyTool, ToolCall } from "@slipway/mcp";
import { type Clock, errorText, type Logger } from "@slipway/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";

import { insertAuditEntry } from "../../features/audit/service.ts";
import { holdsScope } from "../../platform/auth/grants.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { forbidden, Invalid } from "../../platform/errors/errors.ts";
import { LimitReached } from "../../platform/errors/limit-reached.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { watchClient } from "../../platform/http/client-disconnect.ts";
import { OpenCounts } from "../../platform/http/open-counts.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { readOnce } from "../../platform/read-once.ts";
import { InnerToolApi } from "./inner-tool-api.ts";

interface McpNeeds {
  readonly app: FastifyInstance;
  readonly db: Queryable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  readonly accessUrl: () => string;
  /** True if tools also have the names of those of a stock server. */
  readonly hasStockNames: boolean;
  readonly maxCallsPerUser: number;
}

/** Adds the MCP server, which answers each request by itself on any replica. */
export function addMcpRoutes(routes: Routes, needs: McpNeeds): void {
  const calls = new OpenCounts({ perAddress: needs.maxCallsPerUser, inAll: Infinity });
  // Most servers are never asked, and the library is large.
  const load = readOnce(async () => ({
    ...(await import("@modelcontextprotocol/server")),
    ...(await import("@slipway/mcp")),
  }));

  routes.userExchange(callMcp, async ({ raw, reply, bytes }, user) => {
    requireOwnOrigin(raw, needs.accessUrl());
    requireOneMessage(bytes);
    const place = calls.take(user.id);
    if (typeof place === "string") throw tooMany(user, needs.maxCallsPerUser);
    const client = watchClient(raw);
    // The answer may be a stream, which ends long after it began.
    reply.raw.once("close", () => {
      place[Symbol.dispose]();
      client[Symbol.dispose]();
    });
    const { createMcpHandler, createMcpServer, tools } = await load();
    const serverOf = (): McpServer =>
      createMcpServer({
        version: needs.version,
        tools: tools.filter((tool) => mayUse(user, tool)),
        hasStockNames: needs.hasStockNames,
        api: new InnerToolApi(needs.app, raw),
        clock: needs.clock,
        onCall: (call) => recordCall(needs.db, user, call),
        onFault: (error, tool) => {
          needs.logger.error({ tool, error: errorText(error) }, "MCP tool failed");
        },
      });
    // The tools never change, so that there is nothing to subscribe to.
    const handler = createMcpHandler(serverOf, { maxSubscriptions: 0 });
    return handler.fetch(webRequest(raw, bytes, client.signal));
  });
}

/** Throws `Invalid` for a batch, which only revisions before June 2025 had: many calls would count as one. */
function requireOneMessage(bytes: Uint8Array): void {
  if (bytes.find((byte) => !whiteSpace.has(byte)) !== openBracket) return;
  throw new Invalid("Batches of messages are not supported.", { detail: "Send one at a time." });
}

/** The bytes that JSON allows before a value, and the one that begins an array. */
const whiteSpace: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0d, 0x20]);
const openBracket = 0x5b;

/** The names by which programs of this machine reach a server on it. */
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Throws `Forbidden` for a page of another origin than the server's own, even one at a name that was made to lead to the
 * server's address (DNS rebinding). Programs send no `Origin`.
 */
function requireOwnOrigin({ headers: { origin } }: FastifyRequest, accessUrl: string): void {
  if (origin === undefined) return;
  const [from, own] = [URL.parse(origin), URL.parse(accessUrl)];
  if (from !== null && own !== null) {
    if (from.origin === own.origin) return;
    const areLocal = loopback.test(from.hostname) && loopback.test(own.hostname);
    if (areLocal && from.port === own.port && from.protocol === own.protocol) return;
  }
  throw forbidden(`The origin "${origin.slice(0, 200)}" is not that of this server.`);
}

function tooMany({ username }: UserCaller, max: number): LimitReached {
  return new LimitReached({
    name: "maxMcpCallsPerUser",
    isTemporary: true,
    limit: `${max} MCP calls per user at the same time`,
    used: `${username} has ${max}`,
    advice: "Wait until one of them has been answered.",
  });
}

/** Returns whether a key has the scopes of a tool; a limited one is not offered the others. */
function mayUse({ grant }: UserCaller, { scopes }: AnyTool): boolean {
  return scopes.every((scope) => holdsScope(grant.scopes, scope));
}

/** Records that a tool was called, and nothing of what was said. */
async function recordCall(db: Queryable, user: UserCaller, call: ToolCall): Promise<void> {
  const { tool, workspace, outcome } = call;
  await insertAuditEntry(db, {
    by: user,
    organizationId: workspace?.organizationId,
    action: "call",
    resourceType: workspace === undefined ? "user" : "workspace",
    resourceId: workspace?.id ?? user.id,
    target: workspace?.name ?? user.username,
    diff: {},
    fields: { mcp_tool: tool, outcome },
  });
}

/** Returns a request in the form of the web, for the library; its body was read already. */
function webRequest(
  { raw, protocol, host }: FastifyRequest,
  bytes: Uint8Array,
  signal: AbortSignal,
): Request {
  const body = new Uint8Array(bytes);
  const url = URL.parse(raw.url ?? "/", `${protocol}://${host}`) ?? new URL("http://localhost/");
  return new Request(url, { method: "POST", headers: webHeaders(raw.headers), body, signal });
}

/** The headers that the protocol knows; a token is none of its business. */
const protocolHeaders = /^(accept|content-type|last-event-id|mcp-.*)$/;

function webHeaders(headers: IncomingHttpHeaders): Headers {
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" && protocolHeaders.test(name)) kept.set(name, value);
  }
  return kept;
}
