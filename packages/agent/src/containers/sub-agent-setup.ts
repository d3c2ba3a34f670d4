import type { PreparedCommand } from "../process/spawn-group.ts";
import { installAgent, prepareAgent } from "./agent-process.ts";
import { type AgentProgram, architectureOf, findAgentProgram } from "./agent-program.ts";
import { describeContainer } from "./container-commands.ts";
import { type Customization, noCustomization, readCustomization } from "./customization.ts";
import type { DevcontainerCli } from "./devcontainer-cli.ts";
import { devcontainerNames } from "./devcontainer-name.ts";
import type { KnownDevcontainer } from "./devcontainers.ts";
import type { DownloadedPrograms } from "./downloaded-programs.ts";
import type { Engine } from "./engine.ts";
import { ContainerError } from "./errors.ts";
import { featureVariables } from "./feature-variables.ts";
import { remoteUser } from "./remote-variables.ts";
import { serverUrlInside } from "./server-url-inside.ts";
import type { NewSubAgent } from "./sub-agent.ts";

/** An agent that can run in a container. */
export interface SubAgentPlan extends Omit<NewSubAgent, "name"> {
  /** The names that it may get, the preferred one first. */
  readonly names: readonly string[];
  /** Prepares the agent, which its token identifies. */
  readonly prepare: (token: string) => Promise<PreparedCommand>;
}

interface SubAgentSetupNeeds {
  readonly engine: Engine;
  readonly cli: DevcontainerCli;
  /** The programs for containers in which that of this process does not run. */
  readonly programs: Pick<DownloadedPrograms, "get">;
  readonly serverUrl: string;
  /** The name of the agent outside. */
  readonly agentName: () => string;
}

/** Prepares containers for their agents. */
export class SubAgentSetup {
  readonly #needs: SubAgentSetupNeeds;
  #program: Promise<AgentProgram | undefined> | undefined;

  constructor(needs: SubAgentSetupNeeds) {
    this.#needs = needs;
  }

  /**
   * Copies the agent's program into a running container, and decides how it runs there; undefined if the configuration wants
   * none. Rejects with `ContainerError`.
   */
  async plan(known: KnownDevcontainer, signal: AbortSignal): Promise<SubAgentPlan | undefined> {
    const { engine } = this.#needs;
    const containerId = known.container?.id ?? "";
    const { metadata } = await describeContainer(engine, containerId, signal);
    const { remoteFolder, ...wishes } = await this.#wishes(known, signal);
    if (wishes.isIgnored) return undefined;
    const program = await this.#requireProgram(containerId, signal);
    await installAgent(engine, containerId, program, signal);
    const place = { containerId, program };
    const serverUrl = await serverUrlInside(
      engine,
      { ...place, url: this.#needs.serverUrl },
      signal,
    );
    const names = devcontainerNames({
      folder: known.folder,
      containerName: known.container?.name ?? "",
    });
    return {
      id: known.subAgentId,
      names: wishes.name === undefined ? [...new Set([known.name, ...names])] : [wishes.name],
      directory: remoteFolder || known.container?.volumes[known.folder] || "",
      architecture: program.architecture,
      displayApps: wishes.displayApps,
      apps: wishes.apps,
      prepare: (token) =>
        prepareAgent(engine, { ...place, user: remoteUser(metadata), serverUrl, token }),
    };
  }

  /** Reads the configuration; without the program that reads it, an agent runs all the same. */
  async #wishes(
    known: KnownDevcontainer,
    signal: AbortSignal,
  ): Promise<Customization & { readonly remoteFolder: string }> {
    const { cli, serverUrl, agentName } = this.#needs;
    const environment = {
      CODER_WORKSPACE_AGENT_NAME: known.name,
      CODER_WORKSPACE_PARENT_AGENT_NAME: agentName(),
      CODER_URL: serverUrl,
      CONTAINER_ID: known.container?.id ?? "",
    };
    try {
      const first = await cli.readConfiguration(known, environment, { signal });
      const { name = known.name, isIgnored } = readCustomization(first);
      const features = featureVariables(first.features);
      // Apps may refer to the name and to the options of features, which only the first reading tells.
      const isSettled = isIgnored || (name === known.name && Object.keys(features).length === 0);
      const variables = { ...features, ...environment, CODER_WORKSPACE_AGENT_NAME: name };
      const config = isSettled ? first : await cli.readConfiguration(known, variables, { signal });
      return { ...readCustomization(config), remoteFolder: config.remoteFolder };
    } catch (error) {
      if (!(error instanceof ContainerError) || error.code !== "no-engine") throw error;
      return { ...noCustomization, remoteFolder: "" };
    }
  }

  async #requireProgram(containerId: string, signal: AbortSignal): Promise<AgentProgram> {
    const { engine, programs } = this.#needs;
    const machine = (await engine.run(["exec", containerId, "uname", "-m"], { signal })).trim();
    const architecture = architectureOf(machine);
    if (architecture === undefined) {
      throw new ContainerError(
        "failed",
        `no agent runs on the container's architecture, ${machine}`,
      );
    }
    this.#program ??= findAgentProgram();
    const program = await this.#program;
    return program?.architecture === architecture ? program : programs.get(architecture, signal);
  }
}
