import type { ExpressionName, ExpressionPart, TextPart, TextProblem } from "./template-text.ts";

/*
 * Texts that a shell runs: scripts, metadata commands, and the commands of apps. The value of an expression becomes part
 * of such a text, and thereby code. So a value is permitted only if it cannot change the meaning of the text.
 *
 * Parameters, and the name and email address of a user, can be any input: templates pass them through `env`.
 * Ids and the names of users, workspaces, templates, versions and agents match `shellWord` wherever the server accepts
 * one, which tests/long/shell-names.test.ts checks for every such place; a build checks each value again.
 */

/** Text that a shell neither interprets nor takes for an option, because a letter or digit comes first. */
const shellWord = /^(?:[A-Za-z0-9][A-Za-z0-9._-]*)?$/;

/** Reports whether a value never changes the meaning of a shell text, at any position. */
export function isShellWord(value: string): boolean {
  return shellWord.test(value);
}

const shells: ReadonlySet<string> = new Set(
  "ash bash busybox dash fish ksh mksh sh tcsh csh zsh".split(" "),
);

/** Reports whether the program of a command is a shell, so that its other words may be shell texts. */
export function startsShell([program = ""]: readonly string[]): boolean {
  return shells.has(program.slice(program.lastIndexOf("/") + 1));
}

const freeNames: ReadonlySet<ExpressionName> = new Set(["owner.name", "owner.email"]);

function isFreelyChosen(part: ExpressionPart): boolean {
  return part.kind === "parameter" || freeNames.has(part.name);
}

/** Names the expressions that are not permitted in a shell text, and the alternative way to pass their values. */
export function shellProblems(parts: readonly TextPart[]): readonly TextProblem[] {
  return parts.flatMap((part) =>
    part.kind !== "literal" && isFreelyChosen(part)
      ? [{ index: part.index, message: shellProblem(part) }]
      : [],
  );
}

function shellProblem(part: ExpressionPart): string {
  const shown = `\${{ ${part.kind === "parameter" ? `parameters.${part.name}` : part.name} }}`;
  const variable = variableOf(part.name);
  return `found \`${shown}\` in text that a shell runs, where its value, which a user chooses, would run as code; put it in the agent's \`env: { ${variable}: "${shown}" }\` and write \`"$${variable}"\` here`;
}

/** Returns an environment variable name for an expression, such as `COLOR` or `OWNER_NAME`. */
function variableOf(name: string): string {
  const variable = name.toUpperCase().replaceAll(/[.-]/g, "_");
  return knownVariables.has(variable) ? `PARAMETER_${variable}` : variable;
}

/** Variables that already have a meaning to shells and programs. */
const knownVariables: ReadonlySet<string> = new Set(
  "BASH_ENV EDITOR ENV HOME HOSTNAME IFS LANG LOGNAME MAIL PATH PS1 PWD SHELL TERM TZ UID USER".split(
    " ",
  ),
);
