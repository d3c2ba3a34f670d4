import { randomUUID } from "node:crypto";

import {
  type Container,
  type Devcontainer,
  type DevcontainerAgent,
  type DevcontainerStatus,
  labels,
} from "./container.ts";
import { devcontainerNames, freeName } from "./devcontainer-name.ts";
import { ContainerError } from "./errors.ts";

/** The maximum number of dev containers; further ones are not shown. */
const maxDevcontainers = 100;

/**
 * What is being done with a dev container:
 *
 *     idle ──► starting | stopping | deleting ──► idle
 *                          └──────────────────────► failed, until the next attempt
 */
type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "starting" | "stopping" | "deleting" }
  | { readonly kind: "failed"; readonly error: string };

/** A place that has the configuration of a dev container. */
export interface DevcontainerPlace {
  readonly folder: string;
  /** Undefined for the default configuration file of the folder, or an unknown one. */
  readonly configPath: string | undefined;
}

/** A dev container that the template declares. */
export interface DeclaredDevcontainer extends DevcontainerPlace {
  readonly id: string;
  readonly name: string;
  readonly subAgentId: string | undefined;
}

/** A dev container, with or without its container. */
export interface KnownDevcontainer extends DevcontainerPlace {
  readonly id: string;
  readonly name: string;
  readonly subAgentId: string | undefined;
  /** A dev container that only its container's labels tell of ends with it. */
  readonly isByLabel: boolean;
  readonly phase: Phase;
  readonly container: Container | undefined;
  readonly isDirty: boolean;
  readonly agent: DevcontainerAgent | undefined;
}

/** The dev containers of a workspace, by their ids, as the template, its projects and the labels of containers tell of them. */
export class Devcontainers {
  readonly #known = new Map<string, KnownDevcontainer>();

  /** Adds one that the template declares, and which is about to be created. */
  declare({ id, name, folder, configPath, subAgentId }: DeclaredDevcontainer): void {
    const names = devcontainerNames({ folder, templateName: name, containerName: "" });
    this.#add({ folder, configPath }, { id, names, subAgentId, phase: "starting" });
  }

  /** Adds the dev container of a project of the workspace; returns its id, also if it is known already. */
  discover(place: DevcontainerPlace): string | undefined {
    return this.#find(place)?.id ?? this.#add(place, {})?.id;
  }

