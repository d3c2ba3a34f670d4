import { errorText, type Logger } from "@slipway/runtime";

import type { PreparedCommand } from "../process/spawn-group.ts";
import { type Container, labels } from "./container.ts";
import type { DevcontainerCli } from "./devcontainer-cli.ts";
import { type KnownDevcontainer, placeOf } from "./devcontainers.ts";
import { findDotfiles, isClonableInside } from "./dotfiles.ts";
import type { Engine } from "./engine.ts";
import { findContainer } from "./list-containers.ts";
import type { WorkspaceContainers } from "./workspace-containers.ts";

/** The time for containers to stop and to be removed. */
const removeTimeoutMs = 60_000;

interface OperationNeeds {
  readonly containers: WorkspaceContainers;
  readonly engine: Engine;
  readonly cli: DevcontainerCli;
  /** Receives the lines of a dev container's log. */
  readonly log: (devcontainer: KnownDevcontainer, line: string) => void;
  readonly logRoom: (signal: AbortSignal) => Promise<void>;
  /** Prepares a command of the workspace. */
  readonly prepare: (text: string) => Promise<PreparedCommand>;
  /** Ends the agent in a dev container before its container ends. */
  readonly endAgent: (devcontainer: KnownDevcontainer) => Promise<void>;
  readonly logger: Logger;
}

/** Creates, replaces and removes dev containers (docs/protocol/agent.md §8.6). */
export class DevcontainerOperations {
  readonly #needs: OperationNeeds;

  constructor(needs: OperationNeeds) {
    this.#needs = needs;
  }

  /** Begins to replace a dev container; returns it. Throws `ContainerError` "unknown" or "busy". */
  recreate(id: string): KnownDevcontainer {
    const { containers } = this.#needs;
    const known = containers.devcontainers.begin(id, "starting");
    containers.notify();
    containers.run(async (signal) => {
      await this.#needs.endAgent(known);
      await this.#start(known, true, signal);
    });
    return known;
  }

  /** Starts a dev container that `declare` or `begin` has marked. Resolves to whether it runs and is complete. */
  async start(known: KnownDevcontainer, signal: AbortSignal): Promise<boolean> {
    return this.#start(known, false, signal);
  }

  /**
   * Stops and removes a dev container, the other services of its Compose project, and the volumes and networks of that.
   * Throws `ContainerError`.
   */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    const { containers } = this.#needs;
    const { devcontainers } = containers;
    const known = devcontainers.begin(id, "stopping");
    containers.notify();
    try {
      await this.#needs.endAgent(known);
      const container = await this.#currentContainer(known, signal);
      if (container !== undefined) await this.#removeContainer(known, container, signal);
      devcontainers.remove(id);
    } catch (error) {
      devcontainers.finish(id, errorText(error));
      throw error;
    } finally {
      containers.notify();
    }
    await containers.rescan();
  }

  async #start(
    known: KnownDevcontainer,
    isRecreated: boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { containers, cli, log, logRoom: room } = this.#needs;
    const onLog = (line: string): void => log(known, line);
    let error: string | undefined;
    try {
      const dotfiles = await this.#dotfiles(known, signal);
      ({ error } = await cli.up(known, { isRecreated, dotfiles, onLog, room, signal }));
    } catch (reason) {
      if (signal.aborted) throw reason;
      error = errorText(reason);
    }
    if (error !== undefined) log(known, error);
    containers.devcontainers.finish(known.id, error);
    await containers.rescan();
    return error === undefined;
  }

  /** Returns the repository of the dotfiles that the workspace has, if a container can have them too. */
  async #dotfiles(known: KnownDevcontainer, signal: AbortSignal): Promise<string | undefined> {
    const { engine, prepare, log } = this.#needs;
    const { environment } = await prepare("true");
    const repository = await findDotfiles(engine, environment, signal);
    if (repository === undefined || isClonableInside(repository)) return repository;
    log(known, "dotfiles not installed: their repository is not a plain https or ssh URL");
    return undefined;
  }

  /** Returns the container as it is now, if it still is the one of the dev container. */
  async #currentContainer(
    known: KnownDevcontainer,
    signal: AbortSignal,
  ): Promise<Container | undefined> {
    if (known.container === undefined) return undefined;
    const container = await findContainer(this.#needs.engine, known.container.id, signal);
    const isSame = container !== undefined && placeOf(container)?.folder === known.folder;
    return isSame ? container : undefined;
  }

  async #removeContainer(
    known: KnownDevcontainer,
    container: Container,
    signal: AbortSignal,
  ): Promise<void> {
    const { engine, containers } = this.#needs;
    const options = { signal, timeoutMs: removeTimeoutMs };
    const project = await this.#ownProject(known, container, signal);
    const ids = [container.id, ...(project?.siblings ?? [])];
    await engine.run(["stop", ...ids], options);
    containers.devcontainers.enter(known.id, "deleting");
    containers.notify();
    await engine.run(["rm", "--force", "--volumes", ...ids], options);
    if (project !== undefined) await this.#removeProject(project.name, signal);
  }

  /**
   * Returns the Compose project of a container, if all containers of that name belong to the same directory and no
   * other dev container is among them.
   */
  async #ownProject(
    known: KnownDevcontainer,
    container: Container,
    signal: AbortSignal,
  ): Promise<{ readonly name: string; readonly siblings: readonly string[] } | undefined> {
    const name = container.labels[labels.composeProject];
    if (name === undefined || name === "") return undefined;
    const { containers } = await this.#needs.containers.freshScan(signal);
    const members = containers.filter((one) => one.labels[labels.composeProject] === name);
    const isOwn = members.every((one) => {
      const place = one.id === container.id ? undefined : placeOf(one);
      const isOther = place !== undefined && place.folder !== known.folder;
      const directory = one.labels[labels.composeDirectory];
      return !isOther && directory === container.labels[labels.composeDirectory];
    });
    if (!isOwn) return undefined;
    return { name, siblings: members.map(({ id }) => id).filter((id) => id !== container.id) };
  }

  /** Removes the volumes and networks of a Compose project that has no containers left. */
  async #removeProject(name: string, signal: AbortSignal): Promise<void> {
    const { engine, logger } = this.#needs;
    const filter = `label=${labels.composeProject}=${name}`;
    for (const kind of ["volume", "network"]) {
      try {
        const listed = await engine.run([kind, "ls", "--quiet", "--filter", filter], { signal });
        const names = listed.split("\n").filter((line) => line !== "");
        if (names.length > 0) await engine.run([kind, "rm", ...names], { signal });
      } catch (error) {
        if (signal.aborted) throw error;
        logger.warn({ error: errorText(error), kind, project: name }, "cannot remove what is left");
      }
    }
  }
}
