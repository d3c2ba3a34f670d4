import { mountPathProblem, nestedPaths, templatePathProblem } from "../container-path.ts";
import {
  cpusProblem,
  imageProblem,
  maxImageLength,
  memoryRange,
  type SizeRange,
  sizeProblem,
  storageRange,
} from "../container-values.ts";
import type { ContainerDefinition, ImageBuildDefinition } from "../definition.ts";
import {
  maxCommandWords,
  maxLineLength,
  maxPorts,
  maxScriptLength,
  maxVolumes,
} from "../limits.ts";
import type { Location } from "../location.ts";
import { quote } from "../quote.ts";
import type { Reader } from "../reader.ts";
import { shellProblems, startsShell } from "../shell-text.ts";
import { sizeText } from "../size.ts";
import { expressionMark, parseTemplateText } from "../template-text.ts";
import { environment, hostKeys } from "./common-fields.ts";
import { docker, noDocker } from "./docker-shape.ts";
import { kubernetes } from "./kubernetes-shape.ts";
import { list } from "./list-shape.ts";
import { object, record } from "./map-shape.ts";
import { boolean, integer } from "./scalar-shape.ts";
import {
  optional,
  optionalMap,
  refine,
  required,
  type Shape,
  transform,
  type ValueOf,
  withDefault,
  withExample,
} from "./shape.ts";
import { text } from "./text-shape.ts";

const templatePath = text({ maxLength: maxLineLength, problem: templatePathProblem });
const stage = text({
  maxLength: 128,
  problem: (value) =>
    /^[\w.-]*$/.test(value)
      ? undefined
      : `found ${quote(value)}, wanted letters, digits, dots, dashes and underscores`,
});

const build: Shape<ImageBuildDefinition> = transform(
  object({
    dockerfile: withDefault(
      withExample("Dockerfile, by its path from `slipway.yaml`.", "docker/Dockerfile"),
      templatePath,
      "Dockerfile",
    ),
    context: withDefault(
      withExample("Directory whose files the Dockerfile may copy.", "docker"),
      templatePath,
      ".",
    ),
    target: withDefault(
      withExample("Stage of the Dockerfile (default: the last one).", "dev"),
      stage,
      "",
    ),
    args: optionalMap(
      withExample("Build arguments, by name. Values may contain expressions.", { VERSION: "24" }),
      environment,
    ),
  }),
  (read) => ({ ...read, args: Object.fromEntries(read.args) }),
);

const image = text({
  maxLength: maxImageLength,
  minLength: 1,
  rendered: "plain",
  wanted: "the name of an image",
  problem: imageProblem,
});

const user = text({
  maxLength: 64,
  minLength: 1,
  takesScalars: true,
  wanted: "the name or number of a user",
  problem: (value) =>
    /^(?:[a-z_][a-z0-9_-]{0,31}|\d{1,9}(?::\d{1,9})?)$/.test(value)
      ? undefined
      : `found ${quote(value)}, wanted a user such as dev, 1000 or 1000:1000`,
});

const cpus = text({
  maxLength: maxLineLength,
  minLength: 1,
  rendered: "plain",
  takesScalars: true,
  wanted: "a number of processors",
  problem: cpusProblem,
});

/** A size that a build computes. */
function renderedSize(range: SizeRange): Shape<string> {
  return text({
    maxLength: maxLineLength,
    minLength: 1,
    rendered: "plain",
    takesScalars: true,
    wanted: "a size such as 512MiB or 2GiB",
    problem: (value) => sizeProblem(value, range),
  });
}

const volume = object({
  path: required(
    withExample("Directory in the container, outside those of other volumes.", "/home/dev"),
    text({
      maxLength: maxLineLength,
      minLength: 1,
      wanted: "an absolute path",
      problem: mountPathProblem,
    }),
  ),
  read_only: withDefault("True if the container may not write to it.", boolean, false),
});

/** Names that Kubernetes allows for ports, which are shorter than others. */
const portKeys = {
  pattern: "^(?=.*[a-z])[a-z0-9](-?[a-z0-9])*$",
  wanted: "lowercase letters and digits with single dashes between them, and at least one letter",
  maxLength: 15,
};

const word = text({ maxLength: maxScriptLength, rendered: "plain", takesScalars: true });