  /** Applies a list of containers, of which `isOurs` tells by the folder which belong to this workspace. */
  update(containers: readonly Container[], isOurs: (folder: string) => boolean): void {
    const present = new Map<string, Container>();
    for (const container of containers) {
      const place = placeOf(container);
      if (place === undefined || !isOurs(place.folder)) continue;
      const known = this.#find(place) ?? this.#add(place, { container, isByLabel: true });
      if (known !== undefined && isBetter(container, present.get(known.id))) {
        present.set(known.id, container);
      }
    }
    for (const known of this.#known.values()) this.#place(known, present.get(known.id));
  }

  /** Returns the dev container; throws `ContainerError` "unknown". */
  get(id: string): KnownDevcontainer {
    const known = this.#known.get(id);
    if (known === undefined) throw new ContainerError("unknown", `there is no dev container ${id}`);
    return known;
  }

  all(): readonly KnownDevcontainer[] {
    return [...this.#known.values()];
  }

  /** Begins an operation. Throws `ContainerError` "unknown", or "busy" during another one. */
  begin(id: string, kind: "starting" | "stopping" | "deleting"): KnownDevcontainer {
    const known = this.get(id);
    if (known.phase.kind !== "idle" && known.phase.kind !== "failed") {
      throw new ContainerError("busy", `dev container ${known.name} is ${known.phase.kind}`);
    }
    return this.#set({ ...known, phase: { kind } });
  }

  /** Goes on with an operation that has begun, or begins the one of a declared dev container. */
  enter(id: string, kind: "starting" | "stopping" | "deleting"): void {
    const known = this.#known.get(id);
    if (known !== undefined) this.#set({ ...known, phase: { kind } });
  }

  /** Ends an operation, with the error if it failed. */
  finish(id: string, error?: string): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    this.#set({
      ...known,
      phase: error === undefined ? { kind: "idle" } : { kind: "failed", error },
    });
  }

  /** Removes a dev container. One of a project, or of the template, stays without its container. */
  remove(id: string): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    if (known.isByLabel) this.#known.delete(id);
    else this.#set({ ...known, phase: { kind: "idle" }, container: undefined, agent: undefined });
  }

  setDirty(id: string, isDirty: boolean): void {
    const known = this.#known.get(id);
    if (known !== undefined) this.#set({ ...known, isDirty });
  }

  setAgent(id: string, agent: DevcontainerAgent | undefined): void {
    const known = this.#known.get(id);
    if (known !== undefined) this.#set({ ...known, agent });
  }

  /** Returns the list for clients, in the order of names. */
  list(): readonly Devcontainer[] {
    return this.all()
      .map((known) => devcontainerJson(known))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  #place(known: KnownDevcontainer, container: Container | undefined): void {
    if (container === undefined && known.isByLabel && isSettled(known.phase)) {
      this.#known.delete(known.id);
    } else {
      // A container that has outlived a failed attempt still runs; one that is new is the result of a later one.
      const isWorking = container?.running === true && container.id !== known.container?.id;
      const isFailed = known.phase.kind === "failed" && !isWorking;
      const phase: Phase = isSettled(known.phase) && !isFailed ? { kind: "idle" } : known.phase;
      this.#set({ ...known, container, phase });
    }
  }

  #find({ folder, configPath }: DevcontainerPlace): KnownDevcontainer | undefined {
    const inFolder = this.all().filter((known) => known.folder === folder);
    return (
      inFolder.find((known) => known.configPath === configPath) ??
      inFolder.find((known) => known.configPath === undefined || configPath === undefined)
    );
  }

  #add(place: DevcontainerPlace, about: NewDevcontainer): KnownDevcontainer | undefined {
    const { id = randomUUID(), names, phase = "idle", isByLabel = false, container } = about;
    if (this.#known.size >= maxDevcontainers) return undefined;
    const taken = new Set(this.all().map(({ name }) => name));
    const source = { folder: place.folder, containerName: container?.name ?? "" };
    return this.#set({
      ...place,
      id,
      name: freeName(names ?? devcontainerNames(source), (name) => taken.has(name)),
      subAgentId: about.subAgentId,
      isByLabel,
      phase: { kind: phase },
      container,
      isDirty: false,
      agent: undefined,
    });
  }

  #set(known: KnownDevcontainer): KnownDevcontainer {
    this.#known.set(known.id, known);
    return known;
  }
}

interface NewDevcontainer {
  readonly id?: string;
  readonly names?: readonly string[];
  readonly subAgentId?: string | undefined;
  readonly phase?: "idle" | "starting";
  readonly container?: Container;
  readonly isByLabel?: boolean;
}

/** Returns the place of a dev container by the labels of its container; undefined for any other container. */
export function placeOf({ labels: given }: Container): DevcontainerPlace | undefined {
  const folder = given[labels.folder] ?? "";
  if (folder === "" || given[labels.isTestRun] === "true") return undefined;
  return { folder, configPath: given[labels.configFile] || undefined };
}

/** Of several containers of one place, a running one counts, then the newest. */
function isBetter(one: Container, other: Container | undefined): boolean {
  if (other === undefined) return true;
  if (one.running !== other.running) return one.running;
  return one.created_at > other.created_at;
}

function isSettled(phase: Phase): boolean {
  return phase.kind === "idle" || phase.kind === "failed";
}

function devcontainerJson(known: KnownDevcontainer): Devcontainer {
  const { id, name, folder, configPath, subAgentId, phase, container, isDirty, agent } = known;
  return {
    id,
    name,
    workspace_folder: folder,
    ...(configPath === undefined ? {} : { config_path: configPath }),
    subagent_id: subAgentId ?? null,
    status: statusOf(known),
    dirty: isDirty,
    ...(container === undefined ? {} : { container }),
    ...(agent === undefined ? {} : { agent }),
    ...(phase.kind === "failed" ? { error: phase.error } : {}),
  };
}

function statusOf({ phase, container }: KnownDevcontainer): DevcontainerStatus {
  switch (phase.kind) {
    case "starting":
    case "stopping":
    case "deleting":
      return phase.kind;
    case "failed":
      return container?.running === true ? "running" : "error";
    case "idle":
      return container?.running === true ? "running" : "stopped";
  }
}
