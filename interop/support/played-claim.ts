import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import pg from "pg";

/**
 * The changes that a licensed server makes to a prebuild and at its claim, made in the tables of a server without a
 * license (docs/protocol/prebuilds.md §1.2, §1.3 and §3.2). Its opener disposes of it.
 */
export class PlayedClaim implements AsyncDisposable {
  readonly #database: pg.Client;
  readonly #workspaceId: string;

  private constructor(database: pg.Client, workspaceId: string) {
    this.#database = database;
    this.#workspaceId = workspaceId;
  }

  static async open(databaseUrl: string, workspaceId: string): Promise<PlayedClaim> {
    const database = new pg.Client({ connectionString: databaseUrl });
    await database.connect();
    return new PlayedClaim(database, workspaceId);
  }

  /** Makes it a prebuild, owned by the system user, who had it built. */
  async makePrebuild(): Promise<void> {
    await this.giveTo(prebuildsUserId);
    await this.#setFirstInitiator(prebuildsUserId);
  }

  async giveTo(userId: string): Promise<void> {
    const text = "update workspaces set owner_id = $2 where id = $1";
    await this.#database.query(text, [this.#workspaceId, userId]);
  }

  /** Makes it a workspace that belonged to this user from the beginning. */
  async undo(userId: string): Promise<void> {
    await this.giveTo(userId);
    await this.#setFirstInitiator(userId);
  }

  /** Marks a build as the claim's: agents that ask from now on are told so each time. */
  async markClaim(buildId: string): Promise<void> {
    const text = `update provisioner_jobs set input = input || '{"prebuilt_workspace_stage": 2}'
      where id = (select job_id from workspace_builds where id = $1)`;
    await this.#database.query(text, [buildId]);
  }

  /** Sends the notification, which the server passes on to the agents that ask now. */
  async notify(userId: string): Promise<void> {
    const payload = {
      workspace_id: this.#workspaceId,
      reason: "prebuild_claimed",
      owner_id: userId,
    };
    const channel = `prebuild_claimed_${this.#workspaceId}`;
    await this.#database.query("select pg_notify($1, $2)", [channel, JSON.stringify(payload)]);
  }

  /** Returns the logs of an agent of any build: the server shows those of the newest only. */
  async readLines(agentId: string): Promise<readonly string[]> {
    const { rows } = await this.#database.query<{ output: string }>(
      "select output from workspace_agent_logs where agent_id = $1 order by id",
      [agentId],
    );
    return rows.map(({ output }) => output);
  }

  /** Sets the initiator of the first build, by which the server knows what was a prebuild. */
  async #setFirstInitiator(userId: string): Promise<void> {
    const text =
      "update workspace_builds set initiator_id = $2 where workspace_id = $1 and build_number = 1";
    await this.#database.query(text, [this.#workspaceId, userId]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.end();
  }
}
