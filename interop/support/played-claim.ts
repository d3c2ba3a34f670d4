import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import pg from "pg";

/**
 * The changes that a licensed server makes to a prebuild and at its claim, written to the tables of a server without
 * a license (docs/protocol/prebuilds.md §1.2, §1.3 and §3.2). The opener disposes of it.
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

  /** Turns the workspace into a prebuild, owned by the system user, who also initiated its build. */
  async makePrebuild(): Promise<void> {
    await this.giveTo(prebuildsUserId);
    await this.#setFirstInitiator(prebuildsUserId);
  }

  async giveTo(userId: string): Promise<void> {
    const text = "update workspaces set owner_id = $2 where id = $1";
    await this.#database.query(text, [this.#workspaceId, userId]);
  }

  /** Turns it into a workspace that has always belonged to this user. */
  async undo(userId: string): Promise<void> {
    await this.giveTo(userId);
    await this.#setFirstInitiator(userId);
  }

  /** Marks a build as the claim's: agents that ask from now on are notified each time. */
  async markClaim(buildId: string): Promise<void> {
    const text = `update provisioner_jobs set input = input || '{"prebuilt_workspace_stage": 2}'
      where id = (select job_id from workspace_builds where id = $1)`;
    await this.#database.query(text, [buildId]);
  }

  /** Sends the notification, which the server passes on to the agents that are asking. */
  async notify(userId: string): Promise<void> {
    const payload = {
      workspace_id: this.#workspaceId,
      reason: "prebuild_claimed",
      owner_id: userId,
    };
    const channel = `prebuild_claimed_${this.#workspaceId}`;
    await this.#database.query("select pg_notify($1, $2)", [channel, JSON.stringify(payload)]);
  }

  /** Returns the logs of an agent of any build; the server shows only those of the newest. */
  async readLines(agentId: string): Promise<readonly string[]> {
    const { rows } = await this.#database.query<{ output: string }>(
      "select output from workspace_agent_logs where agent_id = $1 order by id",
      [agentId],
    );
    return rows.map(({ output }) => output);
  }

  /** Sets the initiator of the first build, by which the server recognizes former prebuilds. */
  async #setFirstInitiator(userId: string): Promise<void> {
    const text =
      "update workspace_builds set initiator_id = $2 where workspace_id = $1 and build_number = 1";
    await this.#database.query(text, [this.#workspaceId, userId]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.end();
  }
}
