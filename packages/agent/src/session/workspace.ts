import { ProcessError } from "../process/errors.ts";
import type { Marks } from "../process/marked-processes.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import type { User } from "../process/user.ts";
import { prepareCommand } from "../process/workspace-commands.ts";
import type {
  CommandVariables,
  InsideAccess,
  WorkspaceDescription,
} from "../process/workspace-commands.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The agent's token, user and directories on this machine. */
export interface AgentMachine {
  /** Returns the current token, which changes for an instance's identity. */
  readonly token: () => string;
  /** The user, or the reason why it cannot run commands. */
  readonly user: User | ProcessError;
  readonly home: string;
  readonly environment: Variables;
  readonly binDirectory: string;
  readonly inside: InsideAccess;
}

type WorkspaceNames = Pick<WorkspaceDescription, "ownerName" | "workspaceName" | "agentName">;

/** The workspace according to its latest manifest. Prepares its commands. */
export class Workspace {
  readonly #machine: AgentMachine;
  #description: WorkspaceDescription | undefined;

  constructor(machine: AgentMachine) {
    this.#machine = machine;
  }

  get machine(): AgentMachine {
    return this.#machine;
  }

  /** The names of the workspace; empty before the first manifest. */
  get names(): WorkspaceNames {
    const { ownerName = "", workspaceName = "", agentName = "" } = this.#description ?? {};
    return { ownerName, workspaceName, agentName };
  }

  /** The variables that mark all commands of the current owner. */
  get marks(): Marks {
    const { workspaceId = "" } = this.#description ?? {};
    const { ownerName, agentName } = this.names;
    return {
      CODER_WORKSPACE_ID: workspaceId,
      CODER_WORKSPACE_AGENT_NAME: agentName,
      CODER_WORKSPACE_OWNER_NAME: ownerName,
    };
  }

  /** The file with the message of the day; empty for none. */
  get motdPath(): string {
    return this.#description?.motdPath ?? "";
  }

  update(description: WorkspaceDescription): void {
    this.#description = description;
  }

  /** Prepares a command. Rejects with `ProcessError` if none can run. */
  async prepare(text: string, variables: CommandVariables = {}): Promise<PreparedCommand> {
    const { user, token, ...machine } = this.#machine;
    if (user instanceof ProcessError) throw user;
    if (this.#description === undefined) {
      throw new ProcessError("no-directory", "the server has not described the workspace yet");
    }
    const context = { ...machine, token: token(), user };
    return prepareCommand(text, context, this.#description, variables);
  }
}
