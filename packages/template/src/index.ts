export { isTimezone, parseCalendar, windowHolds, windowsOverlap } from "./cron.ts";
export type { WallClock } from "./cron.ts";
export { displayApps } from "./definition.ts";
export type {
  AgentDefinition,
  AppDefinition,
  DisplayAppName,
  IdentityAuth,
  NamedValue,
  ParameterDefinition,
  ExternalAuthDefinition,
  PresetDefinition,
  ScriptDefinition,
  TemplateDefinition,
} from "./definition.ts";
export { isInstanceId } from "./instance-id.ts";
export { mayFailToRender, renderDefinition } from "./render-definition.ts";
export type { RenderedAgents } from "./render-definition.ts";
export { templateJsonSchema } from "./json-schema.ts";
export { maxLineLength, maxMetadata, maxUrlLength } from "./limits.ts";
export { valueProblem } from "./parameter-value.ts";
export { resolveParameters } from "./resolve-parameters.ts";
export { parseTemplateDefinition } from "./parse-definition.ts";
export { problemLine } from "./problem.ts";
export { readTemplateArchive } from "./read-archive.ts";
export { RegexMatcher, regexProblem } from "./regex.ts";
export { suggest } from "./suggest.ts";
export { isShellWord } from "./shell-text.ts";
export { TemplateFormatError } from "./template-format-error.ts";
