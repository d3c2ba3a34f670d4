/** Parsers of outside bytes, exported only for fuzzing (`npm run fuzz:codecs`). */
export { parseScriptCron, parseWindowCron } from "./cron.ts";
export { parseDuration } from "./duration.ts";
export { maxDefinitionBytes, maxReadmeBytes, maxRegexSize } from "./limits.ts";
export { regexProblem, regexSize } from "./regex.ts";
export { parseTemplateText } from "./template-text.ts";
