export { isTimezone, parseCalendar, windowHolds, windowsOverlap } from "./cron.ts";
export type { WallClock } from "./cron.ts";
export { definitionProblem, textProblem } from "./definition-problem.ts";
export { containerValues } from "./container-values.ts";
export type { ContainerValues } from "./container-values.ts";
export { displayApps, formTypes, parameterTypes } from "./definition.ts";
export type {
  AgentDefinition,
  AppDefinition,
  DevContainerDefinition,
  DisplayAppName,
  ExternalAuthDefinition,
  IdentityAuth,
  NamedValue,
  ParameterDefinition,
  ParameterSource,
  PresetDefinition,
  ScriptDefinition,
  TagDefinition,
  TemplateDefinition,
} from "./definition.ts";
export { foreseeContainer } from "./foresee-container.ts";
export { templateJsonSchema } from "./json-schema.ts";
export {
  containerDrivers,
  driverKind,
  driverProblem,
  externalAgentType,
  terraformDriver,
} from "./known-drivers.ts";
export {
  isInstanceId,
  maxLineLength,
  maxMetadata,
  maxUrlLength,
  maxValueLength,
} from "./limits.ts";
export { locateProblem } from "./locate-problem.ts";
export { storageProblem, valueProblem } from "./parameter-value.ts";
export { parseTemplateDefinition } from "./parse-definition.ts";
export { problemLine } from "./problem.ts";
export type { TemplateProblem } from "./problem.ts";
export { readTemplateArchive } from "./read-archive.ts";
export type { TemplateFiles } from "./read-archive.ts";
export { RegexMatcher, regexProblem } from "./regex.ts";
export { mayFailToRender, renderDefinition, TemplateFormatError } from "./render-definition.ts";
export type { RenderedAgents } from "./render-definition.ts";
export { resolveParameters } from "./resolve-parameters.ts";
export { isShellWord } from "./shell-text.ts";
export { suggest } from "./suggest.ts";
