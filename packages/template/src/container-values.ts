import type {
  ContainerDefinition,
  DockerDefinition,
  KubernetesDefinition,
  PortDefinition,
  VolumeDefinition,
} from "./definition.ts";
import { quote } from "./quote.ts";
import { parseSize, sizeText } from "./size.ts";

/** The container of an agent once its expressions are replaced: what a driver receives. */
export interface ContainerValues {
  /** Empty if the image is built, or if it depends on values that are not known yet. */
  readonly image: string;
  readonly build: ContainerDefinition["build"];
  /** Empty for the user of the image. */
  readonly user: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly pids: number | undefined;
  readonly storageBytes: number | undefined;
  readonly volumes: readonly VolumeDefinition[];
  readonly ports: readonly PortDefinition[];
  readonly docker: DockerDefinition;
  readonly kubernetes: KubernetesDefinition | undefined;
}

/** A range of sizes, in bytes, both ends inclusive. */
export interface SizeRange {
  readonly min: number;
  readonly max: number;
}

/** Memory: the agent alone needs some 60 MiB. */
export const memoryRange: SizeRange = { min: 64 * 2 ** 20, max: 64 * 2 ** 40 };
export const storageRange: SizeRange = { min: 64 * 2 ** 20, max: 1_024 * 2 ** 40 };
export const shmRange: SizeRange = { min: 2 ** 20, max: 64 * 2 ** 40 };

export const maxImageLength = 512;
const minCpus = 0.01;
const maxCpus = 1_024;

/** The grammar of the OCI distribution: `[host[:port]/]path[:tag][@digest]`. */
const hostPart = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const host = `(?:${hostPart}(?:\\.${hostPart})*|\\[[0-9a-fA-F:]+\\])(?::\\d{1,5})?`;
const pathPart = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const reference = new RegExp(
  `^(?:${host}/)?${pathPart}(?:/${pathPart})*(?::\\w[\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

/** Explains why a text is not the name of an image; undefined if it is. */
export function imageProblem(text: string): string | undefined {
  if (text.length <= maxImageLength && reference.test(text)) return undefined;
  return `found ${quote(text)}, wanted the name of an image such as debian:12 or registry.example.com/team/image:tag`;
}

/** Explains why a text is not a size within a range; undefined if it is. */
export function sizeProblem(text: string, { min, max }: SizeRange): string | undefined {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes >= min && bytes <= max) return undefined;
  const unit = /^\d+$/.test(text) ? `; write the unit, such as ${text}MiB` : "";
  return `found ${quote(text)}, wanted a size such as 512MiB or 2GiB, from ${sizeText(min)} to ${sizeText(max)}${unit}`;
}

/** Explains why a text is not a number of processors; undefined if it is. */
export function cpusProblem(text: string): string | undefined {
  const cpus = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (cpus >= minCpus && cpus <= maxCpus) return undefined;
  return `found ${quote(text)}, wanted a number of processors such as 2 or 0.5, from ${minCpus} to ${maxCpus}`;
}

/** A field of a container whose value is wrong. */
export interface ContainerProblem {
  readonly field: "image" | "cpus" | "memory" | "storage";
  readonly message: string;
}

type Quantities = Pick<ContainerDefinition, "cpus" | "memory" | "storage">;

/** Finds the fault of a container without expressions; undefined if there is none. */
export function containerProblem(container: ContainerDefinition): ContainerProblem | undefined {
  const { image, build } = container;
  const message = build === undefined ? imageProblem(image) : undefined;
  return message === undefined ? quantityProblem(container) : { field: "image", message };
}

/** Finds the fault of the quantities; undefined if there is none. Empty ones are absent. */
export function quantityProblem({
  cpus,
  memory,
  storage,
}: Quantities): ContainerProblem | undefined {
  const problems = [
    ["cpus", cpus === "" ? undefined : cpusProblem(cpus)],
    ["memory", memory === "" ? undefined : sizeProblem(memory, memoryRange)],
    ["storage", storage === "" ? undefined : sizeProblem(storage, storageRange)],
  ] as const;
  for (const [field, message] of problems) if (message !== undefined) return { field, message };
  return undefined;
}

/** Reads a container in which `containerProblem` finds no fault. */
export function containerValues(container: ContainerDefinition): ContainerValues {
  const { cpus, memory, storage, ...rest } = container;
  return {
    ...rest,
    cpus: cpus === "" ? undefined : Number(cpus),
    memoryBytes: parseSize(memory),
    storageBytes: parseSize(storage),
  };
}
