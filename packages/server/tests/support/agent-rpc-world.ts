import { randomUUID } from "node:crypto";

import type { RpcTable } from "@slipway/rpc";
import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import type {
  DescMessage,
  DescMethod,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { type Selectable, sql } from "kysely";
import { inject } from "vitest";

import type { RpcCaller } from "../../src/features/agents/calls/rpc-caller.ts";
import { MetadataBatcher } from "../../src/features/agents/metadata/metadata-batcher.ts";
import { agentRpcs } from "../../src/features/agents/rpc/handlers.ts";
import { noteActivity } from "../../src/features/builds/deadline-service.ts";
import { SecretBox } from "../../src/platform/auth/secret-box.ts";
import type { Database } from "../../src/platform/db/database.ts";
import type { DB } from "../../src/platform/db/gen/schema.ts";
import type { AgentCaller } from "../../src/platform/http/caller.ts";

const secrets = new SecretBox(["a secret of the test"]);

/** The RPCs of agents on a database with one agent, whose workspace is started. */
export class AgentRpcWorld implements AsyncDisposable {
  readonly database: TestDatabase;
  readonly seed: Seed;
  readonly caller: RpcCaller;
  readonly rpcs: RpcTable<RpcCaller>;
  readonly batcher: MetadataBatcher;
  /** The topics of the published hints. */
  readonly published: string[] = [];
  /** The fields of the logged warnings. */
  readonly warnings: object[] = [];

  private constructor(database: TestDatabase, seed: Seed) {
    const { db } = database;
    const pubsub = {
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
      publish: (topic: string) => void this.published.push(topic),
    };
    this.database = database;
    this.seed = seed;
    this.batcher = new MetadataBatcher({ db, pubsub, clock: systemClock, logger: silentLogger });
    this.rpcs = agentRpcs({
      db,
      pubsub,
      clock: systemClock,
      secrets,
      metadata: this.batcher,
      noteActivity: (workspaceId) => noteActivity(db, workspaceId),
      storedLogLines: { inc: () => undefined },
      readDerpMap: () => ({ Regions: {} }),
      readAppearance: () => Promise.resolve({ announcement_banners: [] }),
      maxSubAgents: 32,
      gitAuthConfigs: 2,
      coordinate: async function* nobody() {},
    });
    this.caller = {
      agent: seed.agent,
      connectionId: randomUUID(),
      apiVersion: "2.10",
      logger: { ...silentLogger, warn: (fields) => void this.warnings.push(fields) },
      spend: (_name, wanted = 1) => wanted,
      reserve: () => 0,
    };
  }

  static async open(): Promise<AgentRpcWorld> {
    const database = await openTestDatabase(inject("postgresUrl"));
    return new AgentRpcWorld(database, await seedAgent(database.db));
  }

  /** Calls an RPC as a peer would: bytes in, bytes out. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    const handler = this.rpcs.get(pathOf(method));
    if (handler?.kind !== "unary") throw new Error(`no unary handler of ${method.name}`);
    const bytes = encodeMessage(method.input, request);
    const { signal } = new AbortController();
    return parseMessage(method.output, await handler.answer(this.caller, bytes, signal));
  }

  /** Resolves to the row of an agent (default: that of the seed). */
  agentRow(id = this.seed.agent.agentId): Promise<Selectable<DB["workspace_agents"]>> {
    return this.database.db
      .selectFrom("workspace_agents")
      .where("id", "=", id)
      .selectAll()
      .executeTakeFirstOrThrow();
  }

  /** Writes the pending values, and resolves to all of them. */
  async metadataValues(): Promise<readonly Selectable<DB["workspace_agent_metadata"]>[]> {
    await this.batcher[Symbol.asyncDispose]();
    return this.database.db.selectFrom("workspace_agent_metadata").selectAll().execute();
  }

  async appHealth(): Promise<string | undefined> {
    const query = this.database.db
      .selectFrom("workspace_apps")
      .where("id", "=", this.seed.webAppId)
      .select("health");
    return (await query.executeTakeFirst())?.health;
  }

  async slugsOf(agentId: string): Promise<readonly string[]> {
    const query = this.database.db
      .selectFrom("workspace_apps")
      .where("workspace_agent_id", "=", agentId);
    return (await query.select("slug").execute()).map(({ slug }) => slug);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.batcher[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }
}

/** Returns the path of an RPC. */
export function pathOf(method: {
  readonly name: string;
  readonly parent: { readonly typeName: string };
}): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** The agent, and the ids of its resources. */
export interface Seed {
  readonly agent: AgentCaller;
  readonly sourceId: string;
  readonly scriptId: string;
  readonly webAppId: string;
  readonly plainAppId: string;
}

/** Creates a started workspace with one agent, which has one of each kind of resource. */
async function seedAgent(db: Database): Promise<Seed> {
  const ids = {
    org: randomUUID(),
    owner: randomUUID(),
    file: randomUUID(),
    template: randomUUID(),
    version: randomUUID(),
    workspace: randomUUID(),
    importJob: randomUUID(),
    job: randomUUID(),
    build: randomUUID(),
    resource: randomUUID(),
    agent: randomUUID(),
    source: randomUUID(),
    script: randomUUID(),
    web: randomUUID(),
    plain: randomUUID(),
  };
  const statements = [
    sql`insert into organizations (id, name) values (${ids.org}, 'org')`,
    sql`insert into users (id, username, email) values (${ids.owner}, 'ann', 'ann@example.com')`,
    sql`insert into files (id, hash, mimetype, data, created_by) values (${ids.file}, '', '', '', ${ids.owner})`,
    sql`insert into templates (id, organization_id, name, active_version_id, created_by)
      values (${ids.template}, ${ids.org}, 'template', ${ids.version}, ${ids.owner})`,
    sql`insert into template_versions (id, template_id, organization_id, name, job_id, file_id, created_by)
      values (${ids.version}, ${ids.template}, ${ids.org}, 'one', ${ids.importJob}, ${ids.file}, ${ids.owner})`,
    sql`insert into workspaces (id, owner_id, organization_id, template_id, name)
      values (${ids.workspace}, ${ids.owner}, ${ids.org}, ${ids.template}, 'dev')`,
    sql`insert into jobs (id, type, organization_id, initiator_id, file_id)
      values (${ids.importJob}, 'template_version_import', ${ids.org}, ${ids.owner}, ${ids.file}),
        (${ids.job}, 'workspace_build', ${ids.org}, ${ids.owner}, ${ids.file})`,
    sql`insert into workspace_builds
        (id, workspace_id, build_number, transition, template_version_id, initiator_id, job_id, reason)
      values (${ids.build}, ${ids.workspace}, 1, 'start', ${ids.version}, ${ids.owner}, ${ids.job}, 'initiator')`,
    sql`insert into workspace_resources (id, job_id, workspace_transition, type, name)
      values (${ids.resource}, ${ids.job}, 'start', 'process', 'dev')`,
    sql`insert into workspace_agents
        (id, resource_id, workspace_build_id, name, auth_token_hash, auth_token_encrypted, architecture,
          operating_system, environment_variables, connection_timeout_seconds, resource_monitors)
      values (${ids.agent}, ${ids.resource}, ${ids.build}, 'main', 'h', 'e', 'amd64', 'linux', '{"A":"1"}', 77,
        '{"memoryThreshold":90,"volumes":[{"path":"/home","threshold":80}]}')`,
    sql`insert into workspace_agent_log_positions (workspace_agent_id) values (${ids.agent})`,
    sql`insert into workspace_agent_log_sources (workspace_agent_id, id, display_name)
      values (${ids.agent}, ${ids.source}, 'Start')`,
    sql`insert into workspace_agent_scripts (id, workspace_agent_id, position, log_source_id, script, display_name)
      values (${ids.script}, ${ids.agent}, 0, ${ids.source}, 'true', 'Start')`,
    sql`insert into workspace_agent_metadata
        (workspace_agent_id, key, position, display_name, script, interval_seconds, timeout_seconds)
      values (${ids.agent}, 'cpu', 0, 'CPU', 'cpu', 10, 1)`,
    sql`insert into workspace_apps (id, workspace_agent_id, position, slug, healthcheck_url, health)
      values (${ids.web}, ${ids.agent}, 0, 'web', '/health', 'initializing'),
        (${ids.plain}, ${ids.agent}, 1, 'plain', '', 'disabled')`,
  ];
  await db.transaction().execute(async (trx) => {
    for (const statement of statements) await statement.execute(trx);
  });
  const agent = {
    agentId: ids.agent,
    agentName: "main",
    buildId: ids.build,
    workspaceId: ids.workspace,
    ownerId: ids.owner,
    authenticatedAt: new Date().toISOString(),
  };
  return {
    agent,
    sourceId: ids.source,
    scriptId: ids.script,
    webAppId: ids.web,
    plainAppId: ids.plain,
  };
}
