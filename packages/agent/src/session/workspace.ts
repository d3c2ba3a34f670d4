import { ProcessError } from "../process/errors.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import type { User } from "../process/user.ts";
import { prepareCommand } from "../process/workspace-commands.ts";
import type { WorkspaceDescription } from "../process/workspace-commands.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The agent's place on this machine, for its whole life. */
export interface Place {
  /** Returns the present token: one got for an instance's identity changes. */
  readonly token: () => string;
  /** The user, or the reason that none can run a command. */
  readonly user: User | ProcessError;
  readonly home: string;
  readonly environment: Variables;
  readonly binDirectory: string;
}

/** The workspace as the newest manifest describes it; makes its commands. */
export class Workspace {
  readonly #place: Place;
  #description: WorkspaceDescription | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  get place(): Place {
    return this.#place;
  }

  update(description: WorkspaceDescription): void {
    this.#description = description;
  }

  /** Makes a command. Rejects with `ProcessError` where none can be run. */
  async prepare(text: string, extra: Variables = {}): Promise<PreparedCommand> {
    const { user, token, ...place } = this.#place;
    if (user instanceof ProcessError) throw user;
    if (this.#description === undefined) {
      throw new ProcessError("no-directory", "the server has not described the workspace yet");
    }
    return prepareCommand(text, { ...place, token: token(), user }, this.#description, extra);
  }
}
