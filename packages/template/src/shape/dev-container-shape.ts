import type { DevContainerDefinition } from "../definition.ts";
import { maxLineLength } from "../limits.ts";
import { object } from "./map-shape.ts";
import { required, type Shape, transform, withDefault, withExample } from "./shape.ts";
import { text } from "./text-shape.ts";

/** A dev container, keyed by name. */
export const devContainer: Shape<DevContainerDefinition> = transform(
  object({
    workspace_folder: required(
      withExample(
        "Directory of the project in the workspace, below the home directory if relative. May contain expressions.",
        "~/site",
      ),
      text({
        maxLength: maxLineLength,
        minLength: 1,
        rendered: "plain",
        wanted: "the directory of a project",
      }),
    ),
    config_path: withDefault(
      withExample(
        "Configuration file, relative to the directory (default: `.devcontainer/devcontainer.json` or `.devcontainer.json`). May contain expressions.",
        ".devcontainer/python/devcontainer.json",
      ),
      text({ maxLength: maxLineLength, rendered: "plain" }),
      "",
    ),
  }),
  (fields, { key }) => ({
    name: key,
    workspaceFolder: fields.workspace_folder,
    configPath: fields.config_path,
  }),
);
