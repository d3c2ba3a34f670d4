import { randomUUID } from "node:crypto";

import { provisionerKeyHeader, type QueryOf } from "@slipway/api/contract/route";
import { serveProvisioner } from "@slipway/api/organizations/provisioner-routes";
import { parseObject } from "@slipway/runtime";
import { terraformDriver } from "@slipway/template";

import type { Queryable } from "../../platform/db/database.ts";
import { Conflict, Invalid, invalidField, Unauthenticated } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type JobTags, readTags, tagsText } from "../../platform/jobs/tags.ts";
import { findOrganization } from "../organizations/service.ts";
import { authenticateKey, type FoundKey } from "./key-service.ts";
import { maxMessageBytes, protocolVersion } from "./session-messages.ts";
import type { NewSession, Provisioners } from "./session-service.ts";
import { beginSession } from "./worker-queries.ts";

/** The maximum number of jobs of one provisioner at the same time. */
const maxJobs = 16;

interface SessionNeeds {
  readonly db: Queryable;
  readonly sessions: Pick<Provisioners, "requireRoom" | "serve">;
}

/** Adds the route of provisioners' sessions (docs/protocol/provisioners.md §1). */
export function addSessionRoute(routes: Routes, needs: SessionNeeds): void {
  const { db, sessions } = needs;
  routes.keySocket(
    serveProvisioner,
    (raw) => authenticateKey(db, raw.headers[provisionerKeyHeader.toLowerCase()]),
    {
      maxMessageBytes,
      prepare: async ({ params, query }, key) => {
        const organization = await findOrganization(db, params.organization).catch(() => undefined);
        if (organization?.id !== key.organizationId) {
          throw new Unauthenticated("Provisioner key invalid.", {
            detail: "It is not of this organization: pass another one with --org.",
          });
        }
        requireProtocol(query);
        return openSession(needs, key, query);
      },
      serve: (socket, session) => sessions.serve(socket, session),
    },
  );
}

type SessionQuery = QueryOf<typeof serveProvisioner>;

/** Throws `Invalid` for another protocol. Provisioners show the message alone, so it also says what to do. */
function requireProtocol({ protocol }: SessionQuery): void {
  if (protocol === protocolVersion) return;
  throw new Invalid(
    protocol === undefined
      ? "This server takes provisioners of Slipway only: start one with `slipway provisioner start`."
      : `The provisioner speaks version ${protocol} of the protocol, and the server version ${protocolVersion}: install the server's version of slipway on the provisioner's machine.`,
  );
}

async function openSession(
  { db, sessions }: SessionNeeds,
  key: FoundKey,
  query: SessionQuery,
): Promise<NewSession> {
  const workerId = readUuid(query.id ?? "");
  if (workerId === undefined) throw invalidField("id", "must be a UUID");
  const { name = "" } = query;
  if (!/^[\w.@-]{1,128}$/.test(name)) {
    throw invalidField("name", "must be 1 to 128 letters, digits, dots, dashes and underscores");
  }
  const jobs = Number(query.jobs ?? 1);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > maxJobs) {
    throw invalidField("jobs", `must be a number from 1 to ${maxJobs}`);
  }
  const tags = chosenTags(key, query.tags);
  const readsParameters = query.parameters === "true";
  const session = {
    workerId,
    sessionId: randomUUID(),
    tags,
    keyId: key.id,
    name,
    readsParameters,
  };
  sessions.requireRoom(session);
  const worker = { ...session, version: query.build ?? "", drivers: [terraformDriver] };
  if (!(await beginSession(db, worker))) {
    throw new Conflict(
      "The id of this machine belongs to another provisioner key: delete that key, or start the provisioner with another --data-dir.",
    );
  }
  return { ...session, organizationId: key.organizationId, maxJobs: jobs };
}

/** Returns the tags of a provisioner: those of its key, or some of them. */
function chosenTags(key: FoundKey, json: string | undefined): JobTags {
  if (json === undefined) return key.tags;
  const given = parseObject(json);
  const isText = (value: unknown): value is string => typeof value === "string";
  const entries = Object.entries(given ?? {});
  if (given === undefined || !entries.every(([, value]) => isText(value))) {
    throw invalidField("tags", "must be a JSON object of texts");
  }
  const tags = readTags(
    "tags",
    Object.fromEntries(entries.map(([tag, value]) => [tag, String(value)])),
  );
  const foreign = Object.entries(tags).find(([tag, value]) => key.tags[tag] !== value);
  if (foreign === undefined) return tags;
  throw invalidField(
    "tags",
    `must be among those of the key, found ${foreign.join("=")}; the key ${key.name} has: ${tagsText(key.tags) || "none"}`,
  );
}
