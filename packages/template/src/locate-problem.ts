import { ProblemList, type TemplateProblem } from "./problem.ts";
import { Reader } from "./reader.ts";
import { openYaml } from "./yaml-source.ts";

/**
 * Returns a problem that something else found at a path such as `agents.main.container.docker.devices[0]`, with its
 * position in a `slipway.yaml`: that of the nearest key that is there.
 */
export function locateProblem(yamlText: string, path: string, message: string): TemplateProblem {
  const source = openYaml(yamlText);
  if (!("text" in source)) return { line: 1, column: 1, path, message };
  const problems = new ProblemList();
  const reader = new Reader(source, problems);
  const parts = [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([part, index]) =>
    index === undefined ? part : Number(index),
  );
  reader.reportKey(reader.child(reader.root, ...parts), message);
  const [found] = problems.toArray();
  return { line: 1, column: 1, message, ...found, path };
}