const fields = object({
  image: optional(
    withExample("Image, pulled if it is missing. May contain expressions.", "debian:12"),
    image,
  ),
  build: optional("Image that is built from the template's files, instead of `image`.", build),
  user: withDefault(
    withExample(
      "User of the agent and of everything that it runs, by name or number; a name that the image lacks is added, with a home directory (default: the user of the image).",
      "dev",
    ),
    user,
    "",
  ),
  command: withDefault(
    withExample(
      "Program that runs beside the agent, as a list of words (default: none). May contain expressions; the words of a shell only those of `run`.",
      ["redis-server", "--save", ""],
    ),
    list(word, { max: maxCommandWords }),
    [],
  ),
  environment: optionalMap(
    withExample(
      "Environment variables of the container, by name, set before its owner is known: a claim does not change them, unlike the agent's `env`. Values may contain expressions.",
      { TZ: "Europe/Berlin" },
    ),
    environment,
  ),
  cpus: withDefault(
    withExample("Processors it may use, in parts too (default: all). May contain expressions.", 2),
    cpus,
    "",
  ),
  memory: withDefault(
    withExample(
      `Memory it may use, from ${sizeText(memoryRange.min)} (default: all). May contain expressions.`,
      "2GiB",
    ),
    renderedSize(memoryRange),
    "",
  ),
  pids: optional(
    withExample("Processes and threads it may have (default: the driver's limit).", 1_024),
    integer({ min: 64, max: 4_194_304 }),
  ),
  storage: withDefault(
    withExample(
      `Disk space for files outside volumes, from ${sizeText(storageRange.min)}, where the host can limit it (default: no limit). May contain expressions.`,
      "20GiB",
    ),
    renderedSize(storageRange),
    "",
  ),
  volumes: optionalMap(
    "Directories that survive a stop and end with the workspace, by name.",
    record(volume, { keys: hostKeys, max: maxVolumes }),
  ),
  ports: optionalMap(
    withExample(
      "Ports of programs in the container, by name. Published at 127.0.0.1 of the host only if the operator allows `ports`; Slipway forwards all ports anyway.",
      { web: 8080 },
    ),
    record(integer({ min: 1, max: 65_535 }), { keys: portKeys, max: maxPorts }),
  ),
  docker: optional("Settings that only the driver `docker` knows.", docker),
  kubernetes: optional("Settings that only the driver `kubernetes` knows.", kubernetes),
});
type ContainerFields = ValueOf<typeof fields>;

/** The container of an agent. */
export const container: Shape<ContainerDefinition> = transform(
  refine(fields, checkContainer),
  (read) => ({
    image: read.image ?? "",
    build: read.build,
    user: read.user,
    command: read.command,
    environment: Object.fromEntries(read.environment),
    cpus: read.cpus,
    memory: read.memory,
    storage: read.storage,
    pids: read.pids,
    volumes: read.volumes.map(([name, { path, read_only: isReadOnly }]) => ({
      name,
      path,
      isReadOnly,
    })),
    ports: read.ports.map(([name, port]) => ({ name, port })),
    docker: read.docker ?? noDocker,
    kubernetes: read.kubernetes,
  }),
);

function checkContainer(read: ContainerFields, location: Location, reader: Reader): void {
  if ((read.image === undefined) === (read.build === undefined)) {
    const found =
      read.image === undefined ? "neither `image` nor `build`" : "both `image` and `build`";
    reader.reportKey(location, `found ${found}, wanted one of them`);
  }
  if (read.command[0] === "") {
    reader.report(
      reader.child(location, "command", 0),
      "found an empty string, wanted the program of the command",
    );
  }
  checkShellWords(read.command, reader.child(location, "command"), reader);
  checkVolumePaths(read.volumes, reader.child(location, "volumes"), reader);
  checkPortNumbers(read.ports, reader.child(location, "ports"), reader);
}

/** Refuses values that users choose in the words of a shell. */
function checkShellWords(command: readonly string[], location: Location, reader: Reader): void {
  if (!startsShell(command)) return;
  for (const [index, value] of command.entries()) {
    const at = reader.child(location, index);
    const { parts } = parseTemplateText(value, reader.parameterNames);
    for (const problem of shellProblems(parts)) {
      const offset = reader.offsetOf(at, value, problem.index, expressionMark);
      reader.reportAt(at, offset, problem.message);
    }
  }
}

function checkVolumePaths(
  volumes: ContainerFields["volumes"],
  location: Location,
  reader: Reader,
): void {
  const pair = nestedPaths(volumes.map(([, { path }]) => path));
  if (pair === undefined) return;
  const [outer, inner] = pair;
  const name = volumes.findLast(([, { path }]) => path === inner)?.[0] ?? "";
  reader.report(
    reader.child(location, name, "path"),
    `found ${quote(inner)} in the volume at ${quote(outer)}, wanted volumes apart from each other`,
  );
}

function checkPortNumbers(
  ports: ContainerFields["ports"],
  location: Location,
  reader: Reader,
): void {
  const names = new Map<number, string>();
  for (const [name, port] of ports) {
    const other = names.get(port);
    if (other === undefined) names.set(port, name);
    else {
      reader.report(
        reader.child(location, name),
        `found port ${port} a second time, wanted each once: \`${other}\` already has it`,
      );
    }
  }
}

/** Refuses values of the owner where a claim does not change the container, which was started before. */
export function checkPooledContainer(
  pooled: ContainerDefinition,
  location: Location,
  reader: Reader,
): void {
  const texts: readonly (readonly [Location, string])[] = [
    [reader.child(location, "image"), pooled.image],
    ...pooled.command.map(
      (value, index) => [reader.child(location, "command", index), value] as const,
    ),
    ...Object.entries(pooled.environment).map(
      ([name, value]) => [reader.child(location, "environment", name), value] as const,
    ),
    ...Object.entries(pooled.build?.args ?? {}).map(
      ([name, value]) => [reader.child(location, "build", "args", name), value] as const,
    ),
  ];
  for (const [at, value] of texts) {
    const { parts } = parseTemplateText(value, reader.parameterNames);
    for (const part of parts) {
      if (part.kind !== "name" || !changesAtClaim.test(part.name)) continue;
      reader.reportAt(
        at,
        reader.offsetOf(at, value, part.index, expressionMark),
        `found \`\${{ ${part.name} }}\` in a container of a template with prebuilds, which is started before it has an owner; use the agent's \`env\`, or \`on_claim: restart\``,
      );
    }
  }
}

/** The values that a claim changes. */
const changesAtClaim = /^(?:owner\.|workspace\.name$)/;
